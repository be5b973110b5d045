"""Whose customer it is. Every change of an owner, by whomever and however many at once, is one call of :func:`give`.

A customer without an owner lies in the public pool (``pooled_at``), or is known only from conversations and waits to be taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from customers.pool.due import recompute
from customers.timeline import Line, tell
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.notices import notify
from scrm.services import Work

OwnerKind = Literal[
    "created", "given", "claimed", "dropped", "reclaimed", "handed_over", "distributed", "merged", "split", "imported", "undone"
]  # fmt: skip

# Always in the order of their ids, so that two units of work never wait for each other in a circle.
LOCK = """
select id, owner_id, owned_at, pooled_at, pool_reason, readers, writers from customer
where id = any($1::bigint[]) and merged_into is null and deleted_at is null order by id for update
"""
CHANGE = """
update customer u set owner_id = w.to_id, owned_at = case when w.to_id is not null then $3::timestamptz end,
  pooled_at = case when w.to_id is null then $3::timestamptz end, pool_reason = case when w.to_id is null then $4 else '' end,
  readers = array_remove(u.readers, w.to_id), writers = array_remove(u.writers, w.to_id),
  reclaim_at = null, warned_at = null, updated_at = $3, version = u.version + 1
from unnest($1::bigint[], $2::bigint[]) w (id, to_id) where u.id = w.id
"""
HISTORY = """
insert into owner_history (customer_id, from_id, to_id, at, kind, by_id, reason)
select w.id, w.from_id, w.to_id, $4, $5, $6, $7 from unnest($1::bigint[], $2::bigint[], $3::bigint[]) w (id, from_id, to_id)
"""
USABLE = "select id from agent where id = any($1::bigint[]) and disabled_at is null for share"


@dataclass(frozen=True, slots=True)
class Given:
    """A customer whose owner changed, and how it was before."""

    customer_id: int
    from_id: int | None
    to_id: int | None
    owned_at: datetime | None
    pooled_at: datetime | None
    pool_reason: str
    readers: tuple[int, ...]
    writers: tuple[int, ...]


async def give(
    work: Work,
    customer_ids: Iterable[int],
    to_id: int | None,
    kind: OwnerKind,
    by_id: int | None,
    reason: str = "",
    *,
    tell_owner: bool = True,
) -> list[Given]:
    """Gives customers to an agent, or (None) puts them into the public pool, with the history, the story and the notice to the
    new owner. Those that are theirs already, merged or deleted are left alone. Returns what changed. Raises
    :class:`Unprocessable` for an agent who does not exist or is locked out."""
    return await give_each(work, dict.fromkeys(customer_ids, to_id), kind, by_id, reason, tell_owner=tell_owner)


async def give_each(
    work: Work,
    wanted: Mapping[int, int | None],
    kind: OwnerKind,
    by_id: int | None,
    reason: str = "",
    *,
    tell_owner: bool = True,
) -> list[Given]:
    """The same with an owner for each customer."""
    if not wanted:
        return []
    await must_be_usable(work.tx, {to_id for to_id in wanted.values() if to_id is not None})
    rows = await work.tx.fetch(LOCK, sorted(wanted))
    given = [
        Given(
            row["id"], row["owner_id"], wanted[row["id"]], row["owned_at"], row["pooled_at"], row["pool_reason"],
            tuple(row["readers"]), tuple(row["writers"]),
        )
        for row in rows
        if row["owner_id"] != wanted[row["id"]] or (wanted[row["id"]] is None and row["pooled_at"] is None)
    ]  # fmt: skip
    await write(work, given, kind, by_id, reason)
    if tell_owner:
        await _tell_owners(work, given, kind, by_id, reason)
    return given


async def write(work: Work, given: Sequence[Given], kind: OwnerKind, by_id: int | None, reason: str) -> None:
    """Of locked customers."""
    if not given:
        return
    ids, to_ids = [one.customer_id for one in given], [one.to_id for one in given]
    await work.tx.execute(CHANGE, ids, to_ids, work.now, reason)
    await work.tx.execute(HISTORY, ids, [one.from_id for one in given], to_ids, work.now, kind, by_id, reason)
    await tell(work, [_line(one, kind, by_id, reason) for one in given])
    await recompute(work, ids)


async def must_be_usable(tx: Tx, agent_ids: Iterable[int]) -> None:
    """Raises :class:`Unprocessable` when one of them does not exist or is locked out."""
    wanted = sorted(set(agent_ids))
    if wanted and len(await tx.fetch(USABLE, wanted)) < len(wanted):
        raise Unprocessable(
            "Choose somebody who works here and is not locked out.", fields={"to_id": "Not an agent, or locked out."}
        )


async def _tell_owners(work: Work, given: Sequence[Given], kind: OwnerKind, by_id: int | None, reason: str) -> None:
    """One notice for each new owner, however many customers they got. Who took them need not be told."""
    got: dict[int, list[int]] = defaultdict(list)
    for one in given:
        if one.to_id is not None and one.to_id != by_id:
            got[one.to_id].append(one.customer_id)
    for agent_id, ids in got.items():
        await notify(
            work, [agent_id], "customer_given", f"customer_given:{ids[0]}:{work.now.isoformat()}",
            customer_id=ids[0] if len(ids) == 1 else None, by=by_id,
            data={"count": len(ids), "how": kind, "reason": reason},
        )  # fmt: skip


def _line(one: Given, kind: OwnerKind, by_id: int | None, reason: str) -> Line:
    data: dict[str, Any] = {"from": one.from_id, "to": one.to_id, "how": kind, "reason": reason}
    return Line(one.customer_id, "owner.changed", agent_id=by_id, data=data)
