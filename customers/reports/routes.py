"""Reports over HTTP. Whose customers count is decided by reach: without ``all``, those of oneself and of one's teams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, model_validator

from customers.reports import queries
from customers.reports.asking import ReportQuery, asked
from customers.reports.queries import FunnelReport, GrowthReport, SourceReport, SpreadQuery, SpreadReport
from customers.reports.tables import Table, as_csv, as_xlsx, table
from scrm.http import Raw, Request, Route
from scrm.permissions import CUSTOMERS_REPORTS
from scrm.trail import record

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FileQuery(ReportQuery):
    """``by`` as of the spread."""

    report: Literal["growth", "sources", "funnel", "spread"]
    by: Annotated[str, Field(pattern=r"^(owner|stage|tag|city|source|gender|fields\.f[0-9a-z]{1,20})?$")] = ""

    @model_validator(mode="after")
    def _complete(self) -> FileQuery:
        if self.report == "spread" and not self.by:
            raise ValueError("Say by what: by=city for instance.")
        return self


async def growth(request: Request, query: ReportQuery) -> GrowthReport:
    async with request.services.db.pool.acquire() as tx:
        return await queries.growth(tx, await asked(tx, request.principal, query, request.services.clock.now()))


async def sources(request: Request, query: ReportQuery) -> SourceReport:
    async with request.services.db.pool.acquire() as tx:
        return await queries.sources(tx, await asked(tx, request.principal, query, request.services.clock.now()))


async def funnel(request: Request, query: ReportQuery) -> FunnelReport:
    async with request.services.db.pool.acquire() as tx:
        return await queries.funnel(tx, await asked(tx, request.principal, query, request.services.clock.now()))


async def spread(request: Request, query: SpreadQuery) -> SpreadReport:
    async with request.services.db.pool.acquire() as tx:
        return await queries.spread(
            tx, await asked(tx, request.principal, query, request.services.clock.now()), query.by
        )


async def csv_file(request: Request, query: FileQuery) -> Raw:
    return await _file(request, query, "csv", CSV, as_csv)


async def xlsx_file(request: Request, query: FileQuery) -> Raw:
    return await _file(request, query, "xlsx", XLSX, as_xlsx)


async def _file(request: Request, query: FileQuery, ending: str, kind: str, write: Callable[[Table], bytes]) -> Raw:
    async with request.services.work() as work:
        period = await asked(work.tx, request.principal, query, work.now)
        made = await table(work.tx, period, query.report, query.by, request.principal.language)
        await record(
            work, "report.exported", agent_id=request.principal.agent_id, address=request.address,
            detail={"report": made.name, "first": str(period.first), "last": str(period.last), "rows": len(made.rows)},
        )  # fmt: skip
    name = f"{made.name.replace('.', '-')}-{period.first}-{period.last}.{ending}"
    return Raw(
        web.Response(
            body=write(made),
            content_type=kind,
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )
    )


def api_routes() -> list[Route]:
    may, path, lost = CUSTOMERS_REPORTS, "/api/reports", (404,)
    return [
        Route("GET", f"{path}/growth", growth, may, "New and lost customers by day, week or month", errors=lost),
        Route("GET", f"{path}/sources", sources, may, "Where new customers came from", errors=lost),
        Route("GET", f"{path}/funnel", funnel, may, "How far customers got, and how long it took", errors=lost),
        Route("GET", f"{path}/spread", spread, may, "Customers by owner, stage, tag, place or a field of one's own", errors=lost),
        Route("GET", f"{path}/csv", csv_file, may, "A report as text", errors=lost, binary=CSV, reason="export"),
        Route("GET", f"{path}/xlsx", xlsx_file, may, "A report as a spreadsheet", errors=lost, binary=XLSX, reason="export"),
    ]  # fmt: skip
