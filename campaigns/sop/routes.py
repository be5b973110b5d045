"""Plans of following up over HTTP: for those who make them, and of one customer."""

from __future__ import annotations

from campaigns.sop import by_hand, reads, write
from campaigns.sop.by_hand import ByHand
from campaigns.sop.views import (
    CustomerSops,
    EntryPage,
    EntryQuery,
    Matching,
    SopDetail,
    SopPage,
    SopQuery,
)
from campaigns.sop.write import Enabling, NewSop, SopChange
from scrm.http import Reply, Request, Route
from scrm.permissions import CAMPAIGNS_READ, CAMPAIGNS_WRITE, CUSTOMERS_READ, CUSTOMERS_WRITE
from scrm.undo import undoable


async def sops(request: Request, query: SopQuery) -> SopPage:
    async with request.services.db.pool.acquire() as tx:
        return await reads.page(tx, query)


async def show(request: Request, sop_id: int) -> SopDetail:
    async with request.services.db.pool.acquire() as tx:
        return await reads.detail(tx, sop_id)


async def add(request: Request, body: NewSop) -> Reply[SopDetail]:
    async with request.services.work() as work:
        made, new = await write.create(work, request.principal, body, address=request.address)
        return Reply(await reads.detail(work.tx, made), status=201 if new else 200)


async def change(request: Request, sop_id: int, body: SopChange) -> SopDetail:
    async with request.services.work() as work:
        await write.change(work, request.principal, sop_id, body, address=request.address)
        return await reads.detail(work.tx, sop_id)


async def delete(request: Request, sop_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await write.delete(work, request.principal, sop_id, address=request.address)
    return undoable(None, step, status=204)


async def matching(request: Request, sop_id: int) -> Matching:
    async with request.services.work() as work:
        return Matching(n=await write.matching(work, sop_id))


async def enable(request: Request, sop_id: int, body: Enabling) -> SopDetail:
    async with request.services.work() as work:
        await write.enable(work, request.principal, sop_id, body, address=request.address)
        return await reads.detail(work.tx, sop_id)


async def disable(request: Request, sop_id: int) -> SopDetail:
    async with request.services.work() as work:
        await write.disable(work, request.principal, sop_id, address=request.address)
        return await reads.detail(work.tx, sop_id)


async def entries(request: Request, sop_id: int, query: EntryQuery) -> EntryPage:
    async with request.services.db.pool.acquire() as tx:
        return await reads.people(tx, request.principal, sop_id, query)


async def of_customer(request: Request, customer_id: int) -> CustomerSops:
    async with request.services.db.pool.acquire() as tx:
        return await reads.of_customer(tx, request.principal, customer_id)


async def begin(request: Request, customer_id: int, body: ByHand) -> Reply[CustomerSops]:
    async with request.services.work() as work:
        new = await by_hand.begin_by_hand(work, request.principal, customer_id, body)
        return Reply(await reads.of_customer(work.tx, request.principal, customer_id), status=201 if new else 200)


async def stop(request: Request, entry_id: int) -> CustomerSops:
    async with request.services.work() as work:
        customer_id = await by_hand.stop_by_hand(work, request.principal, entry_id)
        return await reads.of_customer(work.tx, request.principal, customer_id)


def api_routes() -> list[Route]:
    base, one_of, his = "/api/sops", "/api/sops/{sop_id}", "/api/customers/{customer_id}/sops"
    see, may = CAMPAIGNS_READ, CAMPAIGNS_WRITE
    return [
        Route("GET", base, sops, see, "Follow-up plans, the newest first"),
        Route("POST", base, add, may, "Make a plan, switched off", status=201, also=(200,)),
        Route("GET", one_of, show, see, "One plan and what came of it"),
        Route("PATCH", one_of, change, may, "Change a plan: who is under way goes on as it was", errors=(409,)),
        Route("DELETE", one_of, delete, may, "Put a plan away: its steps stop", status=204),
        Route("POST", f"{one_of}/matching", matching, see, "How many customers fit now and are not under way", errors=(422,)),
        Route("POST", f"{one_of}/enable", enable, may, "Switch a plan on, also for those who fit already"),
        Route("POST", f"{one_of}/disable", disable, may, "Switch a plan off: nobody begins, and no step is done"),
        Route("GET", f"{one_of}/entries", entries, see, "The customers in it whom one sees, the latest first"),
        Route("GET", his, of_customer, CUSTOMERS_READ, "The plans that a customer is or was in"),
        Route("POST", his, begin, CUSTOMERS_WRITE, "Begin a plan for a customer by hand", status=201, also=(200,), errors=(409,)),
        Route("POST", "/api/sop-entries/{entry_id}/stop", stop, CUSTOMERS_WRITE, "End a plan for a customer by hand", errors=(409,)),
    ]  # fmt: skip
