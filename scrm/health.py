"""``/healthz`` (this process lives), ``/readyz`` (it can do its work), ``/metrics`` (Prometheus)."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from scrm.db import LOST
from scrm.errors import Forbidden, Unavailable
from scrm.services import Services

READY_SECONDS = 2.0


def add_health(app: web.Application, services: Services) -> None:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await services.db.fetchval("select 1")
        except LOST as error:
            raise Unavailable("The database does not answer.") from error
        return web.json_response({"status": "ready"})

    async def metrics(request: web.Request) -> web.Response:
        _check_metrics_access(services, request)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


def _check_metrics_access(services: Services, request: web.Request) -> None:
    """With a token configured, whoever has it; without one, this machine only, and not through a proxy."""
    token = services.settings.metrics.token
    if token is None:
        if not _is_loopback(request.remote) or "x-forwarded-for" in request.headers:
            raise Forbidden("Set metrics.token to read the metrics from another machine.")
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        raise Forbidden("Send the header Authorization: Bearer with metrics.token.")


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
