"""Handovers over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from customers.handover import again, report
from customers.handover.begin import begin, preview
from customers.handover.parts import Mover
from customers.handover.shapes import (
    HandoverItemQuery,
    HandoverItems,
    HandoverList,
    HandoverPlan,
    HandoverPreview,
    HandoverQuery,
    HandoverRetried,
    HandoverRetry,
    HandoverView,
    NewHandover,
)
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_ASSIGN


def api_routes(movers: Sequence[Mover]) -> list[Route]:
    async def look_ahead(request: Request, body: HandoverPlan) -> HandoverPreview:
        async with request.services.db.pool.acquire() as tx:
            return await preview(tx, request.principal, request.services.connections, movers, body)

    async def create(request: Request, body: NewHandover) -> Reply[HandoverView]:
        services = request.services
        async with services.work() as work:
            handover_id = await begin(
                work, request.principal, services.connections, movers, body, address=request.address
            )
            view = await report.one_handover(work.tx, request.principal, handover_id)
        return Reply(view, status=201)

    one, assign = "/api/handovers/{handover_id}", CUSTOMERS_ASSIGN
    return [
        Route("POST", "/api/handovers/preview", look_ahead, assign, "What a handover would move, and what it could not", errors=(404,)),
        Route("POST", "/api/handovers", create, assign, "Hand over", status=201, errors=(404,)),
        Route("GET", "/api/handovers", listed, assign, "Handovers, newest first"),
        Route("GET", one, show, assign, "A handover with how far it is"),
        Route("GET", f"{one}/items", items, assign, "What it moves, each with its state and reason"),
        Route("POST", f"{one}/retry", retry, assign, "Ask the platform again", errors=(409,)),
        Route("POST", f"{one}/back", back, assign, "Hand everything back", errors=(409,)),
    ]  # fmt: skip


async def listed(request: Request, query: HandoverQuery) -> HandoverList:
    async with request.services.db.pool.acquire() as tx:
        return await report.handovers(tx, request.principal, query)


async def show(request: Request, handover_id: int) -> HandoverView:
    async with request.services.db.pool.acquire() as tx:
        return await report.one_handover(tx, request.principal, handover_id)


async def items(request: Request, handover_id: int, query: HandoverItemQuery) -> HandoverItems:
    async with request.services.db.pool.acquire() as tx:
        await report.handover_row(tx, request.principal, handover_id)
        return await report.items(tx, handover_id, query)


async def retry(request: Request, handover_id: int, body: HandoverRetry) -> HandoverRetried:
    async with request.services.work() as work:
        connections = request.services.connections
        asked = await again.retry(work, request.principal, connections, handover_id, body, address=request.address)
    return HandoverRetried(asked=asked)


async def back(request: Request, handover_id: int) -> HandoverView:
    async with request.services.work() as work:
        await again.hand_back(work, request.principal, handover_id, address=request.address)
        return await report.one_handover(work.tx, request.principal, handover_id)
