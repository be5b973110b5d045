"""Sockets to browsers. A push is framed once and the same bytes go to everyone; a browser that reads too slowly loses pushes,
never this process its memory: it is told ``resync`` when it has caught up, and fetches what it missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from scrm.auth import Auth
from scrm.clock import monotonic
from scrm.db import LOST
from scrm.errors import ApiError, Forbidden, TooManyRequests
from scrm.metrics import PUSHES, SOCKETS
from scrm.permissions import Principal
from scrm.services import Services
from scrm.tasks import end

log = logging.getLogger(__name__)

SESSION_ENDED = 4401
MOST_WAITING = 1 << 20
"""Bytes that may wait for a browser to read before it counts as slow."""
CAUGHT_UP = 64 << 10
LOOK_SECONDS = 30.0
SLOW_LOOK_SECONDS = 0.25
HEARTBEAT_SECONDS = 40.0
MOST_PER_AGENT = 100
LARGEST_INPUT = 4096
GOODBYE_SECONDS = 3.0
SAID_AT_MOST = 30
"""What a browser says within :data:`SAID_SECONDS` beyond this is not heard."""
SAID_SECONDS = 10.0


def frame(payload: bytes) -> bytes:
    """A whole WebSocket text frame (RFC 6455, 5.2), as a server sends it: unmasked, unfragmented, uncompressed."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


RESYNC = frame(b'{"type":"resync"}')
PONG = frame(b'{"type":"pong"}')
ACCOUNTS = frame(b'{"type":"accounts"}')
LABELS = frame(b'{"type":"labels"}')
_NUMBERS = count(1)


@dataclass(slots=True, eq=False)
class Socket:
    """One browser tab. ``pushed`` is a place where a feature remembers what it said last."""

    principal: Principal
    ws: web.WebSocketResponse
    transport: asyncio.Transport
    slow: bool = False
    listening: asyncio.Task[None] | None = None
    goodbye: tuple[int, bytes] | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    pushed: dict[str, bytes] = field(default_factory=dict)
    number: int = field(default_factory=lambda: next(_NUMBERS))
    said: int = 0
    said_since: float = 0.0

    @property
    def key(self) -> tuple[str, int]:
        if self.principal.session_id is not None:
            return "session", self.principal.session_id
        return "token", self.principal.token_id or 0

    def send(self, framed: bytes) -> None:
        """Whole frames, in order, without waiting. A slow browser gets nothing until it has caught up."""
        if self.slow or self.ws.closed or self.transport.is_closing():
            return
        self.transport.write(framed)
        if self.transport.get_write_buffer_size() > MOST_WAITING:
            self.slow = True

    def may_speak(self) -> bool:
        """Counts what the browser says: a broken one must not keep everybody busy."""
        if (now := monotonic()) - self.said_since > SAID_SECONDS:
            self.said, self.said_since = 0, now
        self.said += 1
        return self.said <= SAID_AT_MOST

    def catch_up(self) -> None:
        if self.slow and self.transport.get_write_buffer_size() < CAUGHT_UP:
            self.slow = False
            self.pushed.clear()
            self.send(RESYNC)


class Hub:
    """All sockets of this process. Features send through it and hear of sockets that open."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth
        self._sockets: set[Socket] = set()
        self._stale: set[tuple[str, int]] = set()
        self._look_at_all = False
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unlisten: list[Callable[[], None]] = []
        self.on_change: list[Callable[[], None]] = []
        """Called when a socket opened or what somebody may see changed."""
        self.on_said: dict[str, Callable[[Socket, Mapping[str, Any]], None]] = {}
        """By the ``type`` of what a browser says; called in the event loop, must return at once."""
        self.on_closed: list[Callable[[Socket], None]] = []

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        bus = self._services.bus
        self._unlisten = [
            bus.listen("session", lambda ids: self._rang("session", ids)),
            bus.listen("token", lambda ids: self._rang("token", ids)),
            bus.listen("account", lambda _: self.broadcast(ACCOUNTS)),
            bus.listen("connection", lambda _: self.broadcast(ACCOUNTS)),
            bus.listen("label", lambda _: self.broadcast(LABELS)),
        ]
        self._tasks = [
            asyncio.create_task(self._watch_sessions(), name="live-sessions"),
            asyncio.create_task(self._watch_slow(), name="live-slow"),
        ]

    async def stop(self) -> None:
        for unlisten in self._unlisten:
            unlisten()
        await end(self._tasks)
        await self._close(list(self._sockets), WSCloseCode.GOING_AWAY, b"restarting")

    # ------------------------------------------------------------------ sending

    @property
    def sockets(self) -> Iterable[Socket]:
        return self._sockets

    def broadcast(self, framed: bytes) -> None:
        for socket in tuple(self._sockets):
            socket.send(framed)

    def resync(self) -> None:
        for socket in tuple(self._sockets):
            socket.pushed.clear()
            socket.send(RESYNC)

    # ------------------------------------------------------------------ one socket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """``GET /ws``. Raises :class:`ApiError` before the upgrade; afterwards it lasts as long as the socket."""
        if not self._auth.addresses.same_origin(request):
            raise Forbidden("This request comes from another site.", code="csrf")
        identity = await self._auth.identify(request)
        agent_id = identity.principal.agent_id
        if sum(1 for socket in self._sockets if socket.principal.agent_id == agent_id) >= MOST_PER_AGENT:
            raise TooManyRequests("Too many open tabs.", retry_after=10)
        ws = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, compress=False, max_msg_size=LARGEST_INPUT, timeout=2.0)
        if not ws.can_prepare(request):
            raise ApiError("This address speaks WebSocket.", code="no_websocket")
        await ws.prepare(request)
        transport = request.transport
        # Not isinstance: the transports of uvloop are no asyncio.Transport.
        if transport is None:
            return ws
        socket = Socket(identity.principal, ws, transport)
        hello = {"type": "hello", "agent_id": agent_id, "server_time": self._services.clock.now()}
        socket.send(frame(orjson.dumps(hello, option=orjson.OPT_UTC_Z)))
        self._sockets.add(socket)
        SOCKETS.inc()
        # The session may have ended between the look above and now, with its ring already gone by.
        self._rang(socket.key[0], [socket.key[1]])
        self._changed()
        try:
            socket.listening = asyncio.create_task(self._listen(socket))
            await _until_closed(socket)
        finally:
            self._sockets.discard(socket)
            socket.closed.set()
            SOCKETS.dec()
            for heard in self.on_closed:
                heard(socket)
        return ws

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.ws:
            said = _said(message.data) if message.type is WSMsgType.TEXT else None
            if said is None:
                continue
            if said["type"] == "ping":
                socket.send(PONG)
            elif (hear := self.on_said.get(said["type"])) is not None and socket.may_speak():
                hear(socket, said)

    # ------------------------------------------------------------------ sessions that end or change

    def _rang(self, kind: str, ids: Sequence[int]) -> None:
        if not ids:
            self._look_at_all = True
        self._stale.update((kind, one) for one in ids)
        self._wake.set()

    async def _watch_sessions(self) -> None:
        while True:
            try:
                # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the wake-up.
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                self._look_at_all = True
            self._wake.clear()
            stale, look_at_all = self._stale, self._look_at_all
            self._stale, self._look_at_all = set(), False
            try:
                await self._look([one for one in self._sockets if look_at_all or one.key in stale])
            except LOST as error:
                log.warning("the database is away, sessions of sockets are looked at later: %s", type(error).__name__)
                self._look_at_all = True
                await asyncio.sleep(1)
            except Exception:
                log.exception("sessions of sockets could not be looked at")
                await asyncio.sleep(1)

    async def _look(self, sockets: Sequence[Socket]) -> None:
        if not sockets:
            return
        keys = {socket.key for socket in sockets}
        alive = await self._auth.alive(
            [one for kind, one in keys if kind == "session"], [one for kind, one in keys if kind == "token"]
        )
        changed = False
        for socket in sockets:
            principal = alive.get(socket.key)
            if principal is not None and principal != socket.principal:
                socket.principal = principal
                socket.pushed.clear()
                socket.send(RESYNC)
                changed = True
        if changed:
            self._changed()
        await self._close([one for one in sockets if one.key not in alive], SESSION_ENDED, b"session ended")

    async def _close(self, sockets: Sequence[Socket], code: int, reason: bytes) -> None:
        for socket in sockets:
            # At once, not when the browser has answered: from here on it gets nothing.
            self._sockets.discard(socket)
            socket.goodbye = (code, reason)
            if socket.listening is not None:
                socket.listening.cancel()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS + 2):
                await asyncio.gather(*(one.closed.wait() for one in sockets))
        except TimeoutError:
            for socket in sockets:
                socket.transport.abort()

    async def _watch_slow(self) -> None:
        while True:
            await asyncio.sleep(SLOW_LOOK_SECONDS)
            for socket in self._sockets:
                socket.catch_up()

    def _changed(self) -> None:
        for heard in self.on_change:
            heard()


async def _until_closed(socket: Socket) -> None:
    """Listens until the browser leaves or we send it away. The handler's own task says good-bye: only then does it wait for
    the browser's answer, without which some report a broken connection instead of our code."""
    try:
        if socket.listening is not None:
            await socket.listening
    except asyncio.CancelledError:
        if socket.goodbye is None:
            raise
    if socket.goodbye is not None:
        code, reason = socket.goodbye
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await socket.ws.close(code=code, message=reason)
        except TimeoutError:
            socket.transport.abort()


def count_pushes(number: int) -> None:
    PUSHES.inc(number)


def _said(text: str) -> dict[str, Any] | None:
    """None: nothing that anybody here understands."""
    try:
        said = orjson.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) and isinstance(said.get("type"), str) else None
