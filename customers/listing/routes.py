"""The list of customers over HTTP."""

from __future__ import annotations

from customers.listing.counting import CountView
from customers.listing.search import CountQuery, CustomerPage, SearchQuery, counted, search
from scrm.http import Request, Route
from scrm.permissions import CUSTOMERS_READ


async def find(request: Request, body: SearchQuery) -> CustomerPage:
    services = request.services
    return await search(services.db, request.principal, body, services.clock.now())


async def how_many(request: Request, body: CountQuery) -> CountView:
    services = request.services
    return await counted(services.db, request.principal, body, services.clock.now())


def api_routes() -> list[Route]:
    return [
        Route(
            "POST",
            "/api/customers/search",
            find,
            CUSTOMERS_READ,
            "A page of customers by any filter, in the order of up to four keys",
        ),
        Route("POST", "/api/customers/count", how_many, CUSTOMERS_READ, "How many customers fit a filter"),
    ]
