"""The control interface of a simulator: plain Python methods that are reachable over HTTP as well.

Write a class of methods marked with :func:`operation`; tests in the same process call them, others post JSON::

    class WecomControl(CommonControl):
        @operation
        def send_text(self, open_kfid: str, external_userid: str, text: str) -> dict[str, object]: ...

    app.router.add_routes(control_routes(control))

    POST /_control/send_text {"open_kfid": "wk1", "external_userid": "wm1", "text": "hi"}   ->  {"result": {...}}
    GET  /_control/                                                                         ->  names, fields, texts

- The JSON object's members are the keyword arguments. ``bytes`` arguments are base64 strings.
- ``async`` methods are awaited. Dataclasses in results become objects, ``bytes`` base64.
- Errors: 404 unknown operation, 422 wrong arguments, 400 with the sentence of a ``ValueError`` or ``LookupError``:
  ``{"error": "..."}``.
- Only callers on the loopback interface are served, and only with ``Content-Type: application/json``, so that a web page
  that somebody has open on this machine cannot play customer.

:class:`CommonControl` has what every platform needs: clock, faults of the API, mischief with callbacks, delivery log.
"""

from __future__ import annotations

import base64
import dataclasses
import inspect
import ipaddress
from collections.abc import Callable
from typing import Any, TypeVar, cast, get_type_hints

import orjson
from aiohttp import web

from scrm.clock import ShiftedClock
from simulator.delivery import Attempt, Deliveries, Mischief, MischiefKind
from simulator.faults import CONTROL_PREFIX, Fault, FaultKind, Faults

Method = TypeVar("Method", bound=Callable[..., Any])


def operation(method: Method) -> Method:
    """Marks a method as reachable under ``/_control/<its name>``."""
    method.is_operation = True  # type: ignore[attr-defined]
    return method


class CommonControl:
    """Operations that every simulator has."""

    def __init__(self, clock: ShiftedClock, faults: Faults, deliveries: Deliveries) -> None:
        self.clock = clock
        self.faults = faults
        self.deliveries_queue = deliveries

    @operation
    def advance_clock(self, seconds: float) -> dict[str, str]:
        """Moves the simulated clock (back with a negative number)."""
        self.clock.advance(seconds)
        return {"now": self.clock.now().isoformat()}

    @operation
    def add_fault(
        self,
        kind: FaultKind,
        path: str = "*",
        times: int | None = 1,
        skip: int = 0,
        seconds: float = 60.0,
        code: int = 500,
    ) -> Fault:
        """Makes API calls fail; see ``simulator.faults``."""
        return self.faults.add(Fault(kind, path, times, skip, seconds, code))

    @operation
    def list_faults(self) -> list[Fault]:
        """All faults with the number of calls that each has spoilt."""
        return self.faults.rules()

    @operation
    def clear_faults(self) -> None:
        """Forgets all API faults and lets go of calls that hang."""
        self.faults.clear()

    @operation
    def add_mischief(
        self, kind: MischiefKind, label: str = "*", times: int | None = 1, seconds: float = 0.2, copies: int = 2
    ) -> Mischief:
        """Loses, doubles, delays or reorders callbacks; see ``simulator.delivery``."""
        return self.deliveries_queue.add(Mischief(kind, label, times, seconds, copies))

    @operation
    def list_mischief(self) -> list[Mischief]:
        """All mischief with the number of callbacks that each has met."""
        return self.deliveries_queue.mischief()

    @operation
    def clear_mischief(self) -> None:
        """Forgets all mischief; what was held back goes out."""
        self.deliveries_queue.clear()

    @operation
    def deliveries(self, limit: int = 100) -> list[Attempt]:
        """The newest attempts to post callbacks, oldest first."""
        return list(self.deliveries_queue.log)[-limit:]

    @operation
    async def settle(self, timeout: float = 10.0) -> dict[str, int]:
        """Waits until every callback is delivered, lost or given up."""
        try:
            await self.deliveries_queue.settled(timeout)
        except TimeoutError:
            raise ValueError(f"callbacks are still under way after {timeout:g} s") from None
        return {"delivered": self.deliveries_queue.delivered, "given_up": self.deliveries_queue.given_up}


def control_routes(control: object) -> list[web.RouteDef]:
    """The routes that make ``control``'s operations reachable."""
    methods = {
        name: method for name, method in inspect.getmembers(control, callable) if getattr(method, "is_operation", False)
    }

    async def index(request: web.Request) -> web.Response:
        refusal = _refusal(request)
        return refusal or _json({name: _describe(method) for name, method in sorted(methods.items())})

    async def run(request: web.Request) -> web.Response:
        refusal = _refusal(request)
        if refusal is not None:
            return refusal
        method = methods.get(request.match_info["operation"])
        if method is None:
            return _error(404, "no such operation; GET /_control/ lists them")
        return await _run(method, await request.read())

    return [
        web.get(f"{CONTROL_PREFIX}/", index),
        web.post(f"{CONTROL_PREFIX}/{{operation}}", run),
    ]


async def _run(method: Callable[..., Any], body: bytes) -> web.Response:
    try:
        arguments = _arguments(method, body)
    except (TypeError, ValueError) as problem:
        return _error(422, str(problem))
    try:
        result = method(**arguments)
        if inspect.isawaitable(result):
            result = await result
    except LookupError as problem:
        return _error(400, str(problem.args[0]) if problem.args else "not found")
    except (TypeError, ValueError) as problem:
        return _error(400, str(problem))
    return _json({"result": result})


def _arguments(method: Callable[..., Any], body: bytes) -> dict[str, Any]:
    arguments = orjson.loads(body) if body.strip() else {}
    if not isinstance(arguments, dict):
        raise TypeError("the body must be a JSON object")
    bound = inspect.signature(method).bind(**arguments)
    hints = get_type_hints(method)
    for name, value in bound.arguments.items():
        if hints.get(name) in (bytes, bytes | None) and isinstance(value, str):
            arguments[name] = base64.b64decode(value, validate=True)
    return cast(dict[str, Any], arguments)


def _refusal(request: web.Request) -> web.Response | None:
    if not is_loopback(request.remote):
        return _error(403, "the control interface serves this machine only")
    if request.method == "POST" and request.content_type != "application/json":
        return _error(415, "send Content-Type: application/json")
    return None


def is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address((address or "").split("%")[0]).is_loopback
    except ValueError:
        return False


def _describe(method: Callable[..., Any]) -> dict[str, Any]:
    fields = {name: str(parameter.annotation) for name, parameter in inspect.signature(method).parameters.items()}
    return {"fields": fields, "text": inspect.getdoc(method) or ""}


def _json(value: object, status: int = 200) -> web.Response:
    body = orjson.dumps(value, default=_jsonable, option=orjson.OPT_NON_STR_KEYS)
    return web.Response(status=status, body=body, content_type="application/json")


def _error(status: int, sentence: str) -> web.Response:
    return _json({"error": sentence}, status)


def _jsonable(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"not JSON: {value!r}")
