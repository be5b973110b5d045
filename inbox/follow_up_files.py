"""The files of follow-ups: handed out as those of messages are, to whoever sees the customer."""

from __future__ import annotations

from customers.follow_ups.queries import FIND, arguments
from inbox.uploads import DownloadQuery
from scrm.errors import NotFound
from scrm.handing_out import hand_out
from scrm.http import Raw, Request, Route
from scrm.permissions import CUSTOMERS_READ


async def content(request: Request, follow_up_id: int, number: int, query: DownloadQuery) -> Raw:
    """The bytes of a file, or a range of them. Raises :class:`NotFound`, also for what the asker may not see."""
    row = await request.services.db.fetchrow(FIND, *arguments(request.principal), follow_up_id)
    if row is None or not 0 <= number < len(row["files"]):
        raise NotFound("There is no such file.")
    return await hand_out(request, row["files"][number], download=query.download)


def api_routes() -> list[Route]:
    path = "/api/follow-ups/{follow_up_id}/files/{number}/content"
    return [
        Route(
            "GET",
            path,
            content,
            CUSTOMERS_READ,
            "A file of a follow-up",
            binary="*/*",
            also=(206, 304),
            errors=(416,),
        )
    ]
