"""What the company is called, and where its day begins."""

from __future__ import annotations

from scrm.company import FACTS, CompanyFacts
from scrm.http import SIGNED_IN, Request, Route
from scrm.permissions import COMPANY_MANAGE
from scrm.trail import record
from scrm.views import View


class CompanyView(View):
    name: str
    zone: str


async def show(request: Request) -> CompanyView:
    facts = await FACTS.load(request.services.db)
    return CompanyView(name=facts.name, zone=facts.zone)


async def change(request: Request, body: CompanyFacts) -> CompanyView:
    async with request.services.work() as work:
        await FACTS.save(work, body, by=request.principal.agent_id)
        await record(work, "company.changed", agent_id=request.principal.agent_id, address=request.address)
    return CompanyView(name=body.name, zone=body.zone)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/company", show, SIGNED_IN, "The company's name and time zone"),
        Route("PATCH", "/api/company", change, COMPANY_MANAGE, "Change them"),
    ]
