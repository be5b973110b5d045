"""Payments over HTTP, within the asker's reach. Taking them out of the house needs a right of its own and leaves a line in the trail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from audit.payments.asking import period_of
from audit.payments.exporting import MOST_ROWS, Cell, as_csv, as_xlsx, rows_of, titles, watermark
from audit.payments.queries import claim_page, payment_page, payment_rows, payment_view, summary
from audit.payments.shapes import (
    ClaimQuery,
    PaymentClaimPage,
    PaymentFilter,
    PaymentPage,
    PaymentQuery,
    PaymentSummary,
    ThresholdsView,
)
from audit.payments.thresholds import THRESHOLDS, MoneyThresholds
from inbox.queries import one_moment
from scrm import trail
from scrm.errors import Unprocessable
from scrm.http import Raw, Request, Route
from scrm.permissions import AUDIT_EVIDENCE, AUDIT_READ, AUDIT_RULES, Scope

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def list_payments(request: Request, query: PaymentQuery) -> PaymentPage:
    async with one_moment(request.services.db) as tx:
        return await payment_page(tx, Scope.of(request.principal), query, request.services.clock.now())


async def show_summary(request: Request, query: PaymentFilter) -> PaymentSummary:
    async with one_moment(request.services.db) as tx:
        return await summary(tx, Scope.of(request.principal), query, request.services.clock.now())


async def list_claims(request: Request, query: ClaimQuery) -> PaymentClaimPage:
    async with one_moment(request.services.db) as tx:
        return await claim_page(tx, Scope.of(request.principal), query, request.services.clock.now())


async def show_thresholds(request: Request) -> ThresholdsView:
    return ThresholdsView(thresholds=await THRESHOLDS.load(request.services.db))


async def change_thresholds(request: Request, body: MoneyThresholds) -> ThresholdsView:
    """They hold for what is seen from now on."""
    async with request.services.work() as work:
        before = await THRESHOLDS.load(work.tx)
        await THRESHOLDS.save(work, body, by=request.principal.agent_id)
        if body != before:
            await trail.record(
                work, "money.thresholds_changed", agent_id=request.principal.agent_id, address=request.address,
                detail={"before": before.model_dump(), "after": body.model_dump()},
            )  # fmt: skip
    return ThresholdsView(thresholds=body)


async def csv_file(request: Request, query: PaymentFilter) -> Raw:
    return await _file(request, query, "csv", CSV, as_csv)


async def xlsx_file(request: Request, query: PaymentFilter) -> Raw:
    return await _file(request, query, "xlsx", XLSX, as_xlsx)


async def _file(
    request: Request,
    query: PaymentFilter,
    ending: str,
    kind: str,
    write: Callable[[Sequence[str], Sequence[Sequence[Cell]], str], bytes],
) -> Raw:
    who = request.principal
    async with request.services.work() as work:
        period = await period_of(work.tx, query.first, query.last, work.now)
        found = await payment_rows(work.tx, Scope.of(who), query, period, MOST_ROWS + 1)
        if len(found) > MOST_ROWS:
            raise Unprocessable(
                f"A file holds at most {MOST_ROWS} payments.",
                fields={"first": "Choose fewer days or a narrower filter."},
            )
        await trail.record(
            work, "payments.exported", agent_id=who.agent_id, address=request.address,
            detail={
                "first": str(period.first), "last": str(period.last), "rows": len(found), "format": ending,
                **query.model_dump(exclude={"first", "last"}, exclude_defaults=True),
            },
        )  # fmt: skip
    rows = rows_of([payment_view(row) for row in found], period.zone, who.language)
    mark = watermark(who.name, who.login, work.now, period.zone, who.language)
    return Raw(
        web.Response(
            body=write(titles(who.language), rows, mark),
            content_type=kind,
            headers={
                "Content-Disposition": f'attachment; filename="payments-{period.first}-{period.last}.{ending}"',
                "Cache-Control": "no-store",
            },
        )
    )


def api_routes() -> list[Route]:
    base = "/api/audit/payments"
    return [
        Route("GET", base, list_payments, AUDIT_READ, "Payments that were seen, newest first"),
        Route("GET", f"{base}/summary", show_summary, AUDIT_READ, "Payments by day, kind, employee and customer"),
        Route("GET", f"{base}/claims", list_claims, AUDIT_READ, "What was said of money, and whether it was seen"),
        Route("GET", f"{base}/export/csv", csv_file, AUDIT_EVIDENCE, "Payments as text; leaves a line in the trail", binary=CSV, reason="export"),
        Route("GET", f"{base}/export/xlsx", xlsx_file, AUDIT_EVIDENCE, "Payments as a spreadsheet; leaves a line in the trail", binary=XLSX, reason="export"),
        Route("GET", f"{base}/thresholds", show_thresholds, AUDIT_READ, "From which amounts on an alert is raised"),
        Route("PATCH", f"{base}/thresholds", change_thresholds, AUDIT_RULES, "Change what an alert is raised for"),
    ]  # fmt: skip
