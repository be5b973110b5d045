"""Roles: the built-in ones are part of the program, a company adds its own. A change counts at once, in every session."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import asyncpg

from scrm.db import Row, Tx
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.permissions import (
    AGENTS_MANAGE,
    AGENTS_READ,
    AUDIT_EVIDENCE,
    AUDIT_READ,
    AUDIT_RETENTION,
    AUDIT_REVIEW,
    AUDIT_RULES,
    CODES_MANAGE,
    CONNECTIONS_MANAGE,
    CONNECTIONS_READ,
    CUSTOMERS_ASSIGN,
    CUSTOMERS_DELETE,
    CUSTOMERS_EXPORT,
    CUSTOMERS_IMPORT,
    CUSTOMERS_MERGE,
    CUSTOMERS_PHONE,
    CUSTOMERS_PURGE,
    CUSTOMERS_READ,
    CUSTOMERS_REPORTS,
    CUSTOMERS_REVEAL,
    CUSTOMERS_SETTINGS,
    CUSTOMERS_WRITE,
    EVENTS_MANAGE,
    EVENTS_READ,
    INBOX_ASSIGN,
    INBOX_READ,
    INBOX_RECALLED,
    INBOX_REPLY,
    LIBRARY_MANAGE,
    LIBRARY_READ,
    Reach,
)
from scrm.services import Work
from scrm.sessions import ring_sessions_of
from scrm.trail import record

NEEDS: dict[str, str] = {
    INBOX_REPLY: INBOX_READ,
    INBOX_ASSIGN: INBOX_READ,
    INBOX_RECALLED: INBOX_READ,
    LIBRARY_MANAGE: LIBRARY_READ,
    CUSTOMERS_WRITE: CUSTOMERS_READ,
    CUSTOMERS_PHONE: CUSTOMERS_READ,
    CUSTOMERS_REVEAL: CUSTOMERS_READ,
    CUSTOMERS_ASSIGN: CUSTOMERS_WRITE,
    CUSTOMERS_MERGE: CUSTOMERS_WRITE,
    CUSTOMERS_IMPORT: CUSTOMERS_WRITE,
    CUSTOMERS_EXPORT: CUSTOMERS_READ,
    CUSTOMERS_DELETE: CUSTOMERS_WRITE,
    CUSTOMERS_PURGE: CUSTOMERS_DELETE,
    CUSTOMERS_SETTINGS: CUSTOMERS_READ,
    CUSTOMERS_REPORTS: CUSTOMERS_READ,
    CODES_MANAGE: AGENTS_READ,
    AGENTS_MANAGE: AGENTS_READ,
    CONNECTIONS_MANAGE: CONNECTIONS_READ,
    EVENTS_MANAGE: EVENTS_READ,
    AUDIT_READ: INBOX_READ,
    AUDIT_REVIEW: AUDIT_READ,
    AUDIT_RULES: AUDIT_READ,
    AUDIT_EVIDENCE: AUDIT_READ,
    AUDIT_RETENTION: AUDIT_READ,
}
"""What one permission is worth nothing without."""
MOST_ROLES = 100

ROLES = """
select r.key, r.name, r.permissions, r.reach,
  (select count(*) from agent a where a.role = r.key and a.disabled_at is null) as agents
from role r where $1::text is null or r.key = $1 order by r.permissions is not null, r.created_at, r.key
"""
ADD = "insert into role (key, name, permissions, reach, created_at) values ($1, $2, $3, $4, $5)"
CHANGE = "update role set name = $2, permissions = $3, reach = $4 where key = $1"


async def list_roles(tx: Tx, key: str | None = None) -> list[Row]:
    rows: list[Row] = await tx.fetch(ROLES, key)
    return rows


async def own_role(tx: Tx, key: str) -> Row:
    """A role that the company made. Raises :class:`NotFound`, :class:`Forbidden` for a built-in one."""
    row = await tx.fetchrow("select key, name, permissions, reach from role where key = $1 for update", key)
    if row is None:
        raise NotFound("There is no such role.")
    if row["permissions"] is None:
        raise Forbidden("The built-in roles are fixed; make a role of your own.", code="built_in")
    return row


async def create_role(
    work: Work, name: str, permissions: Sequence[str], reach: Reach, *, by: int, address: str = ""
) -> str:
    """Returns its key. Raises :class:`Conflict` for a name that exists."""
    if len(await list_roles(work.tx)) >= MOST_ROLES:
        raise Conflict(f"There are {MOST_ROLES} roles; delete one first.", code="too_many_roles")
    key = f"own_{secrets.token_hex(5)}"
    wanted = _whole(permissions)
    try:
        async with work.tx.transaction():
            await work.tx.execute(ADD, key, name, wanted, reach, work.now)
    except asyncpg.UniqueViolationError as error:
        raise Conflict("There is a role of this name.", fields={"name": "Taken."}, code="name_taken") from error
    await _note(work, "role.created", key, by, address, name=name, permissions=wanted, reach=reach)
    return key


async def change_role(
    work: Work, key: str, name: str, permissions: Sequence[str], reach: Reach, *, by: int, address: str = ""
) -> None:
    wanted = _whole(permissions)
    try:
        async with work.tx.transaction():
            await work.tx.execute(CHANGE, key, name, wanted, reach)
    except asyncpg.UniqueViolationError as error:
        raise Conflict("There is a role of this name.", fields={"name": "Taken."}, code="name_taken") from error
    await ring_sessions_of(
        work, *[row["id"] for row in await work.tx.fetch("select id from agent where role = $1", key)]
    )
    await _note(work, "role.changed", key, by, address, name=name, permissions=wanted, reach=reach)


async def delete_role(work: Work, key: str, *, by: int, address: str = "") -> None:
    """Raises :class:`Conflict` while somebody has it, a disabled agent too."""
    try:
        async with work.tx.transaction():
            await work.tx.execute("delete from role where key = $1", key)
    except asyncpg.ForeignKeyViolationError as error:
        raise Conflict("Somebody has this role; give them another one first.", code="role_in_use") from error
    await _note(work, "role.deleted", key, by, address)


def _whole(permissions: Sequence[str]) -> list[str]:
    """Sorted. Raises :class:`Unprocessable` when one is worth nothing without another that is missing."""
    given = set(permissions)
    for one in sorted(given):
        if NEEDS.get(one, one) not in given:
            problem = f"{one} needs {NEEDS[one]}."
            raise Unprocessable(problem, fields={"permissions": problem})
    return sorted(given)


async def _note(work: Work, action: str, key: str, by: int, address: str, **detail: object) -> None:
    await record(work, action, agent_id=by, object_kind="role", address=address, detail={"key": key, **detail})
