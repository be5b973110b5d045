"""Codes over HTTP."""

from __future__ import annotations

from customers.codes.members import MakerList, maker_list
from customers.codes.picture import picture
from customers.codes.queries import (
    ArrivalPage,
    ArrivalQuery,
    CodeDetail,
    CodePage,
    CodeQuery,
    list_codes,
    one_code,
    who_came,
)
from customers.codes.write import ContactCodeInput, add_code, archive_code, change_code, try_again
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CODES_MANAGE
from scrm.views import Input


class PictureQuery(Input):
    download: bool = False


async def codes(request: Request, query: CodeQuery) -> CodePage:
    async with request.services.db.pool.acquire() as tx:
        return await list_codes(tx, query, request.services.clock.now())


async def makers(request: Request) -> MakerList:
    async with request.services.db.pool.acquire() as tx:
        return await maker_list(tx, request.services.connections)


async def show(request: Request, code_id: int) -> CodeDetail:
    async with request.services.db.pool.acquire() as tx:
        return await one_code(tx, code_id, request.services.clock.now())


async def arrivals(request: Request, code_id: int, query: ArrivalQuery) -> ArrivalPage:
    async with request.services.db.pool.acquire() as tx:
        return await who_came(tx, request.principal, code_id, query)


async def add(request: Request, body: ContactCodeInput) -> Reply[CodeDetail]:
    services = request.services
    async with services.work() as work:
        made = await add_code(work, services.connections, request.principal, body, address=request.address)
        return Reply(await one_code(work.tx, made, work.now), status=201)


async def change(request: Request, code_id: int, body: ContactCodeInput) -> CodeDetail:
    services = request.services
    async with services.work() as work:
        await change_code(work, services.connections, request.principal, code_id, body, address=request.address)
        return await one_code(work.tx, code_id, work.now)


async def archive(request: Request, code_id: int) -> CodeDetail:
    async with request.services.work() as work:
        await archive_code(work, request.principal, code_id, address=request.address)
        return await one_code(work.tx, code_id, work.now)


async def again(request: Request, code_id: int) -> CodeDetail:
    async with request.services.work() as work:
        await try_again(work, code_id)
        return await one_code(work.tx, code_id, work.now)


async def show_picture(request: Request, code_id: int, query: PictureQuery) -> Raw:
    return Raw(await picture(request.services.db, code_id, download=query.download))


def api_routes() -> list[Route]:
    one, manage = "/api/codes/{code_id}", CODES_MANAGE
    return [
        Route("GET", "/api/codes", codes, manage, "Codes that customers scan, newest first, with their numbers"),
        Route("GET", "/api/codes/makers", makers, manage, "Where codes can be made, and whom they may add"),
        Route("POST", "/api/codes", add, manage, "Make a code; the platform is told in a moment", status=201, errors=(409,)),
        Route("GET", one, show, manage, "One code with its greeting and its last days"),
        Route("PATCH", one, change, manage, "Change a code: the whole of it is given", errors=(409,)),
        Route("POST", f"{one}/archive", archive, manage, "Put a code away: it no longer works where it hangs"),
        Route("POST", f"{one}/retry", again, manage, "Tell the platform once more what it refused"),
        Route("GET", f"{one}/arrivals", arrivals, manage, "Who came by a code, newest first"),
        Route("GET", f"{one}/picture", show_picture, manage, "The picture to scan", errors=(409,), binary="image/png"),
    ]  # fmt: skip
