"""Who did, saw and exported what."""

from __future__ import annotations

from scrm.http import Request, Route
from scrm.permissions import TRAIL_READ
from scrm.trail_queries import TrailPage, TrailQuery, trail_page


async def trail(request: Request, query: TrailQuery) -> TrailPage:
    async with request.services.db.pool.acquire() as tx:
        return await trail_page(tx, query)


def api_routes() -> list[Route]:
    return [Route("GET", "/api/trail", trail, TRAIL_READ, "Who did, saw and exported what, newest first")]
