"""The simulated open platform of Douyin, as a real HTTP server.

In a test::

    async with DouyinSimulator() as douyin:
        app = douyin.control.add_app("awkey", "secret")
        ...

As a program: :func:`serve`. Paths that start with ``/_control/`` play customers and accounts; see ``control.py``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType

import orjson
from aiohttp import web

from scrm.clock import ShiftedClock
from simulator.control import control_routes
from simulator.delivery import Deliveries
from simulator.douyin import im_api, media_api, oauth_api, other_api, tokens
from simulator.douyin.api import Call, Endpoint
from simulator.douyin.control import DouyinControl
from simulator.douyin.errors import DESCRIPTIONS, Refused, answer, numbers_as_strings
from simulator.douyin.platform import Platform
from simulator.douyin.pushes import Pushes
from simulator.douyin.settings import DAY, Settings
from simulator.douyin.state import WORLD, App, JsonObject, World
from simulator.faults import Faults
from simulator.pictures import avatar_svg
from simulator.snapshot import Snapshot

ENDPOINTS = (*im_api.ENDPOINTS, *media_api.ENDPOINTS, *other_api.ENDPOINTS, *oauth_api.ENDPOINTS)
MOST_BODY = 16 * 1024 * 1024


class DouyinSimulator:
    """``base_url`` is known after :meth:`start`. ``control`` plays everybody; ``settings`` may be changed at any time."""

    def __init__(
        self,
        *,
        clock: ShiftedClock | None = None,
        settings: Settings | None = None,
        snapshot_path: Path | None = None,
    ) -> None:
        self.clock = clock or ShiftedClock()
        self.settings = settings or Settings()
        self._snapshot = Snapshot(snapshot_path, self._dump)
        stored = self._snapshot.read()
        self.world = WORLD.validate_json(stored) if stored else World()
        self.clock.advance(self.world.clock_offset)
        self.deliveries = Deliveries(
            deadline=self.settings.webhook_deadline,
            attempts=self.settings.webhook_attempts,
            retry_delays=self.settings.webhook_retry_delays,
            concurrency=self.settings.webhook_concurrency,
            clock=self.clock,
        )
        self.faults = Faults(refusal=self._refusal)
        self.platform = Platform(
            self.world,
            self.clock,
            self.settings,
            Pushes(self.world, self.deliveries, self.settings, self._snapshot.touch),
        )
        self.control = DouyinControl(self.platform, self.faults, self.deliveries)
        self.base_url = ""
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens; port 0 takes a free one. Returns the base address."""
        app = web.Application(middlewares=[self._keeping_state, self.faults.middleware], client_max_size=MOST_BODY)
        app.router.add_routes([web.route(one.method, one.path, self._handler(one)) for one in ENDPOINTS])
        app.router.add_routes(oauth_api.authorise_routes(self.platform))
        app.router.add_routes([media_api.file_route(self.platform), *control_routes(self.control)])
        app.router.add_get("/avatars/{name}", avatar)
        await self.deliveries.start()
        await self._snapshot.start()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.base_url = f"http://{host}:{bound}"
        return self.base_url

    async def stop(self) -> None:
        self.faults.clear()
        await self.deliveries.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._snapshot.touch()  # tests and the demo also change the world without a request
        await self._snapshot.stop()

    async def __aenter__(self) -> DouyinSimulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _dump(self) -> bytes:
        self.world.clock_offset = self.clock.offset.total_seconds()
        return WORLD.dump_json(self.world)

    @property
    def _keeping_state(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def keeping(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            try:
                return await handler(request)
            finally:
                if request.method == "POST":
                    self._snapshot.touch()

        return keeping

    def _handler(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                result = endpoint.handler(await self._call(endpoint, request))
                if isinstance(result, Awaitable):
                    result = await result
            except Refused as refused:
                return self._json(request.path, {}, refused.code, refused.description)
            return self._json(request.path, result)

        return handle

    async def _call(self, endpoint: Endpoint, request: web.Request) -> Call:
        """Reads a request and finds out who calls. Refused as the platform refuses."""
        body = await read_body(request, oauth=endpoint.who == "nobody")
        query: Mapping[str, str] = request.query
        if endpoint.who == "nobody":
            return Call(self.platform, query, body, request)
        token = request.headers.get("access-token", "")
        if endpoint.who == "app":
            app = tokens.app_of_client_token(self.platform, token)
            self._count(app, endpoint)
            return Call(self.platform, query, body, request, app)
        grant = tokens.grant_of_token(self.platform, token, query.get("open_id", ""))
        app = tokens.app_of(self.platform, grant.client_key)
        self._count(app, endpoint)
        if endpoint.scope and endpoint.scope not in grant.scopes:
            raise Refused(28001012)
        return Call(self.platform, query, body, request, app, self.world.accounts[grant.open_id])

    def _count(self, app: App, endpoint: Endpoint) -> None:
        """Rates and quotas of one API by one app, and the capability of the app."""
        if endpoint.scope in app.lacks:
            raise Refused(28001014)
        calls = self._calls.setdefault((app.client_key, endpoint.path), deque())
        now = self.platform.now
        while calls and calls[0] <= now - DAY:
            calls.popleft()
        if len(calls) >= self.settings.calls_per_day:
            raise Refused(28003017)
        if len(calls) >= self.settings.calls_per_second and calls[-self.settings.calls_per_second] > now - 1:
            raise Refused(28003018)
        calls.append(now)

    def _refusal(self, request: web.Request, code: int) -> web.Response:
        return self._json(request.path, {}, code, DESCRIPTIONS.get(code, "error"))

    def _json(self, path: str, result: JsonObject, code: int = 0, description: str = "") -> web.Response:
        body = answer(path, int(self.platform.now), result, code=code, description=description)
        if self.settings.numbers_as_strings:
            body = numbers_as_strings(body)
        return web.Response(body=orjson.dumps(body), content_type="application/json")


async def avatar(request: web.Request) -> web.Response:
    """``/avatars/<name>.svg``: a picture for accounts and customers that were given this address as theirs."""
    name = request.match_info["name"].removesuffix(".svg")
    return web.Response(body=avatar_svg(name, request.query.get("name", "")), content_type="image/svg+xml")


async def read_body(request: web.Request, *, oauth: bool) -> JsonObject:
    """A JSON object; for the OAuth calls also a form. Multipart bodies are read by their endpoint."""
    if request.method != "POST" or request.content_type.startswith("multipart/"):
        return {}
    if oauth and request.content_type == "application/x-www-form-urlencoded":
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise Refused(10002 if oauth else 28001007, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(10002 if oauth else 28001007, "the body is no JSON object")
    return body


async def serve(
    host: str = "127.0.0.1",
    port: int = 8102,
    snapshot_path: Path | None = None,
    on_ready: Callable[[str], object] = lambda base_url: None,
) -> None:
    """Runs until cancelled. Apps, accounts and customers are made over ``/_control/``. ``on_ready`` is told the address."""
    simulator = DouyinSimulator(snapshot_path=snapshot_path)
    on_ready(await simulator.start(host, port))
    try:
        await asyncio.Event().wait()
    finally:
        await simulator.stop()
