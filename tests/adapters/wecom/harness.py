"""The simulated WeCom as the conformance kit and our own flows drive it: one company, one account, one customer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from adapters.wecom.adapter import WeComAdapter
from adapters.wecom.provider import build
from scrm.channel import Adapter, Event, Kind, MessageReceived, Pulls, Raw, Verified, WebhookRequest
from scrm.testing import Delivered, MemoryCache, Sample, SendFault, memory_context, outgoing_media
from simulator import pictures
from simulator.faults import Fault, FaultKind
from simulator.wecom.control import WecomControl
from simulator.wecom.server import WecomSimulator
from simulator.wecom.state import Received
from tests.adapters.wecom.support import AES_KEY, CORP_ID, NOW, SECRET, TOKEN, config, envelope, push, query, seal

ANSWER_WITHIN = 0.5
"""Seconds."""
SEND = "/cgi-bin/kf/send_msg"
MOST_PAGES = 100
FAULTS: Mapping[SendFault, FaultKind] = {
    "timeout_before": "hang",
    "timeout_after": "hang_after",
    "drop_before": "drop",
    "drop_after": "drop_after",
    "broken_answer": "broken",
    "server_error": "status",
}
KINDS: Mapping[str, Kind] = {
    "text": Kind.TEXT,
    "image": Kind.IMAGE,
    "voice": Kind.VOICE,
    "video": Kind.VIDEO,
    "file": Kind.FILE,
    "link": Kind.LINK,
    "miniprogram": Kind.MINIPROGRAM,
    "msgmenu": Kind.MENU,
    "location": Kind.LOCATION,
}
PNG = pictures.png(2, 2, [b"\x10\x80\xf0" * 2] * 2)
FILES: Mapping[Kind, tuple[bytes, str, str]] = {
    Kind.IMAGE: (PNG, "图片.png", "image/png"),
    Kind.VOICE: (b"#!AMR\n" + bytes(64), "voice.amr", "audio/amr"),
    Kind.VIDEO: (b"\0\0\0\x18ftypmp42" + bytes(64), "video.mp4", "video/mp4"),
    Kind.FILE: (b"%PDF-1.7 a quotation", "报价单.pdf", "application/pdf"),
}
CONTENTS: Mapping[Kind, dict[str, object]] = {
    Kind.LINK: {"title": "客房介绍", "description": "湖景房", "url": "https://hotel.example/rooms"},
    Kind.MINIPROGRAM: {"title": "在线订房", "app_id": "wx0123456789abcdef", "path": "pages/book"},
    Kind.MENU: {"head": "满意吗？", "items": [{"type": "click", "id": "1", "text": "满意"}], "tail": "谢谢"},
    Kind.LOCATION: {"name": "西湖宾馆", "address": "杨公堤", "latitude": 30.25, "longitude": 120.125},
}


_warm = False


class WeComHarness:
    channel = "wecom_kf"

    def __init__(self, simulator: WecomSimulator, http: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.http = http
        self.cache = MemoryCache(simulator.clock)
        self.agent_id = "1000002"
        self.play.create_app(CORP_ID, SECRET)
        self.play.create_member(CORP_ID, "HanMeimei", "韩梅梅")
        self.account = self.play.create_kf_account(CORP_ID, "西湖宾馆客服", servicers=["HanMeimei"])
        self.customer = self.play.create_customer(CORP_ID, "李雷", unionid="oUnionLiLei")
        self.callbacks: asyncio.Queue[WebhookRequest] = asyncio.Queue()

    @property
    def play(self) -> WecomControl:
        return self.simulator.control

    def connect(self, base_url: str = "") -> WeComAdapter:
        lent = memory_context(self.http, self.simulator.clock, cache=self.cache if not base_url else None)
        wanted = config(base_url or self.simulator.base_url, agent_id=self.agent_id)
        adapter = build(wanted, lent, answer_within=ANSWER_WITHIN)
        assert isinstance(adapter, WeComAdapter)
        return adapter

    async def listen(self, server: BaseTestServer) -> None:
        """From now on the platform's callbacks come to ``server``."""
        await self.play.set_callback(CORP_ID, str(server.make_url("/callback")), TOKEN, AES_KEY, check=False)

    async def callback(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.callbacks.put_nowait(WebhookRequest("POST", dict(request.query), dict(request.headers), body))
        return web.Response()

    async def next_callback(self) -> WebhookRequest:
        return await asyncio.wait_for(self.callbacks.get(), 10)

    # Webhooks

    async def webhook(self, text: str) -> WebhookRequest:
        self.play.customer_says(self.account, self.customer, text)
        return await self.next_callback()

    def repeated(self, request: WebhookRequest) -> WebhookRequest:
        """As the platform does it: the same message, encrypted anew, under another nonce and time."""
        verified = self.connect().verify(request)
        assert isinstance(verified, Verified)
        return push(verified.raw, nonce="another", timestamp="1772352005")

    def tampered(self, request: WebhookRequest) -> Sequence[WebhookRequest]:
        other = seal("<xml><Event>kf_msg_or_event</Event><OpenKfId>wkEvil</OpenKfId></xml>")
        abroad = seal("<xml/>", receive_id="ww-of-somebody-else")
        return [
            replace(request, body=envelope(other)),
            replace(request, query=query(other)),
            replace(request, query={**request.query, "msg_signature": "0" * 40}),
            replace(request, query={**request.query, "nonce": "1"}),
            replace(request, query=query(other, token="guessed"), body=envelope(other)),
            WebhookRequest("POST", query(abroad), {}, envelope(abroad)),
            replace(request, body=b"<!DOCTYPE x>" + request.body),
            WebhookRequest("GET", {**query(other, token="guessed"), "echostr": other}, {}, b""),
        ]

    # The customer

    async def customer_writes(self, adapter: Adapter, text: str) -> MessageReceived:
        return await self._read(adapter, self.play.customer_says(self.account, self.customer, text))

    async def customer_sends_file(self, adapter: Adapter, kind: Kind, content: bytes) -> MessageReceived | None:
        sent = self.play.customer_sends_media(self.account, self.customer, kind.value, content)  # type: ignore[arg-type]
        return await self._read(adapter, sent["msgid"])

    async def _read(self, adapter: Adapter, message_id: str) -> MessageReceived:
        for event in await self.events(adapter):
            if isinstance(event, MessageReceived) and event.message_id == message_id:
                return event
        raise AssertionError(f"the message {message_id} did not arrive")

    async def events(self, adapter: Adapter) -> list[Event]:
        """Everything that the account's stream holds."""
        assert isinstance(adapter, Pulls)
        stream, cursor, found = f"kf:{self.account}", "", list[Event]()
        for _ in range(MOST_PAGES):
            page = await adapter.pull(stream, cursor, "")
            for item in page.items:
                found += adapter.parse(Raw(stream, item.body, NOW))
            if not page.has_more:
                return found
            cursor = page.cursor
        raise AssertionError("the stream never ends")

    async def received(self) -> Sequence[Delivered]:
        return [self._delivered(message) for message in self.play.received(self.account, self.customer)]

    def _delivered(self, message: Received) -> Delivered:
        media_id = message.body.get("media_id") or message.body.get("thumb_media_id") or ""
        media = self.simulator.world.corps[CORP_ID].media.get(media_id)
        return Delivered(
            KINDS[message.msgtype],
            message.body.get("content", ""),
            message.msgid,
            media.content if media is not None else b"",
        )

    # The platform

    def advance(self, by: timedelta) -> None:
        self.simulator.clock.advance(by)

    def throttle(self) -> None:
        self.simulator.faults.add(Fault("refuse", SEND, code=45009))

    def refuse(self) -> str:
        self.simulator.faults.add(Fault("refuse", SEND, code=95018))
        return "wecom.95018"

    def lose_answer(self, fault: SendFault) -> None:
        self.simulator.faults.add(Fault(FAULTS[fault], SEND))

    def forget_files(self) -> None:
        """Three days are their life."""
        self.advance(timedelta(days=3, minutes=1))

    def sample(self, kind: Kind) -> Sample:
        file = FILES.get(Kind.IMAGE if kind in (Kind.LINK, Kind.MINIPROGRAM) else kind)
        text = "您好" if kind is Kind.TEXT else ""
        return Sample(text, dict(CONTENTS.get(kind, {})), outgoing_media(*file) if file else None)


@asynccontextmanager
async def running_harness() -> AsyncIterator[WeComHarness]:
    global _warm
    if not _warm:
        await warm_up()
        _warm = True
    async with _started() as harness:
        yield harness


@asynccontextmanager
async def _started() -> AsyncIterator[WeComHarness]:
    async with WecomSimulator() as simulator, aiohttp.ClientSession() as http:
        harness = WeComHarness(simulator, http)
        app = web.Application()
        app.router.add_post("/callback", harness.callback)
        async with TestServer(app) as server:
            await harness.listen(server)
            yield harness


async def warm_up() -> None:
    """One call and one callback, with patience: in a process that has just begun, on a busy machine, the first ones load so much that
    they exceed the harness's short time limit."""
    async with _started() as harness:
        lent = memory_context(harness.http, harness.simulator.clock)
        patient = build(config(harness.simulator.base_url), lent)
        assert isinstance(patient, WeComAdapter)
        harness.play.add_contact(CORP_ID, "HanMeimei", harness.customer)
        await harness.next_callback()
        await patient.relations_of(harness.customer)
