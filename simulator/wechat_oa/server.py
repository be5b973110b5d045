"""The simulated WeChat public platform, as a real HTTP server.

In a test::

    async with OfficialAccountSimulator() as oa:
        oa.control.add_account("wx1", "secret", "gh_1")
        ...

As a program: :func:`serve`. Paths that start with ``/_control/`` play the developer and the people; see ``control.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

import orjson
from aiohttp import web

from scrm.clock import ShiftedClock
from simulator.control import control_routes
from simulator.delivery import Deliveries
from simulator.faults import Faults
from simulator.snapshot import Snapshot
from simulator.wechat_oa import custom_api, mass_api, media_api, people_api, tokens
from simulator.wechat_oa.api import Call, Endpoint, Endpoints
from simulator.wechat_oa.control import OfficialAccountControl
from simulator.wechat_oa.errors import Refused, error
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.pushes import Pushes
from simulator.wechat_oa.settings import Settings
from simulator.wechat_oa.state import WORLD, JsonObject, World

ENDPOINTS: Endpoints = {
    **custom_api.ENDPOINTS,
    **mass_api.ENDPOINTS,
    **media_api.ENDPOINTS,
    **people_api.ENDPOINTS,
}
MOST_BODY = 24 * 1024 * 1024


class OfficialAccountSimulator:
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
            deadline=self.settings.push_deadline,
            attempts=self.settings.push_attempts,
            retry_delays=self.settings.push_retry_delays,
            concurrency=self.settings.push_concurrency,
            clock=self.clock,
        )
        self.faults = Faults(refusal=lambda request, code: _json(error(code)))
        pushes = Pushes(self.deliveries, self.clock, self.settings, self._snapshot.touch)
        self.platform = Platform(self.world, self.clock, self.settings, pushes)
        self.control = OfficialAccountControl(self.platform, self.faults, self.deliveries)
        self.base_url = ""
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens; port 0 takes a free one. Returns the base address."""
        app = web.Application(middlewares=[self._keeping_state, self.faults.middleware], client_max_size=MOST_BODY)
        for path, endpoint in ENDPOINTS.items():
            app.router.add_route("*", f"/cgi-bin/{path}", self._handler(path, endpoint))
        app.router.add_get("/cgi-bin/token", self._classic_token)
        app.router.add_post("/cgi-bin/stable_token", self._stable_token)
        app.router.add_routes([media_api.file_route(self.platform), *control_routes(self.control)])
        await self.deliveries.start()
        await self._snapshot.start()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.base_url = self.platform.base_url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.base_url

    async def stop(self) -> None:
        self.faults.clear()
        await self.deliveries.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._snapshot.touch()  # tests and the demo also change the world without a request
        await self._snapshot.stop()

    async def __aenter__(self) -> OfficialAccountSimulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
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

    def _handler(self, path: str, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                result = endpoint.run(await self._call(path, endpoint, request))
                if isinstance(result, Awaitable):
                    result = await result
            except Refused as refused:
                return _json(refused.answer)
            return result if isinstance(result, web.StreamResponse) else _json(result)

        return handle

    async def _call(self, path: str, endpoint: Endpoint, request: web.Request) -> Call:
        """Reads a request and finds out who calls. Refused as the platform refuses."""
        if request.method != endpoint.method:
            raise Refused(43001 if endpoint.method == "GET" else 43002)
        account = tokens.check(self.platform, request.query.get("access_token", ""), request.remote or "")
        if (endpoint.verified and not account.verified) or (endpoint.service and account.kind != "service"):
            raise Refused(48001)
        self.platform.count(account, path, per_day=self.settings.calls_per_day)
        body = await _body(request) if endpoint.takes_json and endpoint.method == "POST" else {}
        return Call(self.platform, account, request.query, body, request)

    async def _stable_token(self, request: web.Request) -> web.Response:
        try:
            return _json(tokens.stable(self.platform, await _body(request), request.remote or ""))
        except Refused as refused:
            return _json(refused.answer)

    async def _classic_token(self, request: web.Request) -> web.Response:
        try:
            return _json(tokens.classic(self.platform, dict(request.query), request.remote or ""))
        except Refused as refused:
            return _json(refused.answer)


async def _body(request: web.Request) -> JsonObject:
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise Refused(47001) from None
    if not isinstance(body, dict):
        raise Refused(47001)
    return body


def _json(value: JsonObject) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


async def serve(
    host: str = "127.0.0.1",
    port: int = 8103,
    snapshot_path: Path | None = None,
    on_ready: Callable[[str], object] = lambda base_url: None,
) -> None:
    """Runs until cancelled. Accounts and people are made over ``/_control/``. ``on_ready`` is told the address."""
    simulator = OfficialAccountSimulator(snapshot_path=snapshot_path)
    on_ready(await simulator.start(host, port))
    try:
        await asyncio.Event().wait()
    finally:
        await simulator.stop()
