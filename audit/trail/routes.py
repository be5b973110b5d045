"""The trail as a sheet, with a line of its own in it."""

from __future__ import annotations

# ruff: noqa: ASYNC230 - a file in the temporary folder, in small pieces
import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import orjson
import xlsxwriter
from aiohttp import web
from pydantic import Field

from audit.trail.words import TITLES, said
from audit.watermark import csv_row, mark_of, mark_sheet
from customers.sheets.exporting import harmless
from scrm.company import FACTS, CompanyFacts
from scrm.db import Row
from scrm.http import Raw, Request, Route
from scrm.permissions import TRAIL_READ, Language
from scrm.trail import record
from scrm.trail_queries import TrailQuery, cursor_of, trail_rows

PAGE = 1000
MOST = 1_000_000
PIECE = 256 << 10
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class TrailFileQuery(TrailQuery):
    limit: Annotated[int, Field(ge=1, le=MOST)] = MOST
    format: Literal["csv", "xlsx"] = "csv"


async def export(request: Request, query: TrailFileQuery) -> Raw:
    services, me = request.services, request.principal
    async with services.work() as work:
        company = await FACTS.load(work.tx)
        names = {row["id"]: row["name"] for row in await work.tx.fetch("select id, name from agent")}
        await record(
            work, "trail.exported", agent_id=me.agent_id, address=request.address,
            detail=query.model_dump(mode="json", exclude_defaults=True, exclude={"cursor"}) | {"format": query.format},
        )  # fmt: skip
        now = work.now
    mark = mark_of(me, company, now)
    response = web.StreamResponse(
        headers={
            "Content-Type": TYPES[query.format],
            "Content-Disposition": f'attachment; filename="trail-{now:%Y%m%d}.{query.format}"',
            "Cache-Control": "no-store",
        }
    )
    make = _text if query.format == "csv" else _workbook
    await response.prepare(request.raw)
    async for piece in make(_lines(request, query, names, company), me.language, mark):
        await response.write(piece)
    await response.write_eof()
    return Raw(response)


async def _lines(
    request: Request, query: TrailFileQuery, names: Mapping[int, str], company: CompanyFacts
) -> AsyncIterator[list[list[str]]]:
    left, cursor, language = query.limit, query.cursor, request.principal.language
    while left > 0:
        step = TrailQuery(
            **query.model_dump(exclude={"format", "limit", "cursor"}), cursor=cursor, limit=min(left, 200)
        )
        async with request.services.db.pool.acquire() as tx:
            rows = await trail_rows(tx, step)
        kept = rows[: step.limit]
        if kept:
            yield [_cells(row, names, company, language) for row in kept]
        if len(rows) == len(kept):
            return
        left, cursor = left - len(kept), cursor_of(kept[-1])


def _cells(row: Row, names: Mapping[int, str], company: CompanyFacts, language: Language) -> list[str]:
    thing = f"{row['object_kind']} #{row['object_id']}" if row["object_id"] is not None else row["object_kind"]
    who = names.get(row["agent_id"], "") if row["agent_id"] is not None else ""
    return [
        str(row["id"]),
        row["at"].astimezone(company.clock).isoformat(sep=" ", timespec="seconds"),
        who,
        said(row["action"], language),
        row["action"],
        thing,
        row["address"],
        orjson.dumps(row["detail"]).decode() if row["detail"] else "",
    ]


async def _text(pages: AsyncIterator[list[list[str]]], language: Language, mark: str) -> AsyncIterator[bytes]:
    yield b"\xef\xbb\xbf" + _csv([TITLES[language]])
    async for rows in pages:
        yield _csv([[harmless(cell) for cell in row] for row in rows])
    yield _csv([csv_row(mark, len(TITLES[language]))])


async def _workbook(pages: AsyncIterator[list[list[str]]], language: Language, mark: str) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trail.xlsx")
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(str(path), options)
        sheet = book.add_worksheet()
        mark_sheet(sheet, mark)
        sheet.write_row(0, 0, TITLES[language])
        at = 0
        async for rows in pages:
            for row in rows:
                at += 1
                for column, cell in enumerate(row):
                    sheet.write_string(at, column, cell[:32_000])
        sheet.write_string(at + 1, 0, csv_row(mark, 1)[0])
        await asyncio.to_thread(book.close)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def api_routes() -> list[Route]:
    return [
        Route(
            "GET", "/api/trail/export", export, TRAIL_READ, "The trail as a sheet, marked with who took it",
            binary="text/csv", reason="export",
        ),
    ]  # fmt: skip
