"""Who did, saw and exported what. Who reads it leaves a line in it too."""

from __future__ import annotations

from datetime import timedelta

from scrm.http import Request, Route
from scrm.permissions import TRAIL_READ
from scrm.trail import record
from scrm.trail_queries import TrailPage, TrailQuery, trail_page

AGAIN_AFTER = timedelta(minutes=5)
"""The same question within this time is the same look."""
READ = """
select exists (select from audit_event where agent_id = $1 and action = 'trail.read' and at > $2 and detail = $3)
"""


async def trail(request: Request, query: TrailQuery) -> TrailPage:
    me = request.principal.agent_id
    async with request.services.work() as work:
        page = await trail_page(work.tx, query)
        asked = query.model_dump(mode="json", exclude_defaults=True, exclude={"limit", "cursor"})
        if query.cursor is None and not await work.tx.fetchval(READ, me, work.now - AGAIN_AFTER, asked):
            await record(work, "trail.read", agent_id=me, address=request.address, detail=asked)
    return page


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/trail", trail, TRAIL_READ, "Who did, saw and exported what, newest first; leaves a line")
    ]
