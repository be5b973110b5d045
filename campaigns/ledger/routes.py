"""The ledger over HTTP."""

from __future__ import annotations

from campaigns.ledger import acts, views
from campaigns.ledger.acts import Reminded, Tried
from campaigns.ledger.export import export
from campaigns.ledger.views import ComparedList, CompareQuery, DeliveryPage, DeliveryQuery, RunList, RunProgress
from scrm.http import Request, Route
from scrm.permissions import CAMPAIGNS_READ, CAMPAIGNS_WRITE


async def runs(request: Request, campaign_id: int) -> RunList:
    return await views.runs(request.services.db, campaign_id)


async def progress(request: Request, run_id: int) -> RunProgress:
    async with request.services.db.pool.acquire() as tx:
        return await views.progress(tx, run_id, request.services.clock.now())


async def deliveries(request: Request, run_id: int, query: DeliveryQuery) -> DeliveryPage:
    async with request.services.db.pool.acquire() as tx:
        return await views.deliveries(tx, request.principal, run_id, query)


async def compare(request: Request, query: CompareQuery) -> ComparedList:
    async with request.services.db.pool.acquire() as tx:
        return await views.compare(tx, query)


async def retry(request: Request, run_id: int) -> Tried:
    async with request.services.work() as work:
        return await acts.retry(work, request.principal, run_id, address=request.address)


async def remind(request: Request, run_id: int) -> Reminded:
    return await acts.remind(request.services, request.principal, run_id, address=request.address)


def api_routes() -> list[Route]:
    run = "/api/campaign-runs/{run_id}"
    return [
        Route("GET", "/api/campaigns/compare", compare, CAMPAIGNS_READ, "Campaigns side by side", errors=(422,)),
        Route("GET", "/api/campaigns/{campaign_id}/runs", runs, CAMPAIGNS_READ, "The times that a campaign was due"),
        Route("GET", run, progress, CAMPAIGNS_READ, "How far a run is"),
        Route("GET", f"{run}/deliveries", deliveries, CAMPAIGNS_READ, "The recipients of a run", errors=(422,)),
        Route("POST", f"{run}/retry", retry, CAMPAIGNS_WRITE, "Try failed recipients again", errors=(409,)),
        Route("POST", f"{run}/remind", remind, CAMPAIGNS_WRITE, "Remind members who did not confirm", errors=(409,)),
        Route(
            "GET",
            f"{run}/export",
            export,
            CAMPAIGNS_READ,
            "The recipients of a run as a sheet",
            binary="text/csv",
            reason="export",
        ),
    ]
