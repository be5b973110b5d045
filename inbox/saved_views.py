"""Lists that people keep: a name for a view with its filters, for oneself or for a team."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from inbox.list_query import ListFilter
from inbox.views import SavedViewList, SavedViewView
from scrm.db import Row, Tx
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.permissions import INBOX_READ, INBOX_SETTINGS, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, Line

MOST = 50
DELETED = "saved_view.delete"
LIST = """
select id, name, team_id, filter, position from saved_view
where agent_id = $1 or team_id = any($2::bigint[]) or ($3 and team_id is not null)
order by team_id is not null, position, id
"""
ONE = "select * from saved_view where id = $1 for update"
INSERT = """
insert into saved_view (name, agent_id, team_id, filter, position, created_by, created_at)
values ($1, $2, $3, $4, (select coalesce(max(position), -1) + 1 from saved_view
  where agent_id is not distinct from $2 and team_id is not distinct from $3), $5, $6) returning id
"""
RESTORE = """
insert into saved_view (id, name, agent_id, team_id, filter, position, created_by) overriding system value
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id
"""


class NewSavedView(Input):
    """``team_id`` null: for oneself."""

    name: Line
    team_id: Id | None = None
    filter: ListFilter


class SavedViewInput(Input):
    """What is given is changed."""

    name: Line | None = None
    filter: ListFilter | None = None
    position: Annotated[int, Field(ge=0, le=1000)] | None = None


async def saved_views(tx: Tx, principal: Principal) -> SavedViewList:
    """One's own, then those of one's teams (who keeps the settings sees those of all)."""
    rows = await tx.fetch(LIST, principal.agent_id, list(principal.team_ids), principal.may(INBOX_SETTINGS))
    return SavedViewList(views=[_view(row) for row in rows])


def _view(row: Row) -> SavedViewView:
    return SavedViewView(
        id=row["id"],
        name=row["name"],
        team_id=row["team_id"],
        filter=ListFilter.model_validate(row["filter"]),
        position=row["position"],
    )


async def add_view(work: Work, principal: Principal, new: NewSavedView) -> int:
    """Raises :class:`Forbidden`, :class:`Unprocessable`."""
    if new.team_id is not None:
        if not principal.may(INBOX_SETTINGS):
            raise Forbidden("Only who keeps the inbox's settings may keep lists for a team.")
        if not await work.tx.fetchval("select true from team where id = $1", new.team_id):
            raise Unprocessable("There is no such team.", fields={"team_id": "Choose a team."})
    owner = None if new.team_id is not None else principal.agent_id
    if (
        await work.tx.fetchval(
            "select count(*) from saved_view where agent_id = $1 or team_id = $2", owner, new.team_id
        )
        >= MOST
    ):
        raise Unprocessable(f"There are {MOST} saved lists already; delete some first.")
    made: int = await work.tx.fetchval(
        INSERT, new.name, owner, new.team_id, _kept(new.filter), principal.agent_id, work.now
    )
    return made


async def change_view(work: Work, principal: Principal, view_id: int, change: SavedViewInput) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden`."""
    row = await _own(work, principal, view_id)
    await work.tx.execute(
        "update saved_view set name = $2, filter = $3, position = $4 where id = $1",
        view_id,
        change.name or row["name"],
        _kept(change.filter) if change.filter is not None else row["filter"],
        row["position"] if change.position is None else change.position,
    )


async def delete_view(work: Work, principal: Principal, view_id: int) -> Step:
    row = await _own(work, principal, view_id)
    await work.tx.execute("delete from saved_view where id = $1", view_id)
    names = ("id", "name", "agent_id", "team_id", "filter", "position", "created_by")
    return await remember(work, principal, DELETED, {name: row[name] for name in names})


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    values = [data[name] for name in ("id", "name", "agent_id", "team_id", "filter", "position", "created_by")]
    team = data["team_id"]
    if team is not None and not await work.tx.fetchval("select true from team where id = $1", team):
        raise Conflict("The team is gone.", code="changed_meanwhile")
    if await work.tx.fetchval(RESTORE, *values) is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(INBOX_READ, _restore)}


async def _own(work: Work, principal: Principal, view_id: int) -> Row:
    row = await work.tx.fetchrow(ONE, view_id)
    if row is None or (row["agent_id"] is not None and row["agent_id"] != principal.agent_id):
        raise NotFound("There is no such saved list.")
    if row["team_id"] is not None and not principal.may(INBOX_SETTINGS):
        if row["team_id"] not in principal.team_ids:
            raise NotFound("There is no such saved list.")
        raise Forbidden("Only who keeps the inbox's settings may change lists of a team.")
    return row


def _kept(filter_: ListFilter) -> dict[str, Any]:
    return filter_.model_dump(exclude_defaults=True)
