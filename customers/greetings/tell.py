"""A finished greeting finds its contact, once that is a row, and is told to the customer's story."""

from __future__ import annotations

from datetime import timedelta

from customers.greetings.greeter import seconds_taken
from customers.timeline import Line, tell
from scrm.services import Services

AT_ONCE = 200
PATIENCE = timedelta(days=3)
"""A contact who is no row by then will not be one."""

SETTLE = """
with found as (
  select g.id, k.id as contact_id, a.id as account_id, k.customer_id
  from greeting g join contact k on k.connection_id = g.connection_id and k.external_id = g.contact_key
  left join account a on a.connection_id = g.connection_id and a.channel = g.account_channel and a.external_id = g.account_key
  where g.told_at is null and g.state not in ('queued', 'sending') and g.created_at > $2
  order by g.id limit $3 for update of g skip locked
)
update greeting g set contact_id = found.contact_id, account_id = coalesce(g.account_id, found.account_id), told_at = $1
from found where g.id = found.id
returning g.id, g.state, g.at, g.finished_at, g.reason, g.contact_id, g.account_id, found.customer_id,
  (select c.name from contact_code c where c.id = g.contact_code_id) as code_name
"""


class Teller:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        async with self._services.work() as work:
            rows = await work.tx.fetch(SETTLE, work.now, work.now - PATIENCE, AT_ONCE)
            await tell(
                work,
                [
                    Line(
                        customer_id=row["customer_id"],
                        kind=f"greeting.{row['state']}",
                        at=row["finished_at"],
                        account_id=row["account_id"],
                        contact_id=row["contact_id"],
                        object_kind="greeting",
                        object_id=row["id"],
                        data={
                            "seconds": seconds_taken(row["at"], row["finished_at"]),
                            "code": row["code_name"],
                            "reason": row["reason"],
                        },
                    )
                    for row in rows
                    if row["state"] != "none"
                ],
            )
        return len(rows) == AT_ONCE
