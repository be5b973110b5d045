"""Searching the archive over HTTP. Each search leaves its line in the trail, each page of it does not."""

from __future__ import annotations

from audit.search import saved
from audit.search.facets import facets
from audit.search.find import search
from audit.search.people import people
from audit.search.saved import NewSavedSearch, SavedSearches, SavedSearchInput
from audit.search.shapes import Facets, Filter, Hits, People, PeopleQuery, SearchQuery
from inbox.queries import one_moment, one_moment_planned_once
from scrm import trail
from scrm.http import Reply, Request, Route
from scrm.permissions import AUDIT_READ, Scope
from scrm.undo import undoable


async def find(request: Request, query: SearchQuery) -> Hits:
    if query.cursor is None:
        async with request.services.work() as work:
            await trail.record(
                work,
                "archive.searched",
                agent_id=request.principal.agent_id,
                address=request.address,
                detail=query.model_dump(mode="json", exclude_defaults=True, exclude={"limit"}),
            )
    async with one_moment_planned_once(request.services.db) as tx:
        return await search(tx, Scope.of(request.principal), query)


async def count(request: Request, query: Filter) -> Facets:
    async with one_moment_planned_once(request.services.db) as tx:
        return await facets(tx, Scope.of(request.principal), query)


async def suggest(request: Request, query: PeopleQuery) -> People:
    async with one_moment(request.services.db) as tx:
        return await people(tx, request.principal, query)


async def list_saved(request: Request) -> SavedSearches:
    async with one_moment(request.services.db) as tx:
        return await saved.saved(tx, request.principal)


async def add_saved(request: Request, body: NewSavedSearch) -> Reply[SavedSearches]:
    async with request.services.work() as work:
        await saved.add(work, request.principal, body, request.address)
        return Reply(await saved.saved(work.tx, request.principal), status=201)


async def change_saved(request: Request, search_id: int, body: SavedSearchInput) -> SavedSearches:
    async with request.services.work() as work:
        await saved.change(work, request.principal, search_id, body, request.address)
        return await saved.saved(work.tx, request.principal)


async def delete_saved(request: Request, search_id: int) -> Reply[SavedSearches]:
    """Its alerts stay."""
    async with request.services.work() as work:
        step = await saved.delete(work, request.principal, search_id, request.address)
        return undoable(await saved.saved(work.tx, request.principal), step)


def api_routes() -> list[Route]:
    one = "/api/audit/searches/{search_id}"
    return [
        Route("GET", "/api/audit/search", find, AUDIT_READ, "Messages of the whole archive that say something"),
        Route("GET", "/api/audit/search/facets", count, AUDIT_READ, "How many there are, and where"),
        Route(
            "GET",
            "/api/audit/people",
            suggest,
            AUDIT_READ,
            "People and groups by name, pinyin and initials, to search for",
        ),
        Route("GET", "/api/audit/searches", list_saved, AUDIT_READ, "One's saved searches"),
        Route(
            "POST",
            "/api/audit/searches",
            add_saved,
            AUDIT_READ,
            "Keep a search, with alerts on new finds if wanted",
            status=201,
        ),
        Route("PATCH", one, change_saved, AUDIT_READ, "Change a saved search"),
        Route("DELETE", one, delete_saved, AUDIT_READ, "Delete a saved search"),
    ]
