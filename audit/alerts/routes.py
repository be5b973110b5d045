"""Alerts: read by those who read the archive, worked on by those who review."""

from __future__ import annotations

from audit.alerts.queries import alert_counts, alert_detail, alert_page
from audit.alerts.views import AlertCounts, AlertDetail, AlertPage, AlertQuery
from audit.alerts.working import AlertAct, AlertsChanged, act_on
from inbox.queries import one_moment
from scrm.http import Reply, Request, Route
from scrm.permissions import AUDIT_READ, AUDIT_REVIEW, Scope
from scrm.undo import undoable


async def list_alerts(request: Request, query: AlertQuery) -> AlertPage:
    async with one_moment(request.services.db) as tx:
        return await alert_page(tx, Scope.of(request.principal), query)


async def show_alert(request: Request, alert_id: int) -> AlertDetail:
    async with one_moment(request.services.db) as tx:
        return await alert_detail(tx, Scope.of(request.principal), alert_id)


async def count_alerts(request: Request) -> AlertCounts:
    async with one_moment(request.services.db) as tx:
        return await alert_counts(tx, Scope.of(request.principal))


async def act(request: Request, body: AlertAct) -> Reply[AlertsChanged]:
    async with request.services.work() as work:
        changed, step = await act_on(work, request.principal, body, address=request.address)
    return undoable(changed, step)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/audit/alerts", list_alerts, AUDIT_READ, "Alerts, newest first"),
        Route("GET", "/api/audit/alerts/counts", count_alerts, AUDIT_READ, "How many alerts wait"),
        Route(
            "POST", "/api/audit/alerts/act", act, AUDIT_REVIEW, "Take, give, settle or dismiss alerts", errors=(404,)
        ),
        Route("GET", "/api/audit/alerts/{alert_id}", show_alert, AUDIT_READ, "One alert, with its history"),
    ]
