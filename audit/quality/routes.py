"""Quality inspection over HTTP: read by those who read the archive, judged by those who review; employees read their own results."""

from __future__ import annotations

from aiohttp import web

from audit.quality import draw, mine, plans, results, samples, scoring, sheets
from audit.quality.service_file import table
from audit.quality.views import (
    AppealInput,
    DecisionInput,
    DrawInput,
    InspectionResults,
    MyResult,
    MyResults,
    PeriodQuery,
    PlanInput,
    PlanList,
    PlanView,
    SamplePage,
    SampleQuery,
    SampleView,
    ScoreInput,
    ServiceReport,
    SheetInput,
    SheetList,
    SheetView,
)
from customers.reports.tables import as_xlsx
from inbox.queries import one_moment
from scrm.http import SIGNED_IN, Raw, Reply, Request, Route
from scrm.permissions import AUDIT_EVIDENCE, AUDIT_READ, AUDIT_REVIEW, AUDIT_RULES, Scope
from scrm.trail import record

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def list_sheets(request: Request) -> SheetList:
    async with one_moment(request.services.db) as tx:
        return await sheets.sheets(tx)


async def add_sheet(request: Request, body: SheetInput) -> Reply[SheetView]:
    async with request.services.work() as work:
        made = await sheets.add(work, request.principal, body)
        return Reply(await sheets.one_sheet(work.tx, made), status=201)


async def change_sheet(request: Request, sheet_id: int, body: SheetInput) -> SheetView:
    async with request.services.work() as work:
        await sheets.change(work, request.principal, sheet_id, body)
        return await sheets.one_sheet(work.tx, sheet_id)


async def publish_sheet(request: Request, sheet_id: int) -> SheetView:
    async with request.services.work() as work:
        await sheets.publish(work, request.principal, sheet_id)
        return await sheets.one_sheet(work.tx, sheet_id)


async def list_plans(request: Request) -> PlanList:
    async with one_moment(request.services.db) as tx:
        return await plans.plans(tx, Scope.of(request.principal))


async def add_plan(request: Request, body: PlanInput) -> Reply[PlanView]:
    async with request.services.work() as work:
        made = await plans.add(work, request.principal, body)
        return Reply(await plans.one_plan(work.tx, Scope.of(request.principal), made), status=201)


async def change_plan(request: Request, plan_id: int, body: PlanInput) -> PlanView:
    async with request.services.work() as work:
        await plans.change(work, request.principal, plan_id, body)
        return await plans.one_plan(work.tx, Scope.of(request.principal), plan_id)


async def delete_plan(request: Request, plan_id: int) -> None:
    async with request.services.work() as work:
        await plans.delete(work, request.principal, plan_id)


async def draw_samples(request: Request, plan_id: int, body: DrawInput) -> Reply[PlanView]:
    async with request.services.work() as work:
        await draw.draw_on_demand(work, request.principal, plan_id, body)
        return Reply(await plans.one_plan(work.tx, Scope.of(request.principal), plan_id), status=201)


async def list_samples(request: Request, query: SampleQuery) -> SamplePage:
    async with one_moment(request.services.db) as tx:
        return await samples.sample_page(tx, Scope.of(request.principal), query)


async def show_sample(request: Request, sample_id: int) -> SampleView:
    async with one_moment(request.services.db) as tx:
        return await samples.one_sample(tx, Scope.of(request.principal), sample_id)


async def score_sample(request: Request, sample_id: int, body: ScoreInput) -> SampleView:
    async with request.services.work() as work:
        await scoring.score(work, request.principal, sample_id, body)
        return await samples.one_sample(work.tx, Scope.of(request.principal), sample_id)


async def review_sample(request: Request, sample_id: int, body: ScoreInput) -> SampleView:
    async with request.services.work() as work:
        await scoring.review(work, request.principal, sample_id, body)
        return await samples.one_sample(work.tx, Scope.of(request.principal), sample_id)


async def decide_appeal(request: Request, sample_id: int, body: DecisionInput) -> SampleView:
    async with request.services.work() as work:
        await scoring.decide(work, request.principal, sample_id, body)
        return await samples.one_sample(work.tx, Scope.of(request.principal), sample_id)


async def my_results(request: Request) -> MyResults:
    async with one_moment(request.services.db) as tx:
        return await mine.my_results(tx, request.principal.agent_id)


async def appeal(request: Request, sample_id: int, body: AppealInput) -> MyResult:
    async with request.services.work() as work:
        await scoring.appeal(work, request.principal, sample_id, body.reason)
        return await mine.my_result(work.tx, request.principal.agent_id, sample_id)


async def show_results(request: Request, query: PeriodQuery) -> InspectionResults:
    async with one_moment(request.services.db) as tx:
        return await results.results(tx, Scope.of(request.principal), query)


async def show_service(request: Request, query: PeriodQuery) -> ServiceReport:
    async with one_moment(request.services.db) as tx:
        return await results.service(tx, Scope.of(request.principal), query)


async def service_file(request: Request, query: PeriodQuery) -> Raw:
    who = request.principal
    async with request.services.work() as work:
        report = await results.service(work.tx, Scope.of(who), query)
        names = await work.tx.fetch(
            "select id, name from agent where id = any($1::bigint[])", [row.agent_id for row in report.rows]
        )
        made = table(report, {row["id"]: row["name"] for row in names}, who.language, who, work.now)
        await record(
            work, "report.exported", agent_id=who.agent_id, address=request.address,
            detail={"report": made.name, "first": str(query.first), "last": str(query.last), "rows": len(report.rows)},
        )  # fmt: skip
    disposition = f'attachment; filename="service-{query.first}-{query.last}.xlsx"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Raw(web.Response(body=as_xlsx(made), content_type=XLSX, headers=headers))


def api_routes() -> list[Route]:
    base = "/api/audit/quality"
    sheet, plan, sample = f"{base}/sheets/{{sheet_id}}", f"{base}/plans/{{plan_id}}", f"{base}/samples/{{sample_id}}"
    see, judge, may, late = AUDIT_READ, AUDIT_REVIEW, AUDIT_RULES, (409,)
    return [
        Route("GET", f"{base}/sheets", list_sheets, see, "Score sheets, with their versions"),
        Route("POST", f"{base}/sheets", add_sheet, may, "Write a score sheet", status=201),
        Route("PATCH", sheet, change_sheet, may, "Change a score sheet: its draft, or a new one"),
        Route("POST", f"{sheet}/publish", publish_sheet, may, "Publish the draft for good", errors=late),
        Route("GET", f"{base}/plans", list_plans, see, "Inspection plans, with their last drawings"),
        Route("POST", f"{base}/plans", add_plan, judge, "Add an inspection plan", status=201),
        Route("PATCH", plan, change_plan, judge, "Change an inspection plan", errors=late),
        Route("DELETE", plan, delete_plan, judge, "Delete an inspection plan; what was drawn stays", status=204),
        Route("POST", f"{plan}/draw", draw_samples, judge, "Draw samples of a period", status=201),
        Route("GET", f"{base}/samples", list_samples, see, "Samples, newest first"),
        Route("GET", sample, show_sample, see, "One sample, with its sheet, marks and history"),
        Route("POST", f"{sample}/score", score_sample, judge, "Score a sample", errors=late),
        Route("POST", f"{sample}/review", review_sample, judge, "Be the second person for a score", errors=late),
        Route("POST", f"{sample}/decide", decide_appeal, judge, "Decide on an appeal", errors=late),
        Route("GET", f"{base}/results", show_results, see, "InspectionResults by employee, by item and by week"),
        Route("GET", f"{base}/service", show_service, see, "How well each employee served"),
        Route("GET", f"{base}/service/xlsx", service_file, AUDIT_EVIDENCE, "The same as a spreadsheet", binary=XLSX, reason="export"),
        Route("GET", "/api/me/quality", my_results, SIGNED_IN, "One's own inspection results"),
        Route("POST", "/api/me/quality/{sample_id}/appeal", appeal, SIGNED_IN, "Appeal against a result, once", errors=late),
    ]  # fmt: skip
