"""Audiences over HTTP: what would happen, to whom."""

from __future__ import annotations

from campaigns.audience import holds
from campaigns.audience.dry_run import DryPeople, DryRun, PeopleQuery, dry_run, people
from scrm.http import Request, Route
from scrm.permissions import CAMPAIGNS_READ, CAMPAIGNS_WRITE


async def try_out(request: Request, campaign_id: int) -> DryRun:
    return await dry_run(request.services, campaign_id)


async def who(request: Request, campaign_id: int, query: PeopleQuery) -> DryPeople:
    return await people(request.services, request.principal, campaign_id, query)


def api_routes() -> list[Route]:
    path = "/api/campaigns/{campaign_id}/dry-run"
    return [
        Route(
            "POST",
            path,
            try_out,
            CAMPAIGNS_WRITE,
            "Whom a campaign would reach, and whom not and why",
            errors=(422, 503),
        ),
        Route(
            "GET",
            f"{path}/people",
            who,
            CAMPAIGNS_READ,
            "Those whom it would reach, or leave out for one reason",
            errors=(422, 503),
        ),
        *holds.api_routes(),
    ]
