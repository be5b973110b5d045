"""What the company is called, and where its day begins: everybody reads it, whoever manages the inbox changes it there."""

from __future__ import annotations

from scrm.company import FACTS
from scrm.http import SIGNED_IN, Request, Route
from scrm.views import View


class CompanyView(View):
    name: str
    zone: str


async def show(request: Request) -> CompanyView:
    facts = await FACTS.load(request.services.db)
    return CompanyView(name=facts.name, zone=facts.zone)


def api_routes() -> list[Route]:
    return [Route("GET", "/api/company", show, SIGNED_IN, "The company's name and time zone")]
