"""The ledger of a run as a sheet: a million recipients need no more memory than a thousand. Text is streamed as it is read; a workbook is
written row by row into a passing file first, which is how workbooks are. Only recipients whom the asker sees are in it.
"""

from __future__ import annotations

# ruff: noqa: ASYNC230 - a file in the temporary folder, in small pieces
import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

import xlsxwriter
from aiohttp import web

from campaigns.ledger.views import PAGE_OF, find_run
from customers.scope import CustomerScope
from customers.sheets.exporting import harmless
from scrm.db import Row
from scrm.http import Raw, Request
from scrm.trail import record
from scrm.views import Input

CHUNK = 1000
PIECE = 256 << 10
MOST_ROWS = 1_000_000
"""Of one sheet of a workbook, which holds a little more."""
TITLES = {
    "zh-CN": ("收件人", "方式", "账号", "状态", "原因", "计划时间", "发送时间", "回复时间", "新跟进时间", "次数", "平台编号"),
    "en": ("Recipient", "Way", "Account", "State", "Reason", "Due", "Sent", "Replied", "Follow-up", "Attempts", "Platform id"),
}  # fmt: skip
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ExportQuery(Input):
    format: Literal["csv", "xlsx"] = "csv"


async def export(request: Request, run_id: int, query: ExportQuery) -> Raw:
    services = request.services
    run = await find_run(services.db, run_id)
    async with services.work() as work:
        await record(
            work, "campaign.exported", agent_id=request.principal.agent_id, object_kind="campaign", object_id=run["campaign_id"],
            address=request.address, detail={"run_id": run_id, "format": query.format},
        )  # fmt: skip
    response = web.StreamResponse(
        headers={
            "Content-Type": TYPES[query.format],
            "Content-Disposition": f'attachment; filename="campaign-{run["campaign_id"]}-{run_id}.{query.format}"',
            "Cache-Control": "no-store",
        }
    )
    pieces = _text(request, run_id) if query.format == "csv" else _workbook(request, run_id)
    await response.prepare(request.raw)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return Raw(response)


async def _text(request: Request, run_id: int) -> AsyncIterator[bytes]:
    yield "\ufeff".encode() + _lines([TITLES[request.principal.language]])
    async for rows in _rows(request, run_id):
        yield _lines(rows)


async def _workbook(request: Request, run_id: int) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.xlsx")
        book = _Book(path, TITLES[request.principal.language])
        async for rows in _rows(request, run_id):
            await asyncio.to_thread(book.add, rows)
        await asyncio.to_thread(book.close)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


class _Book:
    """Each row leaves the memory when the next one is written."""

    def __init__(self, path: Path, titles: Sequence[str]) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._titles = titles
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._row = 0
        self._write(self._titles)

    def _write(self, cells: Sequence[str]) -> None:
        for place, one in enumerate(cells):
            if one:
                self._sheet.write_string(self._row, place, one[:32_000])
        self._row += 1

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        for cells in rows:
            if self._row > MOST_ROWS:
                self._begin()
            self._write(cells)

    def close(self) -> None:
        self._book.close()


async def _rows(request: Request, run_id: int) -> AsyncIterator[list[tuple[str, ...]]]:
    scope = CustomerScope.of(request.principal)
    last = 0
    while True:
        rows = await request.services.db.fetch(PAGE_OF, *scope.arguments, run_id, last, None, None, None, CHUNK)
        if not rows:
            return
        last = rows[-1]["id"]
        yield [_cells(row) for row in rows]


def _cells(row: Row) -> tuple[str, ...]:
    times = [
        row[name].isoformat(timespec="seconds") if row[name] else ""
        for name in ("due_at", "sent_at", "replied_at", "followed_at")
    ]
    return (
        row["name"],
        row["way"],
        row["account"],
        row["state"],
        row["reason"],
        *times,
        str(row["attempt"]),
        row["platform_id"] or "",
    )


def _lines(rows: Sequence[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(cell) for cell in row] for row in rows])
    return out.getvalue().encode()
