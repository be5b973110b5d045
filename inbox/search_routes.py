"""Search over HTTP."""

from __future__ import annotations

from inbox import others
from inbox.queries import one_moment, one_moment_planned_once
from inbox.search import SearchQuery, search_messages
from inbox.search_people import PeopleQuery, search_people
from inbox.views import MessageHits, PersonHits
from scrm.http import Request, Route
from scrm.permissions import INBOX_READ, Scope


async def messages(request: Request, query: SearchQuery) -> MessageHits:
    async with one_moment_planned_once(request.services.db) as tx:
        found = await search_messages(tx, Scope.of(request.principal), query)
    if query.cursor is None:
        others.searched(request, query.q)
    return found


async def people(request: Request, query: PeopleQuery) -> PersonHits:
    # Planned each time: what a number or a name begins with is found by an index only when it is known.
    async with one_moment(request.services.db) as tx:
        return await search_people(tx, request.principal, query)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/search/messages", messages, INBOX_READ, "Messages that say something, the newest first"),
        Route(
            "GET", "/api/search/people", people, INBOX_READ, "Conversations by names, remarks, ids and phone numbers"
        ),
    ]
