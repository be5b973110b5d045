"""Invite lists over HTTP: for those who plan, and each employee's own share of today."""

from __future__ import annotations

from campaigns.invites import reads, share, write
from campaigns.invites.reads import BatchDetail, BatchPage, BatchQuery, NumberPage, NumberQuery
from campaigns.invites.share import OutcomeInput, ShareOfToday
from campaigns.invites.write import ListInput, NewBatch, PreviewView
from scrm.http import Reply, Request, Route
from scrm.permissions import CAMPAIGNS_READ, CAMPAIGNS_WRITE, CUSTOMERS_WRITE


async def batches(request: Request, query: BatchQuery) -> BatchPage:
    async with request.services.db.pool.acquire() as tx:
        return await reads.batches(tx, query)


async def show(request: Request, batch_id: int) -> BatchDetail:
    async with request.services.db.pool.acquire() as tx:
        return await reads.detail(tx, batch_id)


async def numbers(request: Request, batch_id: int, query: NumberQuery) -> NumberPage:
    async with request.services.db.pool.acquire() as tx:
        return await reads.numbers(tx, request.principal, batch_id, query)


async def preview(request: Request, body: ListInput) -> PreviewView:
    return await write.preview(request.services, request.principal, body)


async def add(request: Request, body: NewBatch) -> Reply[BatchDetail]:
    async with request.services.work() as work:
        made, new = await write.create(request.services, work, request.principal, body, address=request.address)
        return Reply(await reads.detail(work.tx, made), status=201 if new else 200)


async def end(request: Request, batch_id: int) -> BatchDetail:
    async with request.services.work() as work:
        await write.end(work, request.principal, batch_id, address=request.address)
        return await reads.detail(work.tx, batch_id)


async def mine(request: Request) -> ShareOfToday:
    async with request.services.db.pool.acquire() as tx:
        return await share.today(tx, request.principal, request.services.clock.now())


async def copied(request: Request, invite_id: int) -> None:
    async with request.services.work() as work:
        await share.copied(work, request.principal, invite_id, address=request.address)


async def say(request: Request, invite_id: int, body: OutcomeInput) -> ShareOfToday:
    async with request.services.work() as work:
        await share.say(work, request.principal, invite_id, body)
        return await share.today(work.tx, request.principal, work.now)


def api_routes() -> list[Route]:
    base, one_of = "/api/invite-batches", "/api/invite-batches/{batch_id}"
    see, may, own = CAMPAIGNS_READ, CAMPAIGNS_WRITE, CUSTOMERS_WRITE
    return [
        Route("GET", base, batches, see, "Lists of numbers to add, the newest first"),
        Route("POST", f"{base}/preview", preview, may, "What would happen to each line, and who would add it when", errors=(404,)),
        Route("POST", base, add, may, "Store a list and split it over people and days", status=201, also=(200,), errors=(404,)),
        Route("GET", one_of, show, see, "One list: how many accepted, by employee and day"),
        Route("GET", f"{one_of}/numbers", numbers, see, "Its numbers, masked for those who may not read them"),
        Route("POST", f"{one_of}/end", end, may, "End it: what was not added yet is taken off", errors=(409,)),
        Route("GET", "/api/invites/today", mine, own, "One's own share of today, with the numbers in full"),
        Route("POST", "/api/invites/{invite_id}/copied", copied, own, "A number was copied: written to the trail", status=204),
        Route("POST", "/api/invites/{invite_id}/outcome", say, own, "What came of it"),
    ]  # fmt: skip
