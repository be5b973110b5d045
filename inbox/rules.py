"""The rulebook as lists that managers edit: made, changed, put in order, taken out and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inbox.rulebook import RuleKind
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import INBOX_SETTINGS, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember

MOST = 200
FIELDS = "id, name, position, enabled, data, updated_at"
LIST = f"select {FIELDS} from inbox_rule where kind = $1 and deleted_at is null order by position, id"  # noqa: S608
ONE = f"select {FIELDS} from inbox_rule where kind = $1 and id = $2 and deleted_at is null"  # noqa: S608
INSERT = f"""
insert into inbox_rule (kind, name, enabled, data, position, created_at, updated_at)
values ($1, $2, $3, $4, (select coalesce(max(position), 0) + 1 from inbox_rule where kind = $1), $5, $5) returning {FIELDS}
"""  # noqa: S608
UPDATE = f"""
update inbox_rule set name = coalesce($3, name), enabled = coalesce($4, enabled), data = coalesce($5, data), updated_at = $6
where kind = $1 and id = $2 and deleted_at is null returning {FIELDS}
"""  # noqa: S608
ORDER = """
update inbox_rule r set position = w.position
from unnest($2::bigint[]) with ordinality w (id, position) where r.id = w.id and r.kind = $1
"""
UNDO_DELETE = "rule.delete"


async def listed(tx: Tx | Database, kind: RuleKind) -> list[Row]:
    rows: list[Row] = await tx.fetch(LIST, kind)
    return rows


async def create(
    work: Work, principal: Principal, kind: RuleKind, name: str, enabled: bool, data: Mapping[str, Any]
) -> Row:
    """At the end of its list. Raises :class:`Unprocessable` when there are too many."""
    if len(await listed(work.tx, kind)) >= MOST:
        raise Unprocessable(f"There are {MOST} of them already. Take one out first.", code="too_many")
    row: Row | None = await work.tx.fetchrow(INSERT, kind, name, enabled, dict(data), work.now)
    assert row is not None
    await _changed(work, principal, "rule.created", row["id"], kind)
    return row


async def change(
    work: Work,
    principal: Principal,
    kind: RuleKind,
    rule_id: int,
    *,
    name: str | None,
    enabled: bool | None,
    data: Mapping[str, Any] | None,
) -> Row:
    """What is None stays. Raises :class:`NotFound`."""
    values = dict(data) if data is not None else None
    row: Row | None = await work.tx.fetchrow(UPDATE, kind, rule_id, name, enabled, values, work.now)
    if row is None:
        raise NotFound("There is no such rule.")
    await _changed(work, principal, "rule.changed", rule_id, kind)
    return row


async def put_in_order(work: Work, principal: Principal, kind: RuleKind, ids: Sequence[int]) -> None:
    """Raises :class:`Conflict` when the list is another one by now."""
    known = {row["id"] for row in await listed(work.tx, kind)}
    if set(ids) != known or len(ids) != len(known):
        raise Conflict("Somebody changed this list meanwhile. Look at it again.", code="changed_meanwhile")
    await work.tx.execute(ORDER, kind, list(ids))
    await _changed(work, principal, "rule.ordered", None, kind)


async def delete(work: Work, principal: Principal, kind: RuleKind, rule_id: int) -> Step:
    """Raises :class:`NotFound`."""
    done = await work.tx.fetchval(
        "update inbox_rule set deleted_at = $3 where kind = $1 and id = $2 and deleted_at is null returning id",
        kind, rule_id, work.now,
    )  # fmt: skip
    if done is None:
        raise NotFound("There is no such rule.")
    await _changed(work, principal, "rule.deleted", rule_id, kind)
    return await remember(work, principal, UNDO_DELETE, {"id": rule_id, "kind": kind})


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Back where it was."""
    done = await work.tx.fetchval(
        "update inbox_rule set deleted_at = null where id = $1 and deleted_at is not null returning id", data["id"]
    )
    if done is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    await _changed(work, principal, "rule.restored", data["id"], data["kind"])
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {UNDO_DELETE: Kind(INBOX_SETTINGS, restore)}


async def _changed(work: Work, principal: Principal, action: str, rule_id: int | None, kind: str) -> None:
    work.ring("setting")
    work.ring("turn")
    await record(
        work, action, agent_id=principal.agent_id, object_kind="rule", object_id=rule_id, detail={"kind": kind}
    )
