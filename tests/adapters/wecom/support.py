"""What the tests of the WeCom adapter share: a connection, callbacks sealed as the platform seals them, and a small server."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import aiohttp
from aiohttp import web
from wechatpy.work.crypto import PrpCrypto

from adapters.wecom import PROVIDER
from adapters.wecom.adapter import WeComAdapter
from scrm.channel import (
    AccountRef,
    AdapterContext,
    ConnectionConfig,
    ContactRef,
    Event,
    Sentence,
    WebhookRequest,
)
from scrm.clock import Clock, ManualClock
from scrm.testing import MemoryCache, memory_context

CORP_ID = "ww1234567890abcdef"
SECRET = "an-app-secret"
ARCHIVE_SECRET = "the-secret-of-the-archive"
TOKEN = "callbackToken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RECEIVED = datetime(2026, 3, 1, 7, 59, 30, tzinfo=UTC)


class WatchedCache(MemoryCache):
    """Remembers under which keys something was kept, and for how long."""

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[str, float] = {}

    async def get_or_make(
        self, key: str, make: Callable[[], Awaitable[tuple[str, float]]], *, not_value: str | None = None
    ) -> str:
        async def watched() -> tuple[str, float]:
            value, self.lives[key] = await make()
            return value, self.lives[key]

        return await super().get_or_make(key, watched, not_value=not_value)


def context(
    http: aiohttp.ClientSession, clock: Clock | None = None, cache: MemoryCache | None = None
) -> AdapterContext:
    return memory_context(http, clock or ManualClock(NOW), cache=cache)


def config(base_url: str = "http://127.0.0.1:9", **changed: str) -> ConnectionConfig:
    """The test connection; ``changed`` replaces settings and secrets by name."""
    secrets = {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY, "archive_secret": ARCHIVE_SECRET}
    settings = {"corp_id": CORP_ID, "agent_id": "1000002", "base_url": base_url}
    return ConnectionConfig(
        1,
        "test",
        {name: changed.get(name, value) for name, value in settings.items()},
        {name: changed.get(name, value) for name, value in secrets.items()},
    )


def connect(lent: AdapterContext, base_url: str = "http://127.0.0.1:9", **changed: str) -> WeComAdapter:
    adapter = PROVIDER.build(config(base_url, **changed), lent)
    assert isinstance(adapter, WeComAdapter)
    return adapter


# Callbacks


def signature(*values: str) -> str:
    return hashlib.sha1("".join(sorted(values)).encode(), usedforsecurity=False).hexdigest()


def seal(message: str | bytes, *, receive_id: str = CORP_ID, key: str = AES_KEY) -> str:
    """``message`` encrypted as the platform does it, with new random bytes each time."""
    return str(PrpCrypto(base64.b64decode(key + "=")).encrypt(message, receive_id).decode())


def query(
    encrypted: str, *, nonce: str = "1372623149", timestamp: str = "1409659813", token: str = TOKEN
) -> dict[str, str]:
    return {
        "msg_signature": signature(token, timestamp, nonce, encrypted),
        "timestamp": timestamp,
        "nonce": nonce,
    }


def envelope(encrypted: str) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
        "<AgentID><![CDATA[218]]></AgentID></xml>"
    ).encode()


def push(message: str | bytes, **changed: str) -> WebhookRequest:
    """A genuine callback with this clear text."""
    encrypted = seal(message)
    return WebhookRequest("POST", query(encrypted, **changed), {"content-type": "text/xml"}, envelope(encrypted))


# Events as plain values, for tables


def plain(event: Event) -> dict[str, Any]:
    """An event as the tables write it: its type, and every field that says something."""
    return {"type": type(event).__name__, **_fields(event)}


def _fields(value: Any) -> dict[str, Any]:
    found = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return {name: said for name, said in found.items() if not _says_nothing(name, said)}


def _says_nothing(name: str, said: Any) -> bool:
    return said in (None, "", [], {}) or (said == 0 and (name == "echo" or not isinstance(said, bool)))


def _plain(value: Any) -> Any:
    if isinstance(value, AccountRef):
        return f"{value.channel}/{value.external_id}"
    if isinstance(value, ContactRef):
        return value.external_id
    if isinstance(value, Sentence):
        return value.zh
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return _fields(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value


# A small real server


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = Any
"""A dict (answered as JSON), a response, or an async function from the request to one of these."""


class Platform:
    """Answers as it is told. Paths are those below ``/cgi-bin/``; each has a list of replies, the last of which repeats."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.base_url = ""
        self._replies: dict[str, list[Reply]] = {}
        self.tokens_given = 0

    def reply(self, path: str, *replies: Reply) -> None:
        self._replies[path] = list(replies)

    def calls(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/cgi-bin/")
        body = await request.read()
        self.asked.append(Asked(request.method, path, dict(request.query), body, dict(request.headers)))
        replies = self._replies.get(path)
        if path == "gettoken" and not replies:
            self.tokens_given += 1
            token = f"token-{self.tokens_given}"
            return web.json_response({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": 7200})
        if not replies:
            return web.json_response({"errcode": 0, "errmsg": "ok"})
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if callable(reply):
            reply = await reply(request)
        return web.json_response(reply) if isinstance(reply, dict) else reply


@asynccontextmanager
async def platform() -> AsyncIterator[Platform]:
    """A server on a free port of this machine."""
    server = Platform()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.base_url = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()


async def hang_up(request: web.Request) -> web.Response:
    """Cuts the connection after the request was read: nobody will know what became of it."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
