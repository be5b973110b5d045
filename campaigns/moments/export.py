"""A run of a moment as a sheet, streamed: what became of it with each member."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from aiohttp import web

from campaigns.moments.views import POSTS, found_run
from customers.sheets.exporting import harmless
from scrm.db import Row
from scrm.http import Raw, Request
from scrm.permissions import Language
from scrm.trail import record

CHUNK = 1000
TITLES = {
    "zh-CN": ("成员", "状态", "可见客户", "发表时间", "展示人数", "点赞", "评论", "提醒次数", "平台编号"),
    "en": ("Member", "State", "May see", "Published", "Shown to", "Likes", "Comments", "Reminders", "Platform id"),
}
STATES = {
    "zh-CN": {"planned": "待提交", "asked": "待发表", "published": "已发表", "refused": "平台不接受", "withdrawn": "已撤回",
              "failed": "失败", "uncertain": "未知"},
    "en": {"planned": "planned", "asked": "not published yet", "published": "published", "refused": "refused by the platform",
           "withdrawn": "withdrawn", "failed": "failed", "uncertain": "unknown"},
}  # fmt: skip


async def export(request: Request, run_id: int) -> Raw:
    services = request.services
    run = await found_run(services.db, run_id)
    async with services.work() as work:
        await record(
            work, "moment.exported", agent_id=request.principal.agent_id, object_kind="campaign", object_id=run["campaign_id"],
            address=request.address, detail={"run_id": run_id},
        )  # fmt: skip
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="moment-{run["campaign_id"]}-{run_id}.csv"',
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
        rows = await request.services.db.fetch(POSTS, run_id, last, None, CHUNK)
        if not rows:
            return
        last = rows[-1]["id"]
        yield _lines([_cells(row, language) for row in rows])


def _cells(row: Row, language: Language) -> tuple[str, ...]:
    numbers = [str(row[name]) for name in ("shown", "likes", "comments", "reminders")]
    published = row["published_at"].isoformat(timespec="seconds") if row["published_at"] else ""
    state = STATES[language][row["state"]]
    return row["name"], state, str(row["may_see"]), published, *numbers, row["moment_id"] or ""


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(cell) for cell in row] for row in rows])
    return out.getvalue().encode()
