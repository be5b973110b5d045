"""Searches that people keep for themselves, and are told about when something new is found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from audit.following import safe_ceiling
from audit.search.shapes import Filter
from scrm import trail
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import AUDIT_READ, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Input, Line, View

MOST = 50
DELETED = "audit_search.delete"
Severity = Literal["low", "medium", "high"]
LATER = "What this search asks for becomes true after a message has come: keep it without alerts, or make a rule."

LIST = """
select id, name, filter, alerts, severity, found, found_at, created_at from audit_search
where agent_id = $1 and deleted_at is null order by id
"""
ONE = "select * from audit_search where id = $1 and agent_id = $2 and deleted_at is null for update"
COUNT = "select count(*) from audit_search where agent_id = $1 and deleted_at is null"
INSERT = """
insert into audit_search (agent_id, name, filter, alerts, severity, last_id, client_token, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (agent_id, client_token) do nothing returning id
"""
CHANGE = "update audit_search set name = $2, filter = $3, alerts = $4, severity = $5, last_id = $6 where id = $1"


class NewSavedSearch(Input):
    """``alerts``: each new find raises an alert of that severity. ``client_token``: the same is the same search, however often it comes."""

    name: Line
    filter: Filter
    alerts: bool = False
    severity: Severity = "medium"
    client_token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class SavedSearchInput(Input):
    """What is given is changed."""

    name: Line | None = None
    filter: Filter | None = None
    alerts: bool | None = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _something(self) -> SavedSearchInput:
        if not self.model_fields_set:
            raise ValueError("Give what is to change.")
        return self


class SavedSearch(View):
    """``found``: how many alerts' worth of messages came since it alerts, ``found_at`` the last time."""

    id: int
    name: str
    filter: Filter
    alerts: bool
    severity: Severity
    found: int
    found_at: datetime | None
    created_at: datetime


class SavedSearches(View):
    searches: list[SavedSearch] = Field(description="One's own, in the order in which they were kept.")


async def saved(tx: Tx, principal: Principal) -> SavedSearches:
    return SavedSearches(searches=[_view(row) for row in await tx.fetch(LIST, principal.agent_id)])


async def add(work: Work, principal: Principal, new: NewSavedSearch, address: str) -> None:
    """Raises :class:`Unprocessable`."""
    if new.alerts:
        _check(new.filter)
    if await work.tx.fetchval(COUNT, principal.agent_id) >= MOST:
        raise Unprocessable(f"There are {MOST} saved searches already; delete some first.")
    made = await work.tx.fetchval(
        INSERT,
        principal.agent_id,
        new.name,
        _kept(new.filter),
        new.alerts,
        new.severity,
        await safe_ceiling(work.tx, "message"),
        new.client_token,
        work.now,
    )
    if made is not None:
        await _record(work, principal, "search.saved", made, new.name, address)


async def change(work: Work, principal: Principal, search_id: int, new: SavedSearchInput, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Unprocessable`. One that begins to alert does so for what comes from now on."""
    row = await _own(work, principal, search_id)
    filter_ = new.filter if new.filter is not None else Filter.model_validate(row["filter"])
    alerts = row["alerts"] if new.alerts is None else new.alerts
    if alerts:
        _check(filter_)
    begins = alerts and not row["alerts"]
    last_id = await safe_ceiling(work.tx, "message") if begins else row["last_id"]
    name, severity = new.name or row["name"], new.severity or row["severity"]
    await work.tx.execute(CHANGE, search_id, name, _kept(filter_), alerts, severity, last_id)
    await _record(work, principal, "search.changed", search_id, name, address)


async def delete(work: Work, principal: Principal, search_id: int, address: str) -> Step:
    row = await _own(work, principal, search_id)
    await work.tx.execute("update audit_search set deleted_at = $2 where id = $1", search_id, work.now)
    await _record(work, principal, "search.deleted", search_id, row["name"], address)
    return await remember(work, principal, DELETED, {"id": search_id})


async def _restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(
        "update audit_search set deleted_at = null where id = $1 and agent_id = $2 and deleted_at is not null",
        data["id"],
        principal.agent_id,
    )
    if done == "UPDATE 0":
        raise Conflict("It is there already.", code="changed_meanwhile")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(AUDIT_READ, _restore)}


def _check(filter_: Filter) -> None:
    """What alerts is looked for once, as messages come."""
    if filter_.state is not None or filter_.rule_id is not None:
        raise Unprocessable(LATER, fields={"alerts": LATER})
    if filter_ == Filter():
        raise Unprocessable("This finds every message.", fields={"alerts": "Say first what to look for."})


async def _own(work: Work, principal: Principal, search_id: int) -> Row:
    row = await work.tx.fetchrow(ONE, search_id, principal.agent_id)
    if row is None:
        raise NotFound("There is no such saved search.")
    return row


async def _record(work: Work, principal: Principal, action: str, search_id: int, name: str, address: str) -> None:
    await trail.record(
        work,
        action,
        agent_id=principal.agent_id,
        object_kind="search",
        object_id=search_id,
        address=address,
        detail={"name": name},
    )


def _kept(filter_: Filter) -> dict[str, Any]:
    return filter_.model_dump(mode="json", exclude_defaults=True)


def _view(row: Row) -> SavedSearch:
    return SavedSearch(
        id=row["id"],
        name=row["name"],
        filter=Filter.model_validate(row["filter"]),
        alerts=row["alerts"],
        severity=row["severity"],
        found=row["found"],
        found_at=row["found_at"],
        created_at=row["created_at"],
    )
