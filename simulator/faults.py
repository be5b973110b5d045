"""Faults of a simulated API, so that a client's behaviour can be seen when the platform misbehaves.

Use in a simulator::

    faults = Faults(refusal=lambda request, code: web.json_response({"errcode": code, "errmsg": "..."}))
    app = web.Application(middlewares=[faults.middleware])

Use in a test (or over ``POST /_control/add_fault`` with the same fields)::

    fault = faults.add(Fault("drop_after", "/cgi-bin/kf/send_msg"))          # the next call: performed, never answered
    faults.add(Fault("refuse", "/cgi-bin/*", code=45009, times=3))           # three calls are throttled
    faults.add(Fault("delay", seconds=2, times=None))                        # every call, until faults.clear()
    assert fault.hits == 1

Kinds: ``before`` the call is performed means that the platform's state is untouched.

=============== ====================================================================================================
``delay``       waits ``seconds``, then performs and answers
``hang``        never answers, nothing is performed (until the caller leaves, or ``seconds`` have passed, or ``clear()``)
``hang_after``  performs the call, then never answers
``drop``        cuts the connection before anything is performed
``drop_after``  performs the call, then cuts the connection
``status``      answers the HTTP status ``code`` (default 500) with a page that is no JSON; nothing is performed
``refuse``      answers the platform's own error ``code`` (throttle, expired token, ...); nothing is performed
``broken``      performs the call and answers with the first half of its body
=============== ====================================================================================================

The first matching fault with calls left is used, in the order of ``add``. ``path`` is a glob (``*`` matches ``/`` too).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from aiohttp import web
from aiohttp.typedefs import Middleware

FaultKind = Literal["delay", "hang", "hang_after", "drop", "drop_after", "status", "refuse", "broken"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusal = Callable[[web.Request, int], web.StreamResponse]

CONTROL_PREFIX = "/_control"
_GONE_POLL_SECONDS = 0.02


@dataclass
class Fault:
    """One rule. ``skip`` calls pass first, then ``times`` calls fail (None: all); ``hits`` counts those that failed."""

    kind: FaultKind
    path: str = "*"
    times: int | None = 1
    skip: int = 0
    seconds: float = 60.0
    code: int = 500
    hits: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault {self.kind!r}; one of {', '.join(get_args(FaultKind))}")

    def takes(self, path: str) -> bool:
        """Whether this call is to fail; counts it if so."""
        if not fnmatchcase(path, self.path) or (self.times is not None and self.hits >= self.times):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of one simulated server. The control interface is never touched by them."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal
        self._rules: list[Fault] = []
        self._released = asyncio.Event()

    def add(self, fault: Fault) -> Fault:
        self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Forgets all rules and lets go of the calls that hang."""
        self._rules.clear()
        self._released.set()
        self._released = asyncio.Event()

    def rules(self) -> list[Fault]:
        return list(self._rules)

    def take(self, path: str) -> Fault | None:
        if path.startswith(CONTROL_PREFIX):
            return None
        return next((rule for rule in self._rules if rule.takes(path)), None)

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self.take(request.path) if self._rules else None
            if fault is None:
                return await handler(request)
            return await self._misbehave(fault, request, handler)

        return with_faults

    async def _misbehave(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        match fault.kind:
            case "delay":
                await self._wait(request, fault.seconds)
                return await handler(request)
            case "hang":
                await self._wait(request, fault.seconds)
                return _cut(request)
            case "hang_after":
                await handler(request)
                await self._wait(request, fault.seconds)
                return _cut(request)
            case "drop":
                return _cut(request)
            case "drop_after":
                await handler(request)
                return _cut(request)
            case "status":
                page = "<html><body><h1>The server had a problem</h1></body></html>"
                return web.Response(status=fault.code, text=page, content_type="text/html")
            case "refuse":
                return self._refusal(request, fault.code)
            case "broken":
                return _half(await handler(request))

    async def _wait(self, request: web.Request, seconds: float) -> None:
        """Waits, but not longer than the caller does: a client that gave up must not keep the server from stopping."""
        released = self._released
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and not released.is_set():
            if request.transport is None or request.transport.is_closing():
                return
            await asyncio.sleep(min(_GONE_POLL_SECONDS, max(0.0, end - loop.time())))


def _cut(request: web.Request) -> web.StreamResponse:
    """Ends the connection without an answer: the response that is returned has nowhere to go."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _half(response: web.StreamResponse) -> web.StreamResponse:
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b'{"errcode'
    return web.Response(status=response.status, body=body[: max(1, len(body) // 2)], content_type="application/json")
