"""Owners over HTTP: give, drop, claim, share, and what one customer's menu shows."""

from __future__ import annotations

from customers.owner_acts import (
    ClaimDone,
    ClaimInput,
    OwnerDone,
    OwnerInput,
    ShareInput,
    claim_some,
    set_owner,
    share_some,
)
from customers.ownership import OwnershipView, ownership
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_WRITE
from scrm.undo import undoable


async def show(request: Request, customer_id: int) -> OwnershipView:
    async with request.services.db.pool.acquire() as tx:
        return await ownership(tx, request.principal, customer_id, request.services.clock.now())


async def owner(request: Request, body: OwnerInput) -> Reply[OwnerDone]:
    async with request.services.work() as work:
        done, step = await set_owner(work, request.principal, body, address=request.address)
    return undoable(done, step)


async def claims(request: Request, body: ClaimInput) -> Reply[ClaimDone]:
    async with request.services.work() as work:
        done, step = await claim_some(work, request.principal, body.ids)
    return undoable(done, step)


async def shares(request: Request, body: ShareInput) -> Reply[OwnerDone]:
    async with request.services.work() as work:
        done, step = await share_some(work, request.principal, body, address=request.address)
    return undoable(done, step)


def api_routes() -> list[Route]:
    return [
        Route(
            "GET", "/api/customers/{customer_id}/ownership", show, CUSTOMERS_READ,
            "Who has a customer, who had it, with whom it is shared, and what one may do about that",
        ),
        Route(
            "POST", "/api/customers/owner", owner, CUSTOMERS_WRITE,
            "Give customers to somebody, or put them into the public pool", errors=(404,),
        ),
        Route(
            "POST", "/api/customers/claim", claims, CUSTOMERS_WRITE,
            "Take customers that are nobody's, as far as the limits reach",
        ),
        Route(
            "POST", "/api/customers/share", shares, CUSTOMERS_WRITE, "Share customers with colleagues, or end it",
            errors=(404,),
        ),
    ]  # fmt: skip
