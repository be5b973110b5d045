"""The rules of the public pool as a list that managers edit. After each change every customer's date is computed anew, by a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from customers.pool.everyone import recompute_everyone
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_SETTINGS, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember

MOST = 50
DELETED = "pool_rule.delete"
FIELDS = "id, name, position, enabled, data, updated_at"
LIST = f"select {FIELDS} from customer_rule where kind = 'pool' and deleted_at is null order by position, id"  # noqa: S608
INSERT = f"""
insert into customer_rule (kind, name, enabled, data, position, created_at, updated_at)
values ('pool', $1, $2, $3, (select coalesce(max(position), 0) + 1 from customer_rule where kind = 'pool'), $4, $4)
returning {FIELDS}
"""  # noqa: S608
UPDATE = f"""
update customer_rule set name = coalesce($2, name), enabled = coalesce($3, enabled), data = coalesce($4, data), updated_at = $5
where kind = 'pool' and id = $1 and deleted_at is null returning {FIELDS}
"""  # noqa: S608
ORDER = """
update customer_rule r set position = w.position
from unnest($1::bigint[]) with ordinality w (id, position) where r.id = w.id and r.kind = 'pool'
"""
DELETE = """
update customer_rule set deleted_at = $2 where kind = 'pool' and id = $1 and deleted_at is null returning id
"""
RESTORE = (
    "update customer_rule set deleted_at = null where kind = 'pool' and id = $1 and deleted_at is not null returning id"
)


async def listed(tx: Tx | Database) -> list[Row]:
    rows: list[Row] = await tx.fetch(LIST)
    return rows


async def create(work: Work, principal: Principal, name: str, enabled: bool, data: Mapping[str, Any]) -> Row:
    """At the end of the list. Raises :class:`Unprocessable` when there are too many."""
    if len(await listed(work.tx)) >= MOST:
        raise Unprocessable(f"There are {MOST} of them already. Take one out first.", code="too_many")
    row: Row | None = await work.tx.fetchrow(INSERT, name, enabled, dict(data), work.now)
    assert row is not None
    await _changed(work, principal, "rule.created", row["id"])
    return row


async def change(
    work: Work,
    principal: Principal,
    rule_id: int,
    name: str | None,
    enabled: bool | None,
    data: Mapping[str, Any] | None,
) -> Row:
    """What is None stays. Raises :class:`NotFound`."""
    values = dict(data) if data is not None else None
    row: Row | None = await work.tx.fetchrow(UPDATE, rule_id, name, enabled, values, work.now)
    if row is None:
        raise NotFound("There is no such rule.")
    await _changed(work, principal, "rule.changed", rule_id)
    return row


async def put_in_order(work: Work, principal: Principal, ids: Sequence[int]) -> None:
    """Raises :class:`Conflict` when the list is another one by now."""
    known = {row["id"] for row in await listed(work.tx)}
    if set(ids) != known or len(ids) != len(known):
        raise Conflict("Somebody changed this list meanwhile. Look at it again.", code="changed_meanwhile")
    await work.tx.execute(ORDER, list(ids))
    await _changed(work, principal, "rule.ordered", None)


async def delete(work: Work, principal: Principal, rule_id: int) -> Step:
    """Raises :class:`NotFound`."""
    if await work.tx.fetchval(DELETE, rule_id, work.now) is None:
        raise NotFound("There is no such rule.")
    await _changed(work, principal, "rule.deleted", rule_id)
    return await remember(work, principal, DELETED, {"id": rule_id})


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Back where it was."""
    if await work.tx.fetchval(RESTORE, data["id"]) is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    await _changed(work, principal, "rule.restored", data["id"])
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CUSTOMERS_SETTINGS, restore)}


async def _changed(work: Work, principal: Principal, action: str, rule_id: int | None) -> None:
    work.ring("setting")
    await recompute_everyone(work)
    await record(
        work, action, agent_id=principal.agent_id, object_kind="rule", object_id=rule_id, detail={"kind": "pool"}
    )
