"""Saved posts over HTTP."""

from __future__ import annotations

from campaigns.library import write
from campaigns.library.views import SavedContent, SavedPage, SavedQuery, one, page
from campaigns.library.write import Approval, NewSaved, SavedChange, Taking
from campaigns.life import content
from campaigns.life.rows import CampaignView
from campaigns.life.rows import one as one_campaign
from scrm.errors import NotFound
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CAMPAIGNS_APPROVE, CAMPAIGNS_READ, CAMPAIGNS_WRITE
from scrm.undo import undoable


async def contents(request: Request, query: SavedQuery) -> SavedPage:
    async with request.services.db.pool.acquire() as tx:
        return await page(tx, query, request.services.clock.now())


async def show(request: Request, content_id: int) -> SavedContent:
    async with request.services.db.pool.acquire() as tx:
        return await one(tx, request.principal, content_id, request.services.clock.now())


async def add(request: Request, body: NewSaved) -> Reply[SavedContent]:
    async with request.services.work() as work:
        made = await write.save(request.services, work, request.principal, body, address=request.address)
        return Reply(await one(work.tx, request.principal, made, work.now), status=201)


async def change(request: Request, content_id: int, body: SavedChange) -> SavedContent:
    async with request.services.work() as work:
        await write.change(request.services, work, request.principal, content_id, body, address=request.address)
        return await one(work.tx, request.principal, content_id, work.now)


async def approve(request: Request, content_id: int, body: Approval) -> SavedContent:
    async with request.services.work() as work:
        await write.approve(work, request.principal, content_id, body, address=request.address)
        return await one(work.tx, request.principal, content_id, work.now)


async def delete(request: Request, content_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await write.delete(work, request.principal, content_id, address=request.address)
    return undoable(None, step, status=204)


async def take(request: Request, campaign_id: int, body: Taking) -> CampaignView:
    async with request.services.work() as work:
        await write.take(work, request.principal, campaign_id, body, address=request.address)
        return await one_campaign(work.tx, request.principal, campaign_id, work.now)


async def file(request: Request, content_id: int, version: int, which: str, number: int) -> Raw:
    """``which``: ``post`` or a channel with words of its own."""
    async with request.services.work() as work:
        said = content.of_place(await write.version_of(work, content_id, version), which)
    parts = said.parts if said is not None else ()
    held = parts[number - 1].file if 1 <= number <= len(parts) else None
    if held is None:
        raise NotFound("There is no such file.")
    return await hand_out(request, held.model_dump())


def api_routes() -> list[Route]:
    base, one_of = "/api/campaign-contents", "/api/campaign-contents/{content_id}"
    may, see, clash = CAMPAIGNS_WRITE, CAMPAIGNS_READ, (409,)
    return [
        Route("GET", base, contents, see, "Saved posts, the latest changed first"),
        Route("POST", base, add, may, "Save a post to be used again", status=201, errors=(404,)),
        Route("GET", one_of, show, see, "One of them, with its versions"),
        Route("PATCH", one_of, change, may, "Change what is given; new words are a new version", errors=clash),
        Route("DELETE", one_of, delete, may, "Delete it; campaigns keep its words", status=204),
        Route("POST", f"{one_of}/approve", approve, CAMPAIGNS_APPROVE, "Approve its newest version", errors=clash),
        Route("GET", f"{one_of}/versions/{{version}}/files/{{which}}/{{number}}", file, see, "A file of its attachments",
              also=(206, 304), errors=(416,), binary="application/octet-stream"),
        Route("POST", "/api/campaigns/{campaign_id}/use", take, may, "Take the approved words of a saved post", errors=clash),
    ]  # fmt: skip
