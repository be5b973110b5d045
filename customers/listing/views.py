"""Views: lists that are kept, each with its filter, order and columns. Some are there from the start."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from customers import filtering
from customers.filtering import EVERYBODY, Condition, Group
from customers.listing.counting import Counted, FoundCount, count
from customers.listing.sorts import MOST as MOST_SORTS
from customers.listing.sorts import Sort, orders
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_SETTINGS, Principal
from scrm.services import Services, Work
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, Line, View

MOST = 50
MOST_COLUMNS = 40
DELETED = "customer_view.delete"
PATIENCE = 150
"""Milliseconds for the number beside each view."""

LIST = """
select id, name, agent_id, team_id, data, position from customer_view
where agent_id = $1 or (agent_id is null and (team_id is null or team_id = any($2::bigint[]) or $3))
order by agent_id is null, team_id is null, position, id
"""
INSERT = """
insert into customer_view (name, agent_id, team_id, data, position, created_by, created_at)
values ($1, $2, $3, $4, (select coalesce(max(position), -1) + 1 from customer_view
  where agent_id is not distinct from $2 and team_id is not distinct from $3), $5, $6) returning id
"""
RESTORE = """
insert into customer_view (id, name, agent_id, team_id, data, position, created_by, created_at) overriding system value
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning id
"""
KEPT = ("id", "name", "agent_id", "team_id", "data", "position", "created_by")


class ViewData(Input):
    """``columns``: names of fields in their order; empty: the usual ones."""

    filter: Annotated[Group, Field(default_factory=lambda: EVERYBODY)]
    sort: Annotated[list[Sort], Field(default_factory=list, max_length=MOST_SORTS)]
    columns: Annotated[
        list[Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+(\.f[0-9a-z]{1,20})?$")]],
        Field(default_factory=list, max_length=MOST_COLUMNS),
    ]


class StandardView(View):
    """One that everybody has. The page has words for its ``key``."""

    key: str
    data: ViewData


class KeptView(View):
    """``team_id`` and ``mine`` say whose it is: one's own, a team's, or (neither) the company's."""

    id: int
    name: str
    team_id: int | None
    mine: bool
    position: int
    data: ViewData


class ViewList(View):
    standard: list[StandardView]
    kept: list[KeptView]


class ViewCounts(View):
    """By the standard views' keys and the others' ids."""

    counts: dict[str, FoundCount]


class NewView(Input):
    """For oneself; with ``team_id`` for a team, with ``company`` for everybody."""

    name: Line
    team_id: Id | None = None
    company: bool = False
    data: ViewData


class ViewInput(Input):
    """What is given is changed."""

    name: Line | None = None
    data: ViewData | None = None
    position: Annotated[int, Field(ge=0, le=1000)] | None = None


def _standard(key: str, *parts: Condition, sort: list[Sort] | None = None) -> StandardView:
    data = ViewData(filter=Group(parts=list(parts)), sort=sort or [], columns=[])
    return StandardView(key=key, data=data)


MINE = Condition(field="owner", op="in", value=["me"])
STANDARD = (
    _standard("all"),
    _standard("today", MINE, Condition(field="next_due_at", op="due"), sort=[Sort(key="next_due_at")]),
    _standard("mine", MINE),
    _standard(
        "quiet",
        MINE,
        Condition(field="last_message_at", op="not_last_days", value=7),
        sort=[Sort(key="last_message_at", descending=True)],
    ),
    _standard("new", Condition(field="created_at", op="last_days", value=7)),
    _standard("pool", Condition(field="pool", op="is", value=True), sort=[Sort(key="pooled_at", descending=True)]),
)


async def views(tx: Tx, principal: Principal) -> ViewList:
    rows = await tx.fetch(LIST, principal.agent_id, list(principal.team_ids), principal.may(CUSTOMERS_SETTINGS))
    return ViewList(standard=list(STANDARD), kept=[_view(row) for row in rows])


async def counts(services: Services, principal: Principal) -> ViewCounts:
    """How many customers each view shows now. One that cannot be counted (its field is gone) is left out."""
    async with services.db.pool.acquire() as tx:
        all_ = await views(tx, principal)
        asking = await filtering.asking(tx, principal, services.clock.now())
    found: dict[str, FoundCount] = {}
    named = [(one.key, one.data) for one in all_.standard] + [(str(one.id), one.data) for one in all_.kept]
    for name, data in named:
        counted = await _count(services.db, data.filter, asking)
        if counted is not None:
            found[name] = counted.view()
    return ViewCounts(counts=found)


async def _count(db: Database, tree: Group, asking: filtering.Asking) -> Counted | None:
    try:
        return await count(db, tree, asking, patience=PATIENCE)
    except Unprocessable:
        return None


def _view(row: Row) -> KeptView:
    return KeptView(
        id=row["id"],
        name=row["name"],
        team_id=row["team_id"],
        mine=row["agent_id"] is not None,
        position=row["position"],
        data=ViewData.model_validate(row["data"]),
    )


async def add_view(work: Work, principal: Principal, new: NewView) -> int:
    """Raises :class:`Forbidden`, :class:`Unprocessable`."""
    shared = new.company or new.team_id is not None
    if shared and not principal.may(CUSTOMERS_SETTINGS):
        raise Forbidden("Only who keeps the customers' settings may keep views for others.")
    if new.company and new.team_id is not None:
        raise Unprocessable("A view is for a team or for the company.", fields={"team_id": "Leave it out."})
    if new.team_id is not None and not await work.tx.fetchval("select true from team where id = $1", new.team_id):
        raise Unprocessable("There is no such team.", fields={"team_id": "Choose a team."})
    await _check(work, principal, new.data)
    owner = None if shared else principal.agent_id
    there = await work.tx.fetchval(
        "select count(*) from customer_view where agent_id is not distinct from $1 and team_id is not distinct from $2",
        owner,
        new.team_id,
    )
    if there >= MOST:
        raise Unprocessable(f"There are {MOST} views already; delete some first.")
    made: int = await work.tx.fetchval(
        INSERT, new.name, owner, new.team_id, new.data.model_dump(), principal.agent_id, work.now
    )
    return made


async def change_view(work: Work, principal: Principal, view_id: int, change: ViewInput) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    row = await _own(work, principal, view_id)
    if change.data is not None:
        await _check(work, principal, change.data)
    await work.tx.execute(
        "update customer_view set name = coalesce($2, name), data = coalesce($3, data), position = coalesce($4, position) where id = $1",
        row["id"],
        change.name,
        change.data.model_dump() if change.data is not None else None,
        change.position,
    )


async def delete_view(work: Work, principal: Principal, view_id: int) -> Step:
    row = await _own(work, principal, view_id)
    await work.tx.execute("delete from customer_view where id = $1", view_id)
    return await remember(work, principal, DELETED, {name: row[name] for name in KEPT})


async def _check(work: Work, principal: Principal, data: ViewData) -> None:
    """What is kept can be shown."""
    asking = await filtering.asking(work.tx, principal, work.now)
    filtering.compile(data.filter, asking)
    await orders(work.tx, data.sort, asking.fields)


async def _own(work: Work, principal: Principal, view_id: int) -> Row:
    row = await work.tx.fetchrow("select * from customer_view where id = $1 for update", view_id)
    settings = principal.may(CUSTOMERS_SETTINGS)
    foreign = row is not None and (
        row["agent_id"] not in (None, principal.agent_id)
        or (row["team_id"] is not None and row["team_id"] not in principal.team_ids and not settings)
    )
    if row is None or foreign:
        raise NotFound("There is no such view.")
    if row["agent_id"] is None and not settings:
        raise Forbidden("Only who keeps the customers' settings may change views of others.")
    return row


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    team = data["team_id"]
    if team is not None and not await work.tx.fetchval("select true from team where id = $1", team):
        raise Conflict("The team is gone.", code="changed_meanwhile")
    if await work.tx.fetchval(RESTORE, *[data[name] for name in KEPT], work.now) is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CUSTOMERS_READ, _restore)}
