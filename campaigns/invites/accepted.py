"""Who accepted, as the platform tells: a relation that began after the list was stored, with a customer who has the number (verified, or
among the numbers of the relation, which the sync keeps as the customer's). One statement; doing it twice changes nothing."""

from __future__ import annotations

from datetime import timedelta

from customers.timeline import Line, tell
from scrm.services import Services

PATIENCE = timedelta(days=90)
# Of several relations the one with the employee whose number it was counts before others, then the earliest.
RECOGNISE = """
with found as (
  select distinct on (i.id) i.id, p.customer_id, l.account_id, k.id as contact_id,
    coalesce(l.added_at, l.created_at) as at, coalesce(d.agent_id = i.agent_id, false) as own
  from invite i join phone_number p on p.phone = i.phone join contact k on k.customer_id = p.customer_id
  join contact_link l on l.contact_id = k.id and l.state in ('active', 'half') join account a on a.id = l.account_id
  left join agent_identity d on d.connection_id = a.connection_id and d.external_id = a.external_id
  where i.state in ('open', 'sent', 'not_found', 'refused', 'wrong_number') and i.created_at > $1
    and coalesce(l.added_at, l.created_at) >= i.created_at
  order by i.id, own desc, p.verified desc, at
)
update invite i set state = case when f.own then 'accepted' else 'elsewhere' end, accepted_at = f.at,
  done_at = coalesce(i.done_at, f.at), done_day = coalesce(i.done_day, $2::date), customer_id = f.customer_id, account_id = f.account_id
from found f where f.id = i.id and i.state in ('open', 'sent', 'not_found', 'refused', 'wrong_number')
returning i.id, i.batch_id, i.agent_id, f.customer_id, f.account_id, f.contact_id, f.own
"""


async def recognise(services: Services) -> bool:
    async with services.work() as work:
        rows = await work.tx.fetch(RECOGNISE, work.now - PATIENCE, work.now.date())
        lines = [
            Line(
                row["customer_id"], "invite.accepted", agent_id=row["agent_id"], account_id=row["account_id"],
                contact_id=row["contact_id"], object_kind="invite_batch", object_id=row["batch_id"],
            )
            for row in rows
            if row["own"]
        ]  # fmt: skip
        await tell(work, lines)
    return False
