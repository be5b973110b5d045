"""A running web server with a small company in its database, and browsers that talk to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from audit.alerts.push import AlertPusher
from customers.push import CustomerPusher
from inbox.rows import lock_one, save
from inbox.socket import add_pushes
from scrm.http import Route
from scrm.people import create_agent, create_team
from scrm.route_table import routes
from scrm.services import Services
from scrm.webserver import HUB, make_web_app

PASSWORD = "a long password 1"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class Browser:
    """A session with its cookie and CSRF token; ``csrf`` empty: it does not send any."""

    http: aiohttp.ClientSession
    base: str
    csrf: str = ""
    me: dict[str, Any] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """The status and the decoded answer (None without one)."""
        headers = {**({"X-CSRF-Token": self.csrf} if self.csrf else {}), **options.pop("headers", {})}
        async with self.http.request(
            method, self.base + path, headers=headers, allow_redirects=False, **options
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, orjson.loads(raw) if is_json and raw else (raw or None)

    async def get(self, path: str, **query: Any) -> Any:
        status, body = await self.call("GET", path, params={k: str(v) for k, v in query.items() if v is not None})
        assert status == 200, (status, body)
        return body

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        got, answer = await self.call("POST", path, json=body) if body is not None else await self.call("POST", path)
        assert got == status, (got, answer)
        return answer

    @asynccontextmanager
    async def socket(self, **headers: str) -> AsyncIterator[Live]:
        async with self.http.ws_connect(f"{self.base}/ws", headers=headers) as ws:
            live = Live(ws)
            hello = await live.next("hello")
            assert hello["agent_id"] == self.me["agent"]["id"]
            yield live


class Live:
    """An open socket; :meth:`next` waits for a frame of a type."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.heard: list[dict[str, Any]] = []

    async def read(self, seconds: float = 10) -> dict[str, Any] | None:
        """The next frame; None when the socket is closed."""
        message = await asyncio.wait_for(self.ws.receive(), seconds)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        frame: dict[str, Any] = orjson.loads(message.data)
        self.heard.append(frame)
        return frame

    async def next(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            frame = await self.read(max(deadline - time.monotonic(), 0.1))
            assert frame is not None, f"closed with {self.ws.close_code} while waiting for {kind}"
            if frame["type"] == kind and fits(frame):
                return frame
        raise AssertionError(f"no {kind} came")

    async def quiet_until(self, kind: str, fits: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Everything heard before that frame."""
        began = len(self.heard)
        await self.next(kind, fits)
        return self.heard[began:-1]


@dataclass
class Site:
    services: Services
    base: str
    table: list[Route]
    _open: list[aiohttp.ClientSession] = field(default_factory=list)
    _names: int = 0

    def stranger(self) -> Browser:
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._open.append(session)
        return Browser(session, self.base)

    async def agent(self, role: str, *, teams: tuple[int, ...] = (), login: str = "") -> int:
        self._names += 1
        login = login or f"{role}{self._names}"
        async with self.services.work() as work:
            return await create_agent(
                work, login=login, name=f"坐席{self._names}", role=role, password=PASSWORD, team_ids=teams
            )

    async def sign_in(self, agent_id: int) -> Browser:
        browser = self.stranger()
        login = await self.services.db.fetchval("select login from agent where id = $1", agent_id)
        browser.me = await browser.post("/api/session", {"login": login, "password": PASSWORD})
        browser.csrf = browser.me["csrf_token"]
        return browser

    async def signed_in(self, role: str, *, teams: tuple[int, ...] = ()) -> Browser:
        return await self.sign_in(await self.agent(role, teams=teams))

    async def team(self, name: str) -> int:
        async with self.services.work() as work:
            return await create_team(work, name)

    async def close(self) -> None:
        for session in self._open:
            await session.close()

    # ------------------------------------------------------------------ rows

    async def connection(self) -> int:
        settings = {"corp_id": "ww0123456789abcdef", "base_url": "http://127.0.0.1:1"}
        secrets = {"secret": "s" * 43, "token": "tokentoken", "encoding_aes_key": "k" * 43}
        async with self.services.work() as work:
            made = await self.services.connections.create(work, "wecom", "企业微信", settings, secrets)
        await self.services.connections.refresh()
        return made

    async def account(self, connection_id: int, *, team_id: int | None = None, channel: str = "wecom_kf") -> int:
        self._names += 1
        made: int = await self.services.db.fetchval(
            "insert into account (connection_id, channel, external_id, name, team_id) values ($1, $2, $3, $3, $4) returning id",
            connection_id, channel, f"kf{self._names}", team_id,
        )  # fmt: skip
        return made

    async def conversation(self, account_id: int, **columns: Any) -> int:
        self._names += 1
        db = self.services.db
        customer = await db.fetchval("insert into customer (name) values ($1) returning id", f"客户{self._names}")
        connection = await db.fetchval("select connection_id from account where id = $1", account_id)
        contact = await db.fetchval(
            "insert into contact (connection_id, external_id, customer_id, name) values ($1, $2, $3, $4) returning id",
            connection, f"wm{self._names}", customer, f"客户{self._names}",
        )  # fmt: skip
        values = {"account_id": account_id, "contact_id": contact, "last_message_at": START, **columns}
        names = ", ".join(values)
        places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        made: int = await db.fetchval(
            f"insert into conversation ({names}) values ({places}) returning id", *values.values()
        )
        return made

    async def says(self, conversation_id: int, text: str, *, direction: str = "in", **columns: Any) -> int:
        """A message, written as every message is: numbered under the conversation's lock, rung after the commit."""
        async with self.services.work() as work:
            conversation = await lock_one(work, conversation_id)
            assert conversation is not None
            values = {
                "conversation_id": conversation_id, "seq": conversation.next_seq(), "version": conversation.next_version(),
                "direction": direction, "kind": "text", "text": text,
                "state": "received" if direction == "in" else "sent",
                "sender_kind": "customer" if direction == "in" else "agent", "sent_at": work.now, "created_at": work.now,
                **columns,
            }  # fmt: skip
            names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
            made: int = await work.tx.fetchval(
                f"insert into message ({names}) values ({places}) returning id", *values.values()
            )
            conversation.last_message_at = max(conversation.last_message_at, work.now)
            conversation.preview = text
            if direction == "in":
                conversation.unread += 1
                conversation.waiting_since = conversation.waiting_since or work.now
            await save(work, [conversation])
        return made

    async def recalls(self, message_id: int) -> None:
        async with self.services.work() as work:
            where = await work.tx.fetchval("select conversation_id from message where id = $1", message_id)
            conversation = await lock_one(work, where)
            assert conversation is not None
            await work.tx.execute(
                "update message set recalled_at = $2, recalled_by = 'customer', version = $3 where id = $1",
                message_id, work.now, conversation.next_version(),
            )  # fmt: skip
            await save(work, [conversation])

    async def gives(self, conversation_id: int, agent_id: int | None) -> None:
        async with self.services.work() as work:
            conversation = await lock_one(work, conversation_id)
            assert conversation is not None
            conversation.assignee_id = agent_id
            conversation.next_version()
            await save(work, [conversation])


@cache
def every_route() -> list[Route]:
    """The table is the same for every server."""
    return routes()


@asynccontextmanager
async def running(services: Services, table: list[Route] | None = None) -> AsyncIterator[Site]:
    table = every_route() if table is None else table
    app = make_web_app(services, table)
    add_pushes(app, services, app[HUB])
    app.cleanup_ctx.append(CustomerPusher(services, app[HUB]).running)
    app.cleanup_ctx.append(AlertPusher(services, app[HUB]).running)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site = Site(services, f"http://127.0.0.1:{runner.addresses[0][1]}", table)
    try:
        yield site
    finally:
        await runner.cleanup()
        await site.close()


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 10) -> Any:
    """Waits until ``check`` returns something true."""
    deadline = time.monotonic() + seconds
    while not (found := await check()):
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)
    return found


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)
