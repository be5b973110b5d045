"""Searching the archive over HTTP. Each search leaves its line in the trail, each page of it does not."""

from __future__ import annotations

from audit.search.facets import facets
from audit.search.find import search
from audit.search.people import people
from audit.search.shapes import Facets, Filter, Hits, People, PeopleQuery, SearchQuery
from inbox.queries import one_moment
from scrm import trail
from scrm.http import Request, Route
from scrm.permissions import AUDIT_READ, Scope


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
    async with one_moment(request.services.db) as tx:
        return await search(tx, Scope.of(request.principal), query)


async def count(request: Request, query: Filter) -> Facets:
    async with one_moment(request.services.db) as tx:
        return await facets(tx, Scope.of(request.principal), query)


async def suggest(request: Request, query: PeopleQuery) -> People:
    async with one_moment(request.services.db) as tx:
        return await people(tx, request.principal, query)


def api_routes() -> list[Route]:
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
    ]
