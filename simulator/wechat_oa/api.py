"""One call of the API: what an endpoint gets, and how it reads the fields of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.state import Account, JsonObject, Person

Answer = JsonObject | web.StreamResponse
OK: JsonObject = {"errcode": 0, "errmsg": "ok"}


@dataclass(frozen=True)
class Call:
    platform: Platform
    account: Account
    query: Mapping[str, str]
    body: JsonObject
    request: web.Request

    @property
    def now(self) -> int:
        return int(self.platform.now)

    def string(self, name: str, *, missing: int = 61451) -> str:
        """A required text of the body."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(missing, f"{name} is missing")
        return value

    def part(self, name: str) -> JsonObject:
        """The object that carries a message type's fields."""
        value = self.body.get(name)
        if not isinstance(value, dict):
            raise Refused(47001, f"{name} is missing")
        return value

    def parameter(self, name: str, *, missing: int = 61451) -> str:
        """A required field of the query."""
        value = self.query.get(name, "")
        if not value:
            raise Refused(missing, f"{name} is missing")
        return value

    def person(self, openid: str) -> Person:
        """Refused with 40003 for somebody whom the account does not know."""
        person = self.account.people.get(openid)
        if person is None:
            raise Refused(40003)
        return person

    def openids(self, name: str, *, most: int, least: int = 1) -> list[str]:
        value = self.body.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Refused(47001, f"{name} must be a list of openids")
        if not least <= len(value) <= most:
            raise Refused(40032, f"{name} has {len(value)} entries, {least} to {most} are allowed")
        return value

    def checked_text(self, words: object) -> str:
        if not isinstance(words, str) or not words:
            raise Refused(44004)
        if len(words.encode()) > self.platform.settings.text_bytes:
            raise Refused(45002)
        return words


@dataclass(frozen=True)
class Endpoint:
    """``verified``: only for verified accounts, else 48001. ``service``: only for service accounts. ``takes_json`` False: the call
    reads the request itself (uploads)."""

    method: Literal["GET", "POST"]
    run: Callable[[Call], Answer | Awaitable[Answer]]
    verified: bool = False
    service: bool = False
    takes_json: bool = True


Endpoints = dict[str, Endpoint]
