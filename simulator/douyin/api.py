"""One call of the API, and how the server turns endpoints into routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from simulator.douyin.errors import Refused
from simulator.douyin.platform import Platform
from simulator.douyin.state import Account, App, JsonObject

Who = Literal["nobody", "app", "account"]


@dataclass(frozen=True)
class Call:
    """``app`` and ``account`` are who calls, as far as the endpoint demands it; reading them otherwise is a bug here."""

    platform: Platform
    query: Mapping[str, str]
    body: JsonObject
    """The JSON object or the form of a POST; empty for multipart, which the endpoint reads itself."""
    request: web.Request
    caller_app: App | None = None
    caller_account: Account | None = None

    @property
    def app(self) -> App:
        if self.caller_app is None:
            raise RuntimeError("this endpoint has no calling app")
        return self.caller_app

    @property
    def account(self) -> Account:
        if self.caller_account is None:
            raise RuntimeError("this endpoint has no calling account")
        return self.caller_account

    def string(self, name: str, *, missing: int = 28001007) -> str:
        """A required text of the body."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(missing, f"{name} is missing" if missing == 28001007 else "")
        return value

    def asked(self, name: str) -> str:
        """A required parameter of the query."""
        value = self.query.get(name, "")
        if not value:
            raise Refused(28001007, f"{name} is missing")
        return value

    def number(self, name: str, *, default: int, low: int, high: int) -> int:
        """A number in the query."""
        try:
            value = int(self.query.get(name, default))
        except ValueError:
            raise Refused(28001007, f"{name} is no number") from None
        if not low <= value <= high:
            raise Refused(28001007, f"{name} is out of range")
        return value


Answer = JsonObject
Handler = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True)
class Endpoint:
    """``scope``: what the calling account must have granted, or (for ``who="app"``) the app must have."""

    method: Literal["GET", "POST"]
    path: str
    who: Who
    handler: Handler
    scope: str = ""


def listed(items: list[Any], cursor: int, count: int) -> JsonObject:
    page = items[cursor : cursor + count]
    return {"list": page, "cursor": cursor + len(page), "has_more": cursor + len(page) < len(items)}
