"""The simulated WeCom as an HTTP server.

::

    async with WecomSimulator() as wecom:                      # or: base = await wecom.start("127.0.0.1", 0)
        wecom.control.create_app("ww1", "secret")
        ...  # point a client at wecom.base_url in place of https://qyapi.weixin.qq.com
    # over HTTP: POST {base_url}/_control/<operation>, see simulator.control and simulator.wecom.control

Every call of ``/cgi-bin/...`` is checked in this order: address and method, token (41001, 40014, 42001), source address
(60020), right to the API (48002), frequency (45009), JSON (47001), then the call's own rules. An unknown path answers HTTP
404 with an empty body [?]; a wrong method answers 43001 or 43002.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self

import orjson
from aiohttp import web

from scrm.clock import ShiftedClock
from simulator import pictures
from simulator.control import control_routes
from simulator.delivery import Deliveries
from simulator.faults import Faults
from simulator.snapshot import Snapshot
from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.app_messages import AppMessageApi
from simulator.wecom.archive import Archive
from simulator.wecom.archive_people import ArchivePeopleApi
from simulator.wecom.bills import BillApi
from simulator.wecom.callbacks import Callbacks
from simulator.wecom.contact_ways import ContactWayApi
from simulator.wecom.contacts import Contacts
from simulator.wecom.control import WecomControl
from simulator.wecom.directory import DirectoryApi
from simulator.wecom.errors import Refused
from simulator.wecom.external import ExternalApi
from simulator.wecom.group_chats import GroupApi, GroupLife
from simulator.wecom.group_transfers import GroupTransferApi
from simulator.wecom.intercepts import InterceptApi
from simulator.wecom.kf_api import KfApi
from simulator.wecom.kf_people import KfPeople
from simulator.wecom.kf_send import KfSend
from simulator.wecom.limits import Limits
from simulator.wecom.mass import MassApi
from simulator.wecom.media import MEGABYTE, MediaApi, PublicAddress
from simulator.wecom.moments import MomentApi
from simulator.wecom.settings import Settings
from simulator.wecom.sign_in import SignInPages
from simulator.wecom.state import App, JsonObject, World, from_json, to_json
from simulator.wecom.tag_library import TagApi
from simulator.wecom.tokens import ARCHIVE, Tokens
from simulator.wecom.transfers import Ripening, TransferApi
from simulator.wecom.welcome import WelcomeApi

_NO_BODY: JsonObject = {}


class WecomSimulator:
    """One simulated platform with any number of corps. ``snapshot_path``: the state is kept there between starts, written every
    ``snapshot_every`` seconds when it changed and at the end."""

    def __init__(
        self,
        *,
        clock: ShiftedClock | None = None,
        settings: Settings | None = None,
        snapshot_path: Path | None = None,
        snapshot_every: float = 2.0,
    ) -> None:
        self.clock = clock or ShiftedClock()
        self.settings = settings or Settings()
        self.snapshot = Snapshot(snapshot_path, self._dump, every=snapshot_every)
        stored = self.snapshot.read()
        self.world = from_json(stored) if stored is not None else World()
        if stored is not None:
            self.clock.advance(timedelta(seconds=self.world.clock_offset))
        self.base_url = ""
        self._public = PublicAddress()
        self._runner: web.AppRunner | None = None
        self.faults = Faults(lambda request, code: self._refuse(Refused(code), request))
        self.deliveries = Deliveries(
            deadline=self.settings.callback_deadline,
            attempts=self.settings.callback_attempts,
            retry_delays=self.settings.callback_retry_delays,
            concurrency=self.settings.callback_concurrency,
            clock=self.clock,
        )
        self.limits = Limits(self.settings)
        self.tokens = Tokens(self.world, self.settings)
        callbacks = Callbacks(self.deliveries, self.clock, self.settings)
        people = KfPeople(self.settings, callbacks)
        media = MediaApi(self.world, self.settings, self._public)
        self.archive = Archive(self.world, self.settings, self._now, self.snapshot.touch)
        self.sign_in = SignInPages(self.world, self._now, self.snapshot.touch)
        kf_send = KfSend(self.settings, media, lambda corp, account: people.ring(corp, account, self._now()))
        contacts = Contacts(self.settings, callbacks)
        self._ripening = Ripening(self.settings, contacts)
        self.endpoints: Endpoints = {
            **KfApi(self.settings, self.limits, media, self._public).endpoints,
            **kf_send.endpoints,
            **media.endpoints,
            **DirectoryApi().endpoints,
            **self.sign_in.endpoints,
            **ExternalApi(self.settings, media, self._public).endpoints,
            **TagApi(self.settings).endpoints,
            **InterceptApi(self.settings).endpoints,
            **GroupApi(self.settings).endpoints,
            **GroupTransferApi(self.settings).endpoints,
            **ContactWayApi(self.settings, self.limits, self._public).endpoints,
            **WelcomeApi(self.settings, media).endpoints,
            **TransferApi(self.settings).endpoints,
            **MassApi(self.settings, media).endpoints,
            **MomentApi(self.settings, self.limits, media).endpoints,
            **BillApi().endpoints,
            **AppMessageApi(self.settings, media, self.limits).endpoints,
            **ArchivePeopleApi().endpoints,
            "getcallbackip": Endpoint("GET", lambda call: {"ip_list": ["127.0.0.1"]}),
        }
        self.control = WecomControl(
            self.world,
            self.settings,
            self.clock,
            self.faults,
            self.deliveries,
            callbacks,
            people,
            self.tokens,
            self.limits,
            kf_send,
            self.snapshot.touch,
            self.sign_in,
            contacts,
            GroupLife(contacts),
            self._ripening,
            self.archive,
        )

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens; port 0 takes a free one. Returns the base address, ``http://host:port``."""
        app = web.Application(middlewares=[self.faults.middleware], client_max_size=25 * MEGABYTE)
        app.router.add_route("*", "/cgi-bin/{path:.*}", self._api)
        app.router.add_routes(self.sign_in.routes())
        app.router.add_routes(self.archive.routes())
        app.router.add_get("/avatars/{name}", _avatar)
        app.router.add_get("/pictures/uploaded/{key}", self._uploaded_picture)
        app.router.add_get("/pictures/{name}", _picture)
        app.router.add_routes(control_routes(self.control))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.base_url = self._public.base = f"http://{host}:{bound}"
        await self.deliveries.start()
        await self.snapshot.start()
        return self.base_url

    async def stop(self) -> None:
        """Stops listening and delivering, and writes the snapshot."""
        self.faults.clear()
        await self.deliveries.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.snapshot.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def _now(self) -> int:
        return int(self.clock.now().timestamp())

    def _dump(self) -> bytes:
        self.world.clock_offset = self.clock.offset.total_seconds()
        return to_json(self.world)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"].strip("/")
        try:
            if path == "gettoken":
                return self._gettoken(request)
            endpoint = self.endpoints.get(path)
            if endpoint is None:
                return web.Response(status=404)
            answer = endpoint.run(await self._admitted(path, endpoint, request))
            if inspect.isawaitable(answer):
                answer = await answer
        except Refused as refused:
            return self._refuse(refused, request)
        return _respond(answer)

    def _gettoken(self, request: web.Request) -> web.StreamResponse:
        if request.method != "GET":
            raise Refused(43001)
        self.snapshot.touch()
        self.limits.count_call(request.remote or "", "gettoken", self._now())
        return _respond(self.tokens.issue(request.query, request.remote or "", self.clock.now().timestamp()))

    async def _admitted(self, path: str, endpoint: Endpoint, request: web.Request) -> Call:
        """The call, if it may be made at all; see the module's text for the order of the checks."""
        if endpoint.method not in (request.method, "ANY"):
            raise Refused(43001 if endpoint.method == "GET" else 43002)
        now = self.clock.now().timestamp()
        corp, app = self.tokens.check(request.query.get("access_token", ""), now)
        _check_rights(app, endpoint, request.remote or "")
        self.limits.count_call(corp.corp_id, path, int(now))
        self.snapshot.touch()
        self._ripening.ripen([corp], int(now))
        body = await _json_body(request) if endpoint.takes_json else _NO_BODY
        return Call(corp, app, int(now), request.query, body, request, now)

    def _refuse(self, refused: Refused, request: web.Request) -> web.Response:
        return _json(refused.answer(self.clock.now().timestamp(), request.remote or ""))

    async def _uploaded_picture(self, request: web.Request) -> web.Response:
        picture = self.world.pictures.get(request.match_info["key"])
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture.content, content_type=picture.mime)


def _check_rights(app: App, endpoint: Endpoint, caller: str) -> None:
    if app.trusted_ips is not None and caller not in app.trusted_ips:
        raise Refused(60020)
    if (endpoint.right == "archive") != (app.agent_id == ARCHIVE):
        raise Refused(48002)
    if (endpoint.right == "kf" and not app.kf_allowed) or (endpoint.right == "contacts" and not app.contacts_allowed):
        raise Refused(48002)


async def _json_body(request: web.Request) -> JsonObject:
    """The JSON object of a POST. Refused with 47001 when it is none."""
    if request.method != "POST":
        return _NO_BODY
    content = await request.read()
    if not content.strip():
        return _NO_BODY
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Refused(47001) from None
    if not isinstance(body, dict):
        raise Refused(47001)
    return body


def _respond(answer: Answer) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    return _json({"errcode": 0, "errmsg": "ok", **answer})


def _json(value: Mapping[str, object]) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json", charset="utf-8")


async def _avatar(request: web.Request) -> web.Response:
    """``/avatars/<seed>.svg?name=`` (a letter on a colour) or ``/avatars/<seed>.png`` (a pattern)."""
    seed, _, kind = request.match_info["name"].rpartition(".")
    headers = {"Cache-Control": "public, max-age=86400"}
    if kind == "svg":
        svg = pictures.avatar_svg(seed, request.query.get("name", ""))
        return web.Response(body=svg, content_type="image/svg+xml", headers=headers)
    if kind == "png":
        return web.Response(body=pictures.avatar_png(seed), content_type="image/png", headers=headers)
    raise web.HTTPNotFound


async def _picture(request: web.Request) -> web.Response:
    """``/pictures/<seed>.png``: a landscape."""
    seed, _, kind = request.match_info["name"].rpartition(".")
    if kind != "png":
        raise web.HTTPNotFound
    return web.Response(body=await asyncio.to_thread(pictures.landscape_png, seed), content_type="image/png")


async def serve(
    host: str = "127.0.0.1",
    port: int = 8101,
    snapshot_path: Path | None = None,
    on_ready: Callable[[str], object] = lambda base_url: None,
) -> None:
    """Runs a simulator until it is cancelled; for the command line. ``on_ready`` is told the address."""
    simulator = WecomSimulator(snapshot_path=snapshot_path)
    on_ready(await simulator.start(host, port))
    try:
        await asyncio.Event().wait()
    finally:
        await simulator.stop()
