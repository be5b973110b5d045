"""One call of the API: what an endpoint gets, how it refuses, how it reads the fields of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from simulator.wecom.errors import Refused
from simulator.wecom.state import App, Corp, JsonObject, KfAccount

Answer = JsonObject | web.StreamResponse
Right = Literal["app", "kf", "contacts", "archive"]


@dataclass(frozen=True)
class Call:
    """``now`` is the simulated time in whole seconds, ``exact`` with fractions. ``body`` is the JSON object of a POST, else empty."""

    corp: Corp
    app: App
    now: int
    query: Mapping[str, str]
    body: JsonObject
    request: web.Request
    exact: float = 0.0

    def string(self, name: str, *, missing: int = 40063) -> str:
        """A required text. Refused with ``missing`` when it is absent or empty, with 40058 when it is no text."""
        value = self.optional(name)
        if not value:
            raise Refused(missing, f"{name} is empty")
        return value

    def optional(self, name: str, default: str = "") -> str:
        value = self.body.get(name, default)
        if value is None:
            return default
        if not isinstance(value, str):
            raise Refused(40058, f"{name} must be a string")
        return value

    def number(self, name: str, *, default: int | None = None, low: int = 0, high: int | None = None) -> int:
        value = self.body.get(name, default)
        if value is None:
            raise Refused(40063, f"{name} is empty")
        if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
            raise Refused(40058, f"{name} is out of range")
        return value

    def strings(self, name: str, *, limit: int, required: bool = True) -> list[str]:
        value = self.body.get(name) or []
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise Refused(40058, f"{name} must be a list of strings")
        if required and not value:
            raise Refused(40063, f"{name} is empty")
        if len(value) > limit:
            raise Refused(40058, f"{name} has more than {limit} entries")
        return value

    def parameter(self, name: str, *, missing: int = 40063) -> str:
        """A required field of the query."""
        value = self.query.get(name, "")
        if not value:
            raise Refused(missing, f"{name} is empty")
        return value

    def kf_account(self) -> KfAccount:
        """The account named by ``open_kfid``, which the app may use."""
        return kf_account(self.corp, self.string("open_kfid", missing=60251))


def kf_account(corp: Corp, open_kfid: str) -> KfAccount:
    if not open_kfid.startswith("wk") or len(open_kfid) > 64:
        raise Refused(95000)
    account = corp.kf.get(open_kfid)
    if account is None:
        raise Refused(95004)
    if not account.granted:
        raise Refused(48007)
    return account


def part(body: Mapping[str, Any], name: str) -> JsonObject:
    """The object that carries a message type's fields."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise Refused(40063, f"{name} is empty")
    return value


def text_field(fields: Mapping[str, Any], name: str, *, limit: int, required: bool = False) -> str:
    """A text of at most ``limit`` bytes."""
    value = fields.get(name)
    if value is None or value == "":
        if required:
            raise Refused(40063, f"{name} is empty")
        return ""
    if not isinstance(value, str):
        raise Refused(40058, f"{name} must be a string")
    if len(value.encode()) > limit:
        raise Refused(40058, f"{name} is longer than {limit} bytes")
    return value


@dataclass(frozen=True)
class Endpoint:
    """``method`` "ANY" is for calls whose documents say POST and whose clients in use send GET as well. ``takes_json`` False:
    the call reads the request itself (uploads)."""

    method: Literal["GET", "POST", "ANY"]
    run: Callable[[Call], Answer | Awaitable[Answer]]
    right: Right = "app"
    takes_json: bool = True


Endpoints = dict[str, Endpoint]
