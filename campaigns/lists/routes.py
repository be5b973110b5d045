"""Lists of people over HTTP."""

from __future__ import annotations

import csv
import io

from aiohttp import web

from campaigns.lists import reads, write
from campaigns.lists.reads import ListDetail, ListPage, ListQuery
from campaigns.lists.write import NewList
from customers.sheets.exporting import harmless
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CAMPAIGNS_READ, CAMPAIGNS_WRITE
from scrm.undo import undoable

CHUNK = 2000
TITLES = {"zh-CN": ("行号", "没有找到"), "en": ("Line", "Not found")}


async def lists(request: Request, query: ListQuery) -> ListPage:
    async with request.services.db.pool.acquire() as tx:
        return await reads.page(tx, query)


async def show(request: Request, list_id: int) -> ListDetail:
    async with request.services.db.pool.acquire() as tx:
        return await reads.one(tx, request.principal, list_id)


async def add(request: Request, body: NewList) -> Reply[ListDetail]:
    lines = await write.read(request.services, request.principal, body)
    async with request.services.work() as work:
        made, new = await write.store(work, request.principal, body, lines, address=request.address)
        return Reply(await reads.one(work.tx, request.principal, made), status=201 if new else 200)


async def delete(request: Request, list_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await write.delete(work, request.principal, list_id, address=request.address)
    return undoable(None, step, status=204)


async def missing(request: Request, list_id: int) -> Raw:
    """Every line that named nobody, streamed."""
    async with request.services.db.pool.acquire() as tx:
        await reads.one(tx, request.principal, list_id)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="list-{list_id}-not-found.csv"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request.raw)
    await response.write("\ufeff".encode() + _csv([TITLES[request.principal.language]]))
    last = 0
    while rows := await reads.missing(request.services.db, request.principal, list_id, last, CHUNK):
        last = rows[-1].number
        await response.write(_csv([(str(row.number), row.text) for row in rows]))
    await response.write_eof()
    return Raw(response)


def _csv(lines: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(cell) for cell in line] for line in lines])
    return out.getvalue().encode()


def api_routes() -> list[Route]:
    base, one_of = "/api/campaign-lists", "/api/campaign-lists/{list_id}"
    see, may = CAMPAIGNS_READ, CAMPAIGNS_WRITE
    return [
        Route("GET", base, lists, see, "Lists of people for campaigns, the newest first"),
        Route("POST", base, add, may, "Upload, paste or pick a list: whom it names is found", status=201, also=(200,),
              errors=(404, 409)),
        Route("GET", one_of, show, see, "One list, with the first lines that named nobody"),
        Route("DELETE", one_of, delete, may, "Delete it; campaigns that were written for it keep its people", status=204),
        Route("GET", f"{one_of}/missing", missing, see, "All lines that named nobody", binary="text/csv"),
    ]  # fmt: skip
