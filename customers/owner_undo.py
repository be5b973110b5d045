"""Taking back a change of owners or of sharing: each customer that is still as the act left it becomes what it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from customers.owning import LOCK, Given, must_be_usable, write
from customers.pool.due import recompute
from customers.timeline import Line, tell
from scrm.errors import Conflict, Unprocessable
from scrm.permissions import CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember

OWNER, SHARED = "customer.owner", "customer.share"

AS_BEFORE = """
update customer u set owned_at = w.owned_at, pooled_at = w.pooled_at, pool_reason = w.pool_reason,
  readers = w.readers::bigint[], writers = w.writers::bigint[]
from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
  w (id, owned_at, pooled_at, pool_reason, readers, writers) where u.id = w.id
"""
SHARE = """
update customer u set readers = w.readers::bigint[], writers = w.writers::bigint[], updated_at = $4, version = version + 1
from unnest($1::bigint[], $2::text[], $3::text[]) w (id, readers, writers) where u.id = w.id
"""


async def remember_given(work: Work, principal: Principal, given: Sequence[Given]) -> Step | None:
    """None: nothing changed."""
    if not given:
        return None
    return await remember(work, principal, OWNER, {"given": [_plain(one) for one in given]}, count=len(given))


async def restore_owners(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """A customer that was somebody's who is locked out by now stays where it is."""
    was = {one["id"]: one for one in data["given"]}
    locked = await work.tx.fetch(LOCK, sorted(was))
    kept = [row for row in locked if row["owner_id"] == was[row["id"]]["to"]]
    usable = await _usable(work, {was[row["id"]]["from"] for row in kept})
    kept = [row for row in kept if was[row["id"]]["from"] in usable]
    if not kept:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    back = [
        Given(row["id"], row["owner_id"], was[row["id"]]["from"], row["owned_at"], row["pooled_at"], row["pool_reason"],
              tuple(row["readers"]), tuple(row["writers"]))
        for row in kept
    ]  # fmt: skip
    await write(work, back, "undone", principal.agent_id, "")
    before = [was[row["id"]] for row in kept]
    await work.tx.execute(
        AS_BEFORE, [one["id"] for one in before], [_time(one["owned_at"]) for one in before],
        [_time(one["pooled_at"]) for one in before], [one["pool_reason"] for one in before],
        [literal(one["readers"]) for one in before], [literal(one["writers"]) for one in before],
    )  # fmt: skip
    await recompute(work, [one["id"] for one in before])
    return Undone(restored=len(kept), skipped=len(was) - len(kept))


async def write_shares(work: Work, by_id: int, after: dict[int, tuple[list[int], list[int]]]) -> None:
    """Of locked customers: readers and writers of each from now on, with its story."""
    ids = sorted(after)
    await work.tx.execute(
        SHARE, ids, [literal(after[i][0]) for i in ids], [literal(after[i][1]) for i in ids], work.now
    )
    await tell(
        work,
        [
            Line(one, "customer.shared", agent_id=by_id, data={"readers": after[one][0], "writers": after[one][1]})
            for one in ids
        ],
    )
    await recompute(work, ids)


async def restore_shares(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    was = {one["id"]: one for one in data["shared"]}
    locked = await work.tx.fetch(LOCK, sorted(was))
    kept = [
        row
        for row in locked
        if [list(row["readers"]), list(row["writers"])] == was[row["id"]]["after"]
    ]  # fmt: skip
    if not kept:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    await write_shares(
        work, principal.agent_id, {row["id"]: tuple(was[row["id"]]["before"]) for row in kept}
    )  # fmt: skip
    return Undone(restored=len(kept), skipped=len(was) - len(kept))


def undo_kinds() -> dict[str, Kind]:
    return {OWNER: Kind(CUSTOMERS_WRITE, restore_owners), SHARED: Kind(CUSTOMERS_WRITE, restore_shares)}


def literal(ids: Sequence[int]) -> str:
    """As PostgreSQL writes arrays: a batch of arrays of different lengths is no array of arrays."""
    return f"{{{','.join(map(str, ids))}}}"


async def _usable(work: Work, agent_ids: set[int | None]) -> set[int | None]:
    found: set[int | None] = {None}
    for agent_id in sorted(one for one in agent_ids if one is not None):
        try:
            await must_be_usable(work.tx, [agent_id])
        except Unprocessable:
            continue
        found.add(agent_id)
    return found


def _plain(one: Given) -> dict[str, Any]:
    return {
        "id": one.customer_id, "from": one.from_id, "to": one.to_id,
        "owned_at": one.owned_at.isoformat() if one.owned_at else None,
        "pooled_at": one.pooled_at.isoformat() if one.pooled_at else None,
        "pool_reason": one.pool_reason, "readers": list(one.readers), "writers": list(one.writers),
    }  # fmt: skip


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value is not None else None
