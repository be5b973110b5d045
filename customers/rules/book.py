"""Rules for tags and stages as two lists that managers edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import asyncpg

from customers.rules.causes import MODELS, Said, StageRule, TagRule
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_SETTINGS, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember

RuleKind = Literal["tag", "stage"]
MOST = 100
DELETED = "customer_rule.delete"
APPLY_RULE = "apply_rule"
LIST = """
select r.id, r.name, r.position, r.enabled, r.data, r.updated_at, h.n as hits, exists (
  select from job where kind = $2 and state in ('queued', 'running') and payload->>'rule_id' = r.id::text) as applying
from customer_rule r cross join lateral (select count(*) as n from rule_hit where rule_id = r.id) h
where r.kind = $1 and r.deleted_at is null and ($3::bigint is null or r.id = $3) order by r.position, r.id
"""
INSERT = """
insert into customer_rule (kind, name, enabled, data, position, created_at, updated_at)
values ($1, $2, $3, $4, (select coalesce(max(position), 0) + 1 from customer_rule where kind = $1), $5, $5) returning id
"""
UPDATE = """
update customer_rule set name = coalesce($3, name), enabled = coalesce($4, enabled), data = coalesce($5, data), updated_at = $6
where kind = $1 and id = $2 and deleted_at is null returning id
"""
ORDER = """
update customer_rule r set position = w.position
from unnest($2::bigint[]) with ordinality w (id, position) where r.id = w.id and r.kind = $1
"""
DELETE = "update customer_rule set deleted_at = $3 where kind = $1 and id = $2 and deleted_at is null returning id"
RESTORE = "update customer_rule set deleted_at = null where id = $1 and deleted_at is not null returning kind"


async def listed(tx: Tx | Database, kind: RuleKind, rule_id: int | None = None) -> list[Row]:
    rows: list[Row] = await tx.fetch(LIST, kind, APPLY_RULE, rule_id)
    return rows


async def one(tx: Tx | Database, kind: RuleKind, rule_id: int) -> Row:
    rows = await listed(tx, kind, rule_id)
    if not rows:
        raise NotFound("There is no such rule.")
    return rows[0]


async def create(
    work: Work, principal: Principal, kind: RuleKind, name: str, enabled: bool, data: TagRule | StageRule
) -> int:
    """At the end of its list. Raises :class:`Unprocessable` when there are too many, or for what the rule cannot do."""
    if len(await listed(work.tx, kind)) >= MOST:
        raise Unprocessable(f"There are {MOST} of them already. Take one out first.", code="too_many")
    await check(work.tx, data)
    rule_id: int = await work.tx.fetchval(INSERT, kind, name, enabled, _plain(data), work.now)
    await _changed(work, principal, "rule.created", rule_id, kind)
    return rule_id


async def change(
    work: Work, principal: Principal, kind: RuleKind, rule_id: int, name: str | None, enabled: bool | None,
    data: TagRule | StageRule | None,
) -> None:  # fmt: skip
    """What is None stays. Raises :class:`NotFound`, :class:`Unprocessable`."""
    if data is not None:
        await check(work.tx, data)
    values = _plain(data) if data is not None else None
    if await work.tx.fetchval(UPDATE, kind, rule_id, name, enabled, values, work.now) is None:
        raise NotFound("There is no such rule.")
    if enabled:
        await work.tx.execute("update customer_rule set data = data - 'stopped' where id = $1", rule_id)
    await _changed(work, principal, "rule.changed", rule_id, kind)


async def put_in_order(work: Work, principal: Principal, kind: RuleKind, ids: Sequence[int]) -> None:
    """Raises :class:`Conflict` when the list is another one by now."""
    known = {row["id"] for row in await listed(work.tx, kind)}
    if set(ids) != known or len(ids) != len(known):
        raise Conflict("Somebody changed this list meanwhile. Look at it again.", code="changed_meanwhile")
    await work.tx.execute(ORDER, kind, list(ids))
    await _changed(work, principal, "rule.ordered", None, kind)


async def delete(work: Work, principal: Principal, kind: RuleKind, rule_id: int) -> Step:
    """What it did stays done. Raises :class:`NotFound`."""
    if await work.tx.fetchval(DELETE, kind, rule_id, work.now) is None:
        raise NotFound("There is no such rule.")
    await _changed(work, principal, "rule.deleted", rule_id, kind)
    return await remember(work, principal, DELETED, {"id": rule_id})


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    kind = await work.tx.fetchval(RESTORE, data["id"])
    if kind is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    await _changed(work, principal, "rule.restored", data["id"], kind)
    return Undone()


async def check(tx: Tx, data: TagRule | StageRule) -> None:
    """Raises :class:`Unprocessable` for tags and stages that are not there, and for an expression that nobody understands."""
    if isinstance(data, TagRule):
        wanted, table = data.tag_ids, "tag"
    else:
        wanted, table = [data.stage_id], "stage"
    sql = f"select count(*) from {table} where id = any($1::bigint[]) and archived_at is null"  # noqa: S608 - two constants
    if await tx.fetchval(sql, wanted) != len(set(wanted)):
        raise Unprocessable(
            "What the rule gives is no longer there.", fields={f"data.{table}_id": "Choose one of the list."}
        )
    if isinstance(data.cause, Said) and data.cause.expression.strip():
        try:
            async with tx.transaction():
                await tx.fetchval("select '' ~* $1", data.cause.expression.strip())
        except asyncpg.InvalidRegularExpressionError as error:
            raise Unprocessable(
                "This expression is not understood.", code="bad_expression",
                fields={"data.cause.expression": "Check the brackets and stars."},
            ) from error  # fmt: skip


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CUSTOMERS_SETTINGS, restore)}


def model_of(kind: str, data: Any) -> TagRule | StageRule:
    return MODELS[kind].model_validate(data)


def _plain(data: TagRule | StageRule) -> dict[str, Any]:
    plain = data.model_dump(mode="json")
    plain.pop("stopped")
    return plain


async def _changed(work: Work, principal: Principal, action: str, rule_id: int | None, kind: str) -> None:
    work.ring("setting")
    await record(
        work,
        action,
        agent_id=principal.agent_id,
        object_kind="rule",
        object_id=rule_id,
        detail={"kind": f"customer_{kind}"},
    )
