"""The server: the route table, the socket, the page and what describes them, in one aiohttp application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from functools import cache, lru_cache

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Histogram

from scrm import docs_page, openapi
from scrm.answering import API_POLICY, SECURITY_HEADERS, error_answer, failure, refusal
from scrm.auth import Auth
from scrm.dispatch import serve
from scrm.errors import ApiError
from scrm.http import Route
from scrm.live import Hub
from scrm.metrics import REQUESTS
from scrm.page_files import PageFiles
from scrm.privacy import Reasons
from scrm.services import Services
from scrm.sign_in import Door
from scrm.version import VERSION

AUTH = web.AppKey("auth", Auth)
HUB = web.AppKey("hub", Hub)
NOT_THE_PAGE = ("/api", "/webhooks", "/oauth", "/ws", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs")

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def make_web_app(services: Services, routes: Sequence[Route]) -> web.Application:
    """Routes of the table, ``/ws``, ``/openapi.json``, ``/docs`` and the page. Webhooks, health and metrics may be added to
    the returned application; features that push attach to ``app[HUB]``. Errors, also those of added handlers, become JSON."""
    files = PageFiles(services.settings)
    app = web.Application(
        middlewares=[_around(files)], client_max_size=max(1 << 20, services.settings.server.max_webhook_bytes)
    )
    auth = Auth(services)
    door = Door(services, auth)
    hub = Hub(services, auth)
    reasons = Reasons(services)
    app[AUTH], app[HUB] = auth, hub
    for route in routes:
        app.router.add_route(route.method, route.path, serve(route, services, auth, door, reasons))
    _describe(app, routes)
    app.router.add_get("/ws", hub.handle, allow_head=False)

    async def live(_: web.Application) -> AsyncIterator[None]:
        await hub.start()
        yield

    async def end_sockets(_: web.Application) -> None:
        await hub.stop()

    app.cleanup_ctx.append(live)
    # Before the server waits for its handlers: each open socket is one.
    app.on_shutdown.append(end_sockets)
    app.on_response_prepare.append(_headers)
    return app


def _around(files: PageFiles) -> Middleware:
    """Around every request: measures it, and makes sure that whatever happens ends in an answer of ours."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        response = await _answered(request, handler, files)
        resource = request.match_info.route.resource
        name = resource.canonical if resource is not None else "page"
        if name != "/ws":
            _timer(_method(request), name, response.status).observe(time.perf_counter() - began)
        return response

    return around


async def _answered(request: web.Request, handler: Handler, files: PageFiles) -> web.StreamResponse:
    unrouted = request.match_info.http_exception
    if isinstance(unrouted, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(unrouted.allowed_methods))
        return error_answer(405, "method_not_allowed", f"Here one may {allowed}.", headers={"Allow": allowed})
    if unrouted is not None:
        if _is_api(request.path):
            return error_answer(404, "not_found", "There is nothing at this address.")
        if request.method not in ("GET", "HEAD"):
            return error_answer(405, "method_not_allowed", "The page can only be read.", headers={"Allow": "GET, HEAD"})
        return files.answer(request)
    try:
        return await handler(request)
    except ApiError as error:
        return refusal(error)
    except web.HTTPException as error:
        return error_answer(error.status, (error.reason or "error").lower().replace(" ", "_"), f"{error.reason}.")
    except Exception as error:
        return failure(error, f"{_method(request)} {request.path}")


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", API_POLICY)


@lru_cache(maxsize=2048)
def _timer(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, status)


def _method(request: web.Request) -> str:
    """A label from a short list, whatever a stranger calls his method."""
    return request.method if request.method in METHODS else "other"


def _describe(app: web.Application, routes: Sequence[Route]) -> None:
    @cache
    def described() -> tuple[bytes, str]:
        """Made when somebody asks for it first: it takes longer than the rest of the start."""
        description = openapi.build(routes, version=VERSION)
        return orjson.dumps(description), docs_page.render(description)

    async def json(_: web.Request) -> web.Response:
        body, _page = await asyncio.to_thread(described)
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    async def docs(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": docs_page.POLICY, "Cache-Control": "no-cache"}
        _body, text = await asyncio.to_thread(described)
        return web.Response(text=text, content_type="text/html", headers=headers)

    app.router.add_get("/openapi.json", json)
    app.router.add_get("/docs", docs)


def _is_api(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in NOT_THE_PAGE)
