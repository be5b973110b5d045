"""Rows of one customer become another's. The callers hold both customers' locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from customers.identity.belongings import MOVES, Belonging
from scrm.db import Row
from scrm.errors import Conflict
from scrm.services import Work

Moved = dict[str, list[Any]]
"""By table, the keys of the rows that moved."""

VERIFIED = "phone_number.verified"
"""Among what moved: numbers that both had, of which the other's row was the verified one."""

LOCK = """
select c.*, to_jsonb(c) as whole from customer c where c.id = any($1::bigint[]) order by c.id for update
"""
# The verified one of two rows for one number stays verified, whichever of them is kept in sight.
TWICE = """
select o.id as theirs, s.id as ours, o.phone from phone_number o join phone_number s on s.phone = o.phone and s.customer_id = $2
where o.customer_id = $1 and o.verified and not s.verified
"""


async def lock(work: Work, ids: Iterable[int], *, merged: Iterable[int] = ()) -> dict[int, Row]:
    """Locks customers in the order of their ids, against everything that would add to them: what is being added is waited for, what
    comes later finds them where they went. Each row has ``whole``, itself as JSON. ``merged``: others that lead elsewhere, and are
    locked with them. Raises :class:`Conflict` when one of ``ids`` was merged or thrown away meanwhile."""
    wanted = set(ids)
    rows = await work.tx.fetch(LOCK, sorted(wanted | set(merged)))
    found = {row["id"]: row for row in rows if row["id"] in wanted}
    if len(found) < len(wanted) or any(row["merged_into"] is not None for row in found.values()):
        raise Conflict("One of these customers has been merged meanwhile. Look again.", code="changed_meanwhile")
    if any(row["deleted_at"] is not None for row in found.values()):
        raise Conflict("One of these customers is in the recycle bin. Restore it first.", code="in_recycle_bin")
    return found


async def move_all(work: Work, from_id: int, to_id: int) -> Moved:
    """Everything of a customer. Of what a customer has once, the target's stays and the other is left behind."""
    await _keep_verified(work, from_id, to_id)
    moved: Moved = {}
    for one in MOVES:
        rows = await work.tx.fetch(
            f"update {one.table} t set customer_id = $2 where t.customer_id = $1 {_once(one)} returning t.{one.key} as key",  # noqa: S608
            from_id,
            to_id,
        )
        _note(moved, one, rows)
    return moved


def _once(one: Belonging) -> str:
    """Of what a customer has once, the one that is there already stays."""
    return " ".join(
        f"and not exists (select from {one.table} o where o.customer_id = $2 and o.{column} = t.{column})"
        for column in (one.once, one.also_once)
        if column
    )


async def _keep_verified(work: Work, from_id: int, to_id: int) -> list[str]:
    """The numbers that changed their sides."""
    rows = await work.tx.fetch(TWICE, from_id, to_id)
    for row in rows:
        await work.tx.execute("update phone_number set verified = false where id = $1", row["theirs"])
        await work.tx.execute("update phone_number set verified = true where id = $1", row["ours"])
    return [row["phone"] for row in rows]


async def move_following(
    work: Work, from_id: int, to_id: int, contacts: Sequence[int], *, since: Mapping[str, int] | None = None
) -> Moved:
    """Contacts, and what goes along with them. ``since``: only rows newer than these ids, by table."""
    moved: Moved = {}
    for one in MOVES:
        if not one.follows:
            continue
        newer = f"and t.id > {int((since or {}).get(one.table, 0))}" if since is not None and one.key == "id" else ""
        # All three places are named, whichever of them a condition asks for: their types are known then.
        rows = await work.tx.fetch(
            f"update {one.table} t set customer_id = $2 where t.customer_id = $1 and cardinality($3::bigint[]) >= 0 "  # noqa: S608
            f"and {one.follows} {newer} returning t.{one.key} as key",
            from_id,
            to_id,
            list(contacts),
        )
        _note(moved, one, rows)
    return moved


async def move_keys(work: Work, from_id: int, to_id: int, keys: Mapping[str, Sequence[Any]]) -> Moved:
    """Chosen rows that are ``from_id``'s now."""
    moved: Moved = {}
    for one in MOVES:
        wanted = list(keys.get(one.table, ()))
        if not wanted:
            continue
        kind = "text" if one.key == "union_id" else "bigint"
        rows = await work.tx.fetch(
            f"update {one.table} t set customer_id = $2 where t.customer_id = $1 and t.{one.key} = any($3::{kind}[]) "  # noqa: S608
            f"{_once(one)} returning t.{one.key} as key",
            from_id,
            to_id,
            wanted,
        )
        _note(moved, one, rows)
    return moved


async def marks(work: Work, ids: Sequence[int]) -> dict[str, int]:
    """By table, the newest row of these customers: what is newer came later."""
    found: dict[str, int] = {}
    for one in MOVES:
        if one.key == "id":
            newest = f"select coalesce(max(t.id), 0) from {one.table} t where t.customer_id = any($1::bigint[])"  # noqa: S608
            found[one.table] = await work.tx.fetchval(newest, list(ids))
    return found


async def contacts_of(work: Work, customer_id: int) -> list[int]:
    return [row["id"] for row in await work.tx.fetch("select id from contact where customer_id = $1", customer_id)]


def together(*parts: Moved) -> Moved:
    found: Moved = {}
    for part in parts:
        for table, keys in part.items():
            found[table] = found.get(table, []) + [key for key in keys if key not in found.get(table, [])]
    return found


def _note(moved: Moved, one: Belonging, rows: Sequence[Row]) -> None:
    if rows:
        moved[one.table] = [row["key"] for row in rows]
