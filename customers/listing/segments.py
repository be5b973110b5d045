"""Segments: filters with a name that everybody means the same by, for views, reports and whatever is sent to many.

A segment speaks of no "me" and of no other segment. Who reads it sees of its customers those that they may see; ``total`` counts all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from customers import filtering
from customers.filtering import Asking, Condition, Group
from customers.listing.counting import FoundCount, count
from customers.scope import CustomerScope
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_REPORTS, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Input, Line, View

MOST = 200
DELETED = "segment.delete"
PATIENCE = 10_000

LIST = "select * from segment where deleted_at is null order by lower(name), id"
INSERT = """
insert into segment (name, description, filter, created_by, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
on conflict do nothing returning id
"""
CHANGE = """
update segment set name = $2, description = $3, filter = $4, updated_at = $5, version = version + 1,
  total = case when filter = $4 then total end, counted_at = case when filter = $4 then counted_at end
where id = $1
"""


class SegmentView(View):
    """``total``: how many there were at ``counted_at``; null: not counted yet."""

    id: int
    name: str
    description: str
    filter: Group
    total: int | None
    counted_at: datetime | None
    created_by: int | None
    updated_at: datetime
    version: int


class SegmentList(View):
    segments: list[SegmentView]


class NewSegment(Input):
    name: Line
    description: Annotated[str, Field(max_length=500)] = ""
    filter: Group


class SegmentInput(Input):
    """What is given is changed. ``version``: as one read it."""

    name: Line | None = None
    description: Annotated[str, Field(max_length=500)] | None = None
    filter: Group | None = None
    version: int


async def segments(tx: Tx | Database) -> SegmentList:
    return SegmentList(segments=[_view(row) for row in await tx.fetch(LIST)])


async def add_segment(work: Work, principal: Principal, new: NewSegment, *, address: str) -> int:
    """Raises :class:`Conflict` (``name_taken``), :class:`Unprocessable`."""
    await _check(work, principal, new.filter)
    if await work.tx.fetchval("select count(*) from segment where deleted_at is null") >= MOST:
        raise Unprocessable(f"There are {MOST} segments already; delete some first.")
    made: int | None = await work.tx.fetchval(
        INSERT, new.name, new.description, new.filter.model_dump(), principal.agent_id, work.now
    )
    if made is None:
        raise _taken()
    await _note(work, principal, "segment.added", made, address)
    return made


async def change_segment(
    work: Work, principal: Principal, segment_id: int, change: SegmentInput, *, address: str
) -> None:
    """Raises :class:`NotFound`, :class:`Conflict`, :class:`Unprocessable`."""
    row = await _held(work, segment_id)
    if row["version"] != change.version:
        raise Conflict("Somebody changed this segment meanwhile; look at it again.", code="changed_meanwhile")
    if change.filter is not None:
        await _check(work, principal, change.filter)
    name = change.name or row["name"]
    if await work.tx.fetchval(
        "select true from segment where lower(name) = lower($2) and id <> $1 and deleted_at is null", segment_id, name
    ):
        raise _taken()
    description = row["description"] if change.description is None else change.description
    tree = row["filter"] if change.filter is None else change.filter.model_dump()
    await work.tx.execute(CHANGE, segment_id, name, description, tree, work.now)
    await _note(work, principal, "segment.changed", segment_id, address)


async def delete_segment(work: Work, principal: Principal, segment_id: int, *, address: str) -> Step:
    await _held(work, segment_id)
    await work.tx.execute("update segment set deleted_at = $2 where id = $1", segment_id, work.now)
    await _note(work, principal, "segment.deleted", segment_id, address)
    return await remember(work, principal, DELETED, {"id": segment_id})


async def count_segment(services: Services, principal: Principal, segment_id: int) -> FoundCount:
    """Counts all of it, whoever asks, and keeps the number."""
    async with services.db.pool.acquire() as tx:
        row = await tx.fetchrow("select filter from segment where id = $1 and deleted_at is null", segment_id)
        asking = await whole(tx, principal, services.clock.now())
    if row is None:
        raise NotFound("There is no such segment.")
    counted = await count(services.db, Group.model_validate(row["filter"]), asking, enough=None, patience=PATIENCE)
    if counted.exact:
        await services.db.execute(
            "update segment set total = $2, counted_at = $3 where id = $1", segment_id, counted.count, asking.now
        )
    return counted.view()


async def whole(tx: Tx, principal: Principal, now: datetime) -> Asking:
    """Asks for the company, not for a person: without anybody's reach."""
    asking = await filtering.asking(tx, principal, now)
    scope = CustomerScope(everything=True, agent_id=asking.agent_id, teams=None, phones=asking.scope.phones)
    return Asking(scope, now, asking.zone, asking.fields)


def _view(row: Row) -> SegmentView:
    plain = {name: row[name] for name in SegmentView.model_fields if name != "filter"}
    return SegmentView(**plain, filter=Group.model_validate(row["filter"]))


async def _check(work: Work, principal: Principal, tree: Group) -> None:
    asking = await filtering.asking(work.tx, principal, work.now)
    filtering.compile(tree, asking)
    for one in _conditions(tree):
        personal = one.field == "shared" or (isinstance(one.value, list) and "me" in one.value)
        if personal or one.field == "segment":
            raise Unprocessable(
                "A segment means the same to everybody.",
                fields={"filter": "Name people instead of “me”, and conditions instead of another segment."},
            )


def _conditions(group: Group) -> list[Condition]:
    found: list[Condition] = []
    for part in group.parts:
        found += _conditions(part) if isinstance(part, Group) else [part]
    return found


async def _held(work: Work, segment_id: int) -> Row:
    row = await work.tx.fetchrow("select * from segment where id = $1 and deleted_at is null for update", segment_id)
    if row is None:
        raise NotFound("There is no such segment.")
    return row


async def _note(work: Work, principal: Principal, action: str, segment_id: int, address: str) -> None:
    await record(
        work, action, agent_id=principal.agent_id, object_kind="segment", object_id=segment_id, address=address
    )


def _taken() -> Conflict:
    return Conflict(
        "There is a segment of this name already.", code="name_taken", fields={"name": "Choose another name."}
    )


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    row = await work.tx.fetchrow(
        "select name from segment where id = $1 and deleted_at is not null for update", data["id"]
    )
    if row is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    if await work.tx.fetchval(
        "select true from segment where lower(name) = lower($1) and deleted_at is null", row["name"]
    ):
        raise _taken()
    await work.tx.execute("update segment set deleted_at = null where id = $1", data["id"])
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CUSTOMERS_REPORTS, _restore)}
