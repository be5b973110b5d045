"""One customer out of several. Everything that happened with any of them goes on being told, at one place; old links lead there; and the
log keeps what is needed to take it back for good (``customers.identity.undo``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from customers.identity import columns
from customers.identity.moving import Moved, contacts_of, lock, marks, move_all
from customers.owning import HISTORY
from customers.pool.due import recompute
from customers.timeline import Line, tell
from scrm.services import Work

ContactsMoved = Callable[[Work, Sequence[int]], Awaitable[None]]
"""Tells upper layers which contacts are another customer's now: conversations show whose they are."""
Kind = Literal["merged", "joined", "split"]

GONE = "update customer set merged_into = $2, version = version + 1, updated_at = $3 where id = any($1::bigint[])"
LOG = """
insert into customer_merge (kind, into_id, from_ids, by_id, reason, data, at) values ($1, $2, $3, $4, $5, $6, $7) returning id
"""


@dataclass(frozen=True, slots=True)
class Merge:
    """``reason`` is a person's words; of a join ``union`` or ``phone``."""

    into_id: int
    from_ids: tuple[int, ...]
    by_id: int | None = None
    kind: Kind = "merged"
    choices: Mapping[str, int] | None = None
    reason: str = ""


async def merge(work: Work, what: Merge, contacts_moved: ContactsMoved) -> int:
    """Returns the number in the log. Raises :class:`Conflict` when one of them was merged or thrown away meanwhile."""
    ids = [what.into_id, *what.from_ids]
    rows = await lock(work, ids)
    before = {one: dict(rows[one]["whole"]) for one in ids}
    newest = await marks(work, ids)
    moved: dict[str, Moved] = {}
    contacts: list[int] = []
    for one in what.from_ids:
        contacts += await contacts_of(work, one)
        moved[str(one)] = await move_all(work, one, what.into_id)
    survivor, others = before[what.into_id], [before[one] for one in what.from_ids]
    tags = [tag for row in before.values() for tag in row["tags"]]
    exclusive = await columns.exclusive_groups(work, tags)
    changed = columns.combined(survivor, others, what.choices or {}, exclusive)
    await columns.write(work, what.into_id, changed)
    await work.tx.execute(GONE, list(what.from_ids), what.into_id, work.now)
    await _history(work, what, survivor, changed)
    await recompute(work, [what.into_id])
    data = {
        "before": {str(one): row for one, row in before.items()},
        "after": await columns.read(work, what.into_id),
        "moved": moved,
        "marks": newest,
    }
    log_id: int = await work.tx.fetchval(
        LOG, what.kind, what.into_id, list(what.from_ids), what.by_id, what.reason, data, work.now
    )
    await _tell(work, what, log_id, before)
    if contacts:
        await contacts_moved(work, contacts)
    return log_id


async def _history(work: Work, what: Merge, survivor: columns.Columns, changed: columns.Columns) -> None:
    if "owner_id" in changed:
        ids, was, now = [what.into_id], [survivor["owner_id"]], [changed["owner_id"]]
        await work.tx.execute(HISTORY, ids, was, now, work.now, "merged", what.by_id, what.reason)


async def _tell(work: Work, what: Merge, log_id: int, before: Mapping[int, columns.Columns]) -> None:
    names: list[Any] = [{"id": one, "name": before[one]["name"]} for one in what.from_ids]
    data = {"customers": names, "reason": what.reason if what.kind == "merged" else "", "because": what.kind}
    if what.kind == "joined":
        data["because"] = what.reason
    kind = "customer.joined" if what.kind == "joined" else "customer.merged"
    line = Line(
        what.into_id, kind, agent_id=what.by_id, object_kind="customer_merge", object_id=log_id, data=data
    )  # fmt: skip
    await tell(work, [line])
    work.ring("customer", what.into_id, *what.from_ids)
