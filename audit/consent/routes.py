"""Who is archived, for those who look after the connections."""

from __future__ import annotations

from audit.archive.reading import archive_of
from audit.consent.status import ArchivePeople, people
from scrm.http import Request, Route
from scrm.permissions import CONNECTIONS_READ


async def show(request: Request, connection_id: int) -> ArchivePeople:
    await archive_of(request.services, connection_id)
    async with request.services.db.transaction() as tx:
        return await people(tx, connection_id)


def api_routes() -> list[Route]:
    path = "/api/archives/{connection_id}/people"
    return [
        Route(
            "GET",
            path,
            show,
            CONNECTIONS_READ,
            "Whose chats are archived, and how many customers agreed",
            errors=(409,),
        )
    ]
