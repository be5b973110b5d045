"""Making and changing rules. Each change is a version with a line in the trail, without the words themselves."""

from __future__ import annotations

from typing import Any

from audit.rules.kinds import Rule, Words
from audit.rules.views import AuditRuleInput, NewAuditRule
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Step, Undone, remember

MOST = 300
DELETED = "audit_rule.delete"
INSERT = """
insert into audit_rule (kind, name, severity, enabled, data, created_by, created_at, updated_by, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $6, $7) returning id
"""
VERSION = """
insert into audit_rule_version (rule_id, version, data, severity, changed_by, changed_at)
select id, version, data, severity, $2, $3 from audit_rule where id = $1
"""
HELD = "select id, kind, name, severity, enabled, version, data from audit_rule where id = $1 and deleted_at is null for update"
UPDATE = """
update audit_rule set name = $2, severity = $3, enabled = $4, data = $5, version = $6, updated_by = $7, updated_at = $8 where id = $1
"""
DELETE = "update audit_rule set deleted_at = $2, updated_at = $2 where id = $1 and deleted_at is null returning id"
RESTORE = (
    "update audit_rule set deleted_at = null, updated_at = $2 where id = $1 and deleted_at is not null returning id"
)


async def create(work: Work, principal: Principal, new: NewAuditRule, *, address: str) -> int:
    if await work.tx.fetchval("select count(*) from audit_rule where deleted_at is null") >= MOST:
        raise Unprocessable(f"There are {MOST} rules already. Take one out first.", code="too_many")
    data = plain(new.data)
    rule_id: int = await work.tx.fetchval(
        INSERT, new.data.kind, new.name, new.severity, new.enabled, data, principal.agent_id, work.now
    )
    await work.tx.execute(VERSION, rule_id, principal.agent_id, work.now)
    await _noted(work, principal, "audit_rule.created", rule_id, address, {"kind": new.data.kind, "name": new.name})
    return rule_id


async def change(work: Work, principal: Principal, rule_id: int, body: AuditRuleInput, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` (``changed_meanwhile``), :class:`Unprocessable` for another kind."""
    row = await hold(work.tx, rule_id)
    if row["version"] != body.version:
        raise Conflict("Somebody changed this rule meanwhile. Look at it again.", code="changed_meanwhile")
    if body.data is not None and body.data.kind != row["kind"]:
        raise Unprocessable("A rule stays of its kind. Make another one.", fields={"data.kind": "Not of this rule."})
    await save(
        work, principal, row, plain(body.data) if body.data is not None else row["data"], name=body.name,
        severity=body.severity, enabled=body.enabled, address=address,
    )  # fmt: skip


async def hold(tx: Tx, rule_id: int) -> Row:
    row = await tx.fetchrow(HELD, rule_id)
    if row is None:
        raise NotFound("There is no such rule.")
    return row


async def save(
    work: Work, principal: Principal, row: Row, data: dict[str, Any], *, name: str | None = None,
    severity: str | None = None, enabled: bool | None = None, address: str,
) -> None:  # fmt: skip
    """A new version, also when only the name is another: alerts say what the rule was called then. The same again changes nothing."""
    name = row["name"] if name is None else name
    severity = row["severity"] if severity is None else severity
    enabled = row["enabled"] if enabled is None else enabled
    if (name, severity, enabled, data) == (row["name"], row["severity"], row["enabled"], row["data"]):
        return
    await work.tx.execute(
        UPDATE, row["id"], name, severity, enabled, data, row["version"] + 1, principal.agent_id, work.now
    )
    await work.tx.execute(VERSION, row["id"], principal.agent_id, work.now)
    changed = {"name": name, "version": row["version"] + 1}
    if enabled != row["enabled"]:
        changed["enabled"] = enabled
    changed |= {
        key: len(value) for key, value in data.items() if isinstance(value, list) and value != row["data"].get(key)
    }
    await _noted(work, principal, "audit_rule.changed", row["id"], address, changed)


async def delete(work: Work, principal: Principal, rule_id: int, *, address: str) -> Step:
    """What it found stays. Raises :class:`NotFound`."""
    if await work.tx.fetchval(DELETE, rule_id, work.now) is None:
        raise NotFound("There is no such rule.")
    await _noted(work, principal, "audit_rule.deleted", rule_id, address, {})
    return await remember(work, principal, DELETED, {"id": rule_id})


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    if await work.tx.fetchval(RESTORE, data["id"], work.now) is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    await _noted(work, principal, "audit_rule.restored", data["id"], "", {})
    return Undone()


def plain(data: Rule) -> dict[str, Any]:
    """As it is stored: each word once."""
    if isinstance(data, Words):
        words = {(one.how, one.text): one for one in data.words}
        data = data.model_copy(
            update={"words": list(words.values()), "exceptions": list(dict.fromkeys(data.exceptions))}
        )
    return data.model_dump(mode="json")


async def _noted(
    work: Work, principal: Principal, act: str, rule_id: int, address: str, detail: dict[str, Any]
) -> None:
    work.ring("audit_rule", rule_id)
    await record(
        work,
        act,
        agent_id=principal.agent_id,
        object_kind="audit_rule",
        object_id=rule_id,
        address=address,
        detail=detail,
    )
