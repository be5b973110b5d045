"""People who left the company while customers or groups still are theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scrm.db import Database, Tx
from scrm.notices import notify
from scrm.services import Work

LEFT = """
select m.connection_id, m.external_id, m.name, m.left_at, a.id as account_id, i.agent_id,
  (select count(*) from contact_link l where l.account_id = a.id and l.state = 'active') as customers,
  (select count(*) from group_chat g where g.connection_id = m.connection_id and g.owner_id = m.external_id and g.dissolved_at is null) as groups
from directory_member m
left join lateral (select a.id from account a where a.connection_id = m.connection_id and a.external_id = m.external_id
  order by exists (select from contact_link l where l.account_id = a.id) desc, a.id limit 1) a on true
left join agent_identity i on i.connection_id = m.connection_id and i.external_id = m.external_id
where m.left_at is not null and ($1::bigint is null or m.connection_id = $1) and ($2::text[] is null or m.external_id = any($2))
order by m.left_at desc, m.id desc limit 500
"""
# Those who may hand over.
RESPONSIBLE = """
select a.id from agent a join role r on r.key = a.role
where a.disabled_at is null and (r.key in ('manager', 'admin') or 'customers.assign' = any(r.permissions))
"""


@dataclass(frozen=True, slots=True)
class Left:
    """``customers`` and ``groups`` still wait for somebody else."""

    connection_id: int
    external_id: str
    name: str
    left_at: datetime
    account_id: int | None
    agent_id: int | None
    customers: int
    groups: int

    @property
    def waits(self) -> bool:
        return self.customers > 0 or self.groups > 0


async def left_people(
    tx: Tx | Database, connection_id: int | None = None, external_ids: Sequence[str] | None = None
) -> list[Left]:
    """Newest first; those with nothing to hand over are among them (:attr:`Left.waits`)."""
    rows = await tx.fetch(LEFT, connection_id, None if external_ids is None else list(external_ids))
    return [Left(**row) for row in rows]


async def tell_managers(work: Work, connection_id: int, external_ids: Sequence[str]) -> None:
    """That these people left and customers or groups of theirs wait."""
    if not external_ids:
        return
    waiting = [one for one in await left_people(work.tx, connection_id, external_ids) if one.waits]
    if not waiting:
        return
    managers = [row["id"] for row in await work.tx.fetch(RESPONSIBLE)]
    for one in waiting:
        await notify(
            work, managers, "member_left", f"member_left:{connection_id}:{one.external_id}:{one.left_at.isoformat()}",
            data={"name": one.name or one.external_id, "customers": one.customers, "groups": one.groups,
                  "connection_id": connection_id, "external_id": one.external_id},
        )  # fmt: skip
