"""Imports and exports over HTTP."""

from __future__ import annotations

import csv
import io

from aiohttp import web

from customers.sheets import exporting, importing
from customers.sheets.exporting import ExportList, NewExport, harmless
from customers.sheets.importing import ImportInput, ImportList, ImportView, NewImport
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CUSTOMERS_EXPORT, CUSTOMERS_IMPORT

TOLD = """
select row, outcome, problems, cells from customer_import_row
where import_id = $1 and attempt = (select max(attempt) from customer_import_row where import_id = $1) and row > $2
order by row limit 5000
"""
HEAD = {"zh-CN": ("行号", "结果", "原因"), "en": ("Row", "Outcome", "Why")}
OUTCOMES = {"zh-CN": {"failed": "失败", "skipped": "跳过", "noted": "提示"}, "en": {}}


async def all_imports(request: Request) -> ImportList:
    async with request.services.db.pool.acquire() as tx:
        return await importing.imports(tx, request.principal)


async def take(request: Request, body: NewImport) -> Reply[ImportView]:
    made = await importing.take(request.services, request.principal, body)
    return Reply(await _view(request, made), status=201)


async def one(request: Request, import_id: int) -> ImportView:
    return await _view(request, import_id)


async def check(request: Request, import_id: int, body: ImportInput) -> ImportView:
    async with request.services.work() as work:
        await importing.start(work, request.principal, import_id, body, real=False, address=request.address)
    return await _view(request, import_id)


async def run(request: Request, import_id: int) -> ImportView:
    async with request.services.work() as work:
        await importing.start(work, request.principal, import_id, None, real=True, address=request.address)
    return await _view(request, import_id)


async def cancel(request: Request, import_id: int) -> ImportView:
    async with request.services.work() as work:
        await importing.cancel(work, request.principal, import_id)
    return await _view(request, import_id)


async def errors(request: Request, import_id: int) -> Raw:
    """The rows that were not taken as they were, as csv: what is wrong, and the row itself to be mended."""
    view = await _view(request, import_id)
    language = request.principal.language
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="import-{import_id}-errors.csv"',
            "Cache-Control": "private, no-store",
        }
    )
    await response.prepare(request.raw)
    await response.write(b"\xef\xbb\xbf" + _csv([[*HEAD[language], *view.head]]))
    last = 0
    while rows := await request.services.db.fetch(TOLD, import_id, last):
        last = rows[-1]["row"]
        words = OUTCOMES[language]
        key = "en" if language == "en" else "zh"
        lines = [
            [
                str(row["row"]),
                words.get(row["outcome"], row["outcome"]),
                "; ".join(p[key] for p in row["problems"]),
                *row["cells"],
            ]
            for row in rows
        ]
        await response.write(_csv(lines))
    await response.write_eof()
    return Raw(response)


async def all_exports(request: Request) -> ExportList:
    async with request.services.db.pool.acquire() as tx:
        return await exporting.exports(tx, request.principal)


async def export(request: Request, body: NewExport) -> Reply[ExportList]:
    async with request.services.work() as work:
        await exporting.ask(work, request.principal, body, address=request.address)
        return Reply(await exporting.exports(work.tx, request.principal), status=201)


async def fetch(request: Request, export_id: int) -> Raw:
    async with request.services.work() as work:
        found = await exporting.file_of(work, request.principal, export_id, address=request.address)
    return await hand_out(request, found, download=True)


async def _view(request: Request, import_id: int) -> ImportView:
    async with request.services.db.pool.acquire() as tx:
        return await importing.one_import(tx, request.principal, import_id)


def _csv(lines: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(cell) for cell in line] for line in lines])
    return out.getvalue().encode()


def api_routes() -> list[Route]:
    one_of = "/api/customer-imports/{import_id}"
    octets = "application/octet-stream"
    return [
        Route("GET", "/api/customer-imports", all_imports, CUSTOMERS_IMPORT, "One's own imports, the newest first"),
        Route(
            "POST",
            "/api/customer-imports",
            take,
            CUSTOMERS_IMPORT,
            "Read an uploaded sheet and guess what its columns mean",
            status=201,
            errors=(404,),
        ),
        Route("GET", one_of, one, CUSTOMERS_IMPORT, "How far an import is"),
        Route("POST", f"{one_of}/check", check, CUSTOMERS_IMPORT, "A dry run with these choices", errors=(409,)),
        Route("POST", f"{one_of}/run", run, CUSTOMERS_IMPORT, "Take in what the dry run showed", errors=(409,)),
        Route("POST", f"{one_of}/cancel", cancel, CUSTOMERS_IMPORT, "Stop an import"),
        Route(
            "GET",
            f"{one_of}/errors",
            errors,
            CUSTOMERS_IMPORT,
            "The rows that were not taken, with why",
            binary="text/csv",
        ),
        Route("GET", "/api/customer-exports", all_exports, CUSTOMERS_EXPORT, "One's own exports, the newest first"),
        Route(
            "POST",
            "/api/customer-exports",
            export,
            CUSTOMERS_EXPORT,
            "Export customers into a sheet",
            status=201,
            reason="export",
        ),
        Route(
            "GET",
            "/api/customer-exports/{export_id}/file",
            fetch,
            CUSTOMERS_EXPORT,
            "The sheet of an export",
            binary=octets,
            also=(206, 304),
            errors=(416,),
        ),
    ]
