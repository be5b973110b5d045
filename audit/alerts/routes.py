"""Alerts: read by those who read the archive, worked on by those who review."""

from __future__ import annotations

from audit.alerts.queries import alert_page, find_alert
from audit.alerts.views import AlertPage, AlertQuery, AlertView
from inbox.queries import one_moment
from scrm.http import Request, Route
from scrm.permissions import AUDIT_READ, Scope


async def list_alerts(request: Request, query: AlertQuery) -> AlertPage:
    async with one_moment(request.services.db) as tx:
        return await alert_page(tx, Scope.of(request.principal), query)


async def show_alert(request: Request, alert_id: int) -> AlertView:
    async with one_moment(request.services.db) as tx:
        return await find_alert(tx, Scope.of(request.principal), alert_id)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/audit/alerts", list_alerts, AUDIT_READ, "Alerts, newest first"),
        Route("GET", "/api/audit/alerts/{alert_id}", show_alert, AUDIT_READ, "One alert"),
    ]
