"""The report of activity over HTTP: whose counts is decided by reach, as in every report."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from customers.activity.report import FIGURES, Activity, activity
from customers.activity.rows import ActivityRows, ActivityRowsQuery, activity_rows
from customers.reports.asking import ReportQuery, asked
from customers.reports.tables import Cell, Table, as_csv, as_xlsx, said
from scrm.db import Tx
from scrm.http import Raw, Request, Route
from scrm.permissions import CUSTOMERS_REPORTS, Language
from scrm.trail import record

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORDS = {
    "follow_ups": ("跟进次数", "Follow-ups"), "touched": ("触达客户", "Customers reached"), "new_customers": ("新增客户", "New customers"),
    "tasks_done": ("完成任务", "Tasks done"), "tasks_overdue": ("逾期任务", "Tasks late"),
}  # fmt: skip


async def show(request: Request, query: ReportQuery) -> Activity:
    now = request.services.clock.now()
    async with request.services.db.pool.acquire() as tx:
        return await activity(tx, await asked(tx, request.principal, query, now), now)


async def rows(request: Request, query: ActivityRowsQuery) -> ActivityRows:
    now = request.services.clock.now()
    async with request.services.db.pool.acquire() as tx:
        return await activity_rows(tx, request.principal, await asked(tx, request.principal, query, now), query, now)


async def csv_file(request: Request, query: ReportQuery) -> Raw:
    return await _file(request, query, "csv", CSV, as_csv)


async def xlsx_file(request: Request, query: ReportQuery) -> Raw:
    return await _file(request, query, "xlsx", XLSX, as_xlsx)


async def _file(request: Request, query: ReportQuery, ending: str, kind: str, write: Callable[[Table], bytes]) -> Raw:
    """Everybody by every stretch of time, as it is on the page; that it was taken is written down."""
    me = request.principal
    async with request.services.work() as work:
        wanted = await asked(work.tx, me, query, work.now)
        made = await table(work.tx, await activity(work.tx, wanted, work.now), me.language)
        await record(
            work, "report.exported", agent_id=me.agent_id, address=request.address,
            detail={"report": "activity", "first": wanted.first.isoformat(), "last": wanted.last.isoformat(), "as": ending},
        )  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="activity.{ending}"', "Cache-Control": "no-store"}
    return Raw(web.Response(body=write(made), content_type=kind, headers=headers))


async def table(tx: Tx, found: Activity, language: Language) -> Table:
    names = {
        row["id"]: row["name"]
        for row in await tx.fetch("select id, name from agent where id = any($1::bigint[])", found.agents)
    }
    cells = {(one.agent_id, one.bucket): one for one in found.cells}
    all_, whole = said(language, "合计", "Total"), said(language, "全部时间", "All days")
    lines: list[list[Cell]] = []
    for agent in [*found.agents, None]:
        for bucket in [*found.buckets, None]:
            cell = cells.get((agent, bucket))
            if cell is not None:
                who = all_ if agent is None else names.get(agent, "")
                when = whole if bucket is None else bucket.isoformat()
                lines.append([who, when, *(getattr(cell, name) for name in FIGURES)])
    columns = [
        said(language, "同事", "Colleague"),
        said(language, "时间", "From"),
        *(said(language, *WORDS[name]) for name in FIGURES),
    ]
    return Table("activity", columns, lines)


def api_routes() -> list[Route]:
    path, may, lost = "/api/reports/activity", CUSTOMERS_REPORTS, (404,)
    return [
        Route("GET", path, show, may, "Who followed up what, by day, week or month", errors=lost),
        Route("GET", f"{path}/rows", rows, may, "The rows behind a figure", errors=lost),
        Route(
            "GET",
            f"{path}/csv",
            csv_file,
            may,
            "The report of activity as text",
            errors=lost,
            binary=CSV,
            reason="export",
        ),
        Route(
            "GET",
            f"{path}/xlsx",
            xlsx_file,
            may,
            "The report of activity as a spreadsheet",
            errors=lost,
            binary=XLSX,
            reason="export",
        ),
    ]
