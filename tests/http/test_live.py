"""The socket: what happens is told at once, to those who may hear it, and never costs more than it should."""

from __future__ import annotations

import asyncio
import random
import socket as sockets
from typing import Any

import aiohttp
import pytest

from scrm.live import frame
from scrm.services import Services
from tests.http.site import Browser, Site, eventually, running


def about(conversation: int) -> Any:
    return lambda pushed: pushed["conversation"]["id"] == conversation


def reaches(seq: int) -> Any:
    return lambda pushed: pushed["conversation"]["last_seq"] >= seq


async def test_a_message_is_pushed_as_the_api_tells_it(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    async with rep.socket() as live:
        counts = (await live.next("counts"))["counts"]
        assert counts == await rep.get("/api/conversations/counts")
        await site.says(conversation, "在吗？")
        pushed = await live.next("conversation")
        page = await rep.get(f"/api/conversations/{conversation}/messages")
        assert pushed["conversation"] == page["conversation"]
        assert pushed["messages"] == page["messages"]
        assert pushed["from_version"] < pushed["conversation"]["version"]
        counts = (await live.next("counts"))["counts"]
        assert counts == await rep.get("/api/conversations/counts")
        assert counts["all"] == {"open": 1, "unread": 1, "waiting": 1}


async def test_the_pushes_of_one_thread_join_up(site: Site) -> None:
    """A page that applies pushes by the rule of merging holds at the end what a fresh fetch says."""
    manager = await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    ids = [await site.says(conversation, "开始")]
    chance = random.Random(3)
    async with manager.socket() as live:
        page = await manager.get(f"/api/conversations/{conversation}/messages", limit=200)
        version, held = page["conversation"]["version"], {one["id"]: one for one in page["messages"]}

        async def write() -> None:
            for n in range(60):
                if chance.random() < 0.2:
                    await site.recalls(chance.choice(ids))
                else:
                    ids.append(await site.says(conversation, f"{n}"))

        writing = asyncio.create_task(write())
        final = None
        while final is None or version < final:
            pushed = await live.next("conversation")
            assert pushed["from_version"] <= version < pushed["conversation"]["version"]
            held.update({one["id"]: one for one in pushed["messages"]})
            version = pushed["conversation"]["version"]
            if writing.done():
                final = await site.services.db.fetchval("select version from conversation where id = $1", conversation)
        await writing
    page = await manager.get(f"/api/conversations/{conversation}/messages", limit=200)
    assert held == {one["id"]: one for one in page["messages"]}


async def test_nothing_of_other_teams_is_heard(site: Site) -> None:
    ours, theirs = await site.team("我们"), await site.team("他们")
    rep, manager = await site.signed_in("rep", teams=(ours,)), await site.signed_in("manager")
    connection = await site.connection()
    our_one = await site.conversation(await site.account(connection, team_id=ours))
    their_one = await site.conversation(await site.account(connection, team_id=theirs))
    async with rep.socket() as live, manager.socket() as above:
        await site.says(their_one, "秘密")
        await above.next("conversation", about(their_one))
        await site.says(our_one, "你好")
        heard = await live.quiet_until("conversation", about(our_one))
        assert all(one["type"] == "counts" for one in heard)
        assert "秘密" not in repr(live.heard)


async def test_a_conversation_given_away_is_gone_for_who_saw_it_by_assignment_only(site: Site) -> None:
    theirs = await site.team("他们")
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    me = rep.me["agent"]["id"]
    account = await site.account(await site.connection(), team_id=theirs)
    lent = await site.conversation(account, assignee_id=me)
    async with rep.socket() as live, other.socket() as elsewhere:
        # It was lent before anybody listened, and nothing happened in it since.
        await live.next("counts", lambda one: one["counts"]["mine"]["open"] == 1)
        await elsewhere.next("counts")
        await eventually(lambda: _remembered(site))
        await site.gives(lent, None)
        assert (await live.next("gone"))["conversation_id"] == lent
        await live.next("counts", lambda one: one["counts"]["mine"]["open"] == 0)
        await site.gives(lent, other.me["agent"]["id"])
        await elsewhere.next("conversation", about(lent))
        await site.gives(lent, me)
        assert (await elsewhere.next("gone"))["conversation_id"] == lent
        await live.next("conversation", about(lent))


async def _remembered(site: Site) -> bool:
    """The server has had the time to read what is seen by assignment: it does so right after a socket opened."""
    await asyncio.sleep(0.1)
    return True


async def test_what_was_recalled_is_pushed_with_its_content_only_to_those_who_may_see_it(site: Site) -> None:
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    conversation = await site.conversation(await site.account(await site.connection()))
    message = await site.says(conversation, "不该说的话")
    async with rep.socket() as live, manager.socket() as above:
        await site.recalls(message)

        def recalled(pushed: dict[str, Any]) -> bool:
            return any(one["id"] == message and one["recalled_at"] for one in pushed["messages"])

        hidden = (await live.next("conversation", recalled))["messages"]
        shown = (await above.next("conversation", recalled))["messages"]
        assert [one["text"] for one in hidden if one["id"] == message] == [""]
        assert [one["text"] for one in shown if one["id"] == message] == ["不该说的话"]


async def test_who_may_not_read_the_inbox_hears_nothing_of_it(site: Site) -> None:
    marketer, manager = await site.signed_in("marketer"), await site.signed_in("manager")
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    async with marketer.socket() as live, manager.socket() as above:
        await site.says(conversation, "你好")
        await above.next("conversation")
        await above.next("counts")
        await site.services.bus.ring("account", [account])
        heard = await live.quiet_until("accounts", lambda _: True)
        # Who is at work is told to everybody, also when the time for it comes in just this moment.
        assert {one["type"] for one in heard} <= {"attendance"}


async def test_a_ring_without_ids_makes_everybody_look_again(site: Site) -> None:
    rep = await site.signed_in("rep")
    async with rep.socket() as live:
        await site.services.bus.ring("conversation", [])
        await live.next("resync")


async def test_what_nobody_rang_for_is_found(site: Site) -> None:
    rep = await site.signed_in("rep")
    conversation = await site.conversation(await site.account(await site.connection()))
    async with rep.socket() as live:
        await live.next("counts")
        await asyncio.sleep(0.2)
        await site.services.db.execute(
            "with c as (update conversation set last_seq = 1, version = 1, unread = 1 where id = $1) "
            "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
            "values ($1, 1, 1, 'in', 'text', '没人响铃', 'received', 'customer', now())",
            conversation,
        )
        assert (await live.next("conversation"))["messages"][0]["text"] == "没人响铃"


# -------------------------------------------------------------------------------------------------- sessions


async def test_an_ended_session_closes_its_sockets_in_every_process(services: Services) -> None:
    async with running(services) as one, running(services) as two:
        agent = await one.agent("rep")
        browser, other = await one.sign_in(agent), await one.sign_in(agent)
        there = Browser(browser.http, two.base, browser.csrf, browser.me)
        async with browser.socket() as live, there.socket() as far, other.socket() as stays:
            assert (await browser.call("DELETE", "/api/session"))[0] == 204
            for ended in (live, far):
                await closed(ended.ws)
                assert ended.ws.close_code == 4401
            await stays.ws.send_str('{"type":"ping"}')
            await stays.next("pong")


async def test_a_disabled_agent_hears_nothing_more(site: Site) -> None:
    admin, agent = await site.signed_in("admin"), await site.agent("rep")
    rep = await site.sign_in(agent)
    async with rep.socket() as live:
        await admin.call("PATCH", f"/api/agents/{agent}", json={"disabled": True})
        await closed(live.ws)
        assert live.ws.close_code == 4401


async def test_an_ended_token_closes_its_socket(site: Site) -> None:
    rep = await site.signed_in("rep")
    made = await rep.post("/api/tokens", {"name": "机器人"}, status=201)
    program = site.stranger()
    program.me = rep.me
    async with program.socket(Authorization=f"Bearer {made['token']}") as live:
        await rep.call("DELETE", f"/api/tokens/{made['id']}")
        await closed(live.ws)
        assert live.ws.close_code == 4401


async def test_a_new_team_is_heard_of_without_signing_in_again(site: Site) -> None:
    ours = await site.team("我们")
    admin, agent = await site.signed_in("admin"), await site.agent("rep")
    rep = await site.sign_in(agent)
    conversation = await site.conversation(await site.account(await site.connection(), team_id=ours))
    async with rep.socket() as live:
        await admin.call("PATCH", f"/api/agents/{agent}", json={"team_ids": [ours]})
        await live.next("resync")
        await site.says(conversation, "你好")
        await live.next("conversation", about(conversation))
        await admin.call("PATCH", f"/api/agents/{agent}", json={"team_ids": []})
        await live.next("resync")
        assert (await rep.call("GET", f"/api/conversations/{conversation}"))[0] == 404


@pytest.mark.parametrize(
    ("headers", "cookie", "status"),
    [
        ({}, False, 401),
        ({"Origin": "https://evil.example"}, True, 403),
        ({"Origin": "null"}, True, 403),
        ({"Origin": "http://127.0.0.1"}, True, 403),
    ],
)
async def test_sockets_that_are_refused(site: Site, headers: dict[str, str], cookie: bool, status: int) -> None:
    browser = await site.signed_in("rep") if cookie else site.stranger()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.http.ws_connect(f"{site.base}/ws", headers=headers)
    assert refused.value.status == status


async def test_our_own_page_and_a_plain_request(site: Site) -> None:
    browser = await site.signed_in("rep")
    async with browser.socket(Origin=site.base) as live:
        await live.ws.send_str('{"type":"ping"}')
        await live.next("pong")
        for nonsense in ("", "{", "[]", '{"type":7}', '"ping"'):
            await live.ws.send_str(nonsense)
        await live.ws.send_str('{"type":"ping"}')
        await live.next("pong")
    assert (await browser.call("GET", "/ws"))[0] == 400


async def test_what_a_browser_says_is_short(site: Site) -> None:
    browser = await site.signed_in("rep")
    async with browser.socket() as live:
        await live.ws.send_str("x" * 10_000)
        await closed(live.ws)
        assert live.ws.close_code == 1009


async def test_the_server_says_good_bye(services: Services) -> None:
    async with running(services) as site:
        browser = await site.signed_in("rep")
        connected = await browser.http.ws_connect(f"{site.base}/ws")
        reading = asyncio.create_task(closed(connected))
    await reading
    assert connected.close_code == 1001


# -------------------------------------------------------------------------------------------------- slow browsers


async def test_a_browser_that_does_not_read_costs_little_and_catches_up(services: Services) -> None:
    async with running(services) as site:
        rep, quick = await site.signed_in("rep"), await site.signed_in("rep")
        conversation = await site.conversation(await site.account(await site.connection()))
        slow = await _connect_without_reading(site, rep)
        try:
            async with quick.socket() as live:
                for number in range(70):
                    await site.says(conversation, f"{number} " + "长" * 60_000)
                    await live.next("conversation", reaches(number + 1))
                raw = await asyncio.to_thread(_read_until, slow, b'"resync"')
            assert len(raw) < 60 * 180_000, "more than a bounded part of it was kept for the slow one"
        finally:
            slow.close()


async def _connect_without_reading(site: Site, browser: Browser) -> sockets.socket:
    """A raw socket, because any library would read."""
    host, port = site.base.removeprefix("http://").split(":")
    cookie = "; ".join(f"{one.key}={one.value}" for one in browser.http.cookie_jar)
    request = (
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nCookie: {cookie}\r\n\r\n"
    )

    def connect() -> sockets.socket:
        raw = sockets.create_connection((host, int(port)))
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 64 << 10)
        raw.sendall(request.encode())
        assert raw.recv(12) == b"HTTP/1.1 101"
        return raw

    return await asyncio.to_thread(connect)


def _read_until(raw: sockets.socket, wanted: bytes) -> bytes:
    raw.settimeout(20)
    data = b""
    while wanted not in data[-400_000:]:
        part = raw.recv(1 << 20)
        assert part, "closed"
        data += part
    return data


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
async def test_frames_are_what_a_websocket_library_reads(size: int, unused_port: int) -> None:
    from aiohttp import web

    async def handle(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        assert request.transport is not None
        request.transport.write(frame(b"x" * size) + frame(b"end"))
        await ws.receive()
        return ws

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_port).start()
    async with aiohttp.ClientSession() as client, client.ws_connect(f"http://127.0.0.1:{unused_port}/") as ws:
        assert await ws.receive_str() == "x" * size
        assert await ws.receive_str() == "end"
    await runner.cleanup()


@pytest.fixture
def unused_port() -> int:
    with sockets.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def closed(ws: aiohttp.ClientWebSocketResponse) -> None:
    while not ws.closed:
        await asyncio.wait_for(ws.receive(), 10)
