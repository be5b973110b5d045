"""The ledger of a run as a sheet, streamed: a million recipients need no more memory than a thousand."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from aiohttp import web

from campaigns.ledger.views import PAGE_OF, find_run
from customers.sheets.exporting import harmless
from scrm.db import Row
from scrm.http import Raw, Request
from scrm.permissions import Language
from scrm.trail import record

CHUNK = 1000
TITLES = {
    "zh-CN": ("收件人", "方式", "账号", "状态", "原因", "计划时间", "发送时间", "回复时间", "新跟进时间", "次数", "平台编号"),
    "en": ("Recipient", "Way", "Account", "State", "Reason", "Due", "Sent", "Replied", "Follow-up", "Attempts", "Platform id"),
}  # fmt: skip


async def export(request: Request, run_id: int) -> Raw:
    services = request.services
    run = await find_run(services.db, run_id)
    async with services.work() as work:
        await record(
            work, "campaign.exported", agent_id=request.principal.agent_id, object_kind="campaign", object_id=run["campaign_id"],
            address=request.address, detail={"run_id": run_id},
        )  # fmt: skip
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="campaign-{run["campaign_id"]}-{run_id}.csv"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request.raw)
    async for piece in _pieces(request, run_id, request.principal.language):
        await response.write(piece)
    await response.write_eof()
    return Raw(response)


async def _pieces(request: Request, run_id: int, language: Language) -> AsyncIterator[bytes]:
    yield "\ufeff".encode() + _lines([TITLES[language]])
    last = 0
    while True:
        rows = await request.services.db.fetch(PAGE_OF, run_id, last, None, None, None, CHUNK)
        if not rows:
            return
        last = rows[-1]["id"]
        yield _lines([_cells(row) for row in rows])


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


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(cell) for cell in row] for row in rows])
    return out.getvalue().encode()
