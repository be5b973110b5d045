"""The conformance kit's view of the simulated Douyin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import aiohttp
import orjson

from adapters.douyin import PROVIDER
from adapters.douyin.adapter import DouyinAdapter
from scrm.channel import (
    Adapter,
    ConnectionConfig,
    Event,
    Kind,
    MessageReceived,
    Raw,
    Verified,
    WebhookRequest,
)
from scrm.testing import Delivered, MemoryCache, MemoryState, Sample, SendFault, memory_context, outgoing_media
from simulator import pictures
from simulator.douyin import DouyinSimulator
from simulator.faults import Fault, FaultKind
from tests.adapters.douyin.receiver import Receiver

CLIENT_KEY = "awtest0000000001"
CLIENT_SECRET = "0123456789abcdef0123456789abcdef"
ACCOUNT = "0e7a4bb5-1d12-da12-4db4-c5924787016b"
CUSTOMER = "2f22765d-0493-1a07-8909-145ca628d226"
SEND_PATH = "/im/send/msg/*"
ANSWER_SECONDS = "0.5"
KINDS = {
    "text": Kind.TEXT,
    "image": Kind.IMAGE,
    "video": Kind.CHANNEL_POST,
    "retain_consult_card": Kind.LEAD_CARD,
}
CARDS = {10: Kind.MINIPROGRAM, 204: Kind.MENU}
FAULTS: dict[SendFault, FaultKind] = {
    "timeout_before": "hang",
    "timeout_after": "hang_after",
    "drop_before": "drop",
    "drop_after": "drop_after",
    "broken_answer": "broken",
    "server_error": "status",
}


class DouyinHarness:
    channel = "douyin"

    def __init__(self) -> None:
        self.simulator = DouyinSimulator()
        self.receiver = Receiver()
        self.state = MemoryState()
        self.cache = MemoryCache(self.simulator.clock)
        self.http: aiohttp.ClientSession | None = None
        self.adapters: list[Adapter] = []

    async def start(self) -> None:
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        await self.simulator.start()
        await self.receiver.start()
        control = self.simulator.control
        control.add_app(CLIENT_KEY, CLIENT_SECRET)
        control.add_account(ACCOUNT, "青禾家居旗舰店", "https://p3.example.invalid/biz.jpeg")
        control.add_customer(CUSTOMER, "小鹿", "https://p3.example.invalid/deer.jpeg")

    async def connect(self) -> DouyinAdapter:
        """An adapter whose account is authorised and whose address is saved in the console."""
        adapter = self.build()
        self.receiver.adapter = adapter
        await self.simulator.control.set_webhook(CLIENT_KEY, self.receiver.url)
        await adapter.authorised(self.simulator.control.scan(ACCOUNT, CLIENT_KEY)["code"])
        return adapter

    def build(self, base_url: str = "", cache: MemoryCache | None = None) -> DouyinAdapter:
        assert self.http is not None
        settings = {
            "client_key": CLIENT_KEY,
            "base_url": base_url or self.simulator.base_url,
            "answer_seconds": ANSWER_SECONDS,
        }
        config = ConnectionConfig(1, "key", settings, {"client_secret": CLIENT_SECRET})
        context = memory_context(self.http, self.simulator.clock, self.state, cache or self.cache)
        adapter = PROVIDER.build(config, context)
        assert isinstance(adapter, DouyinAdapter)
        self.adapters.append(adapter)
        return adapter

    async def stop(self) -> None:
        for adapter in self.adapters:
            await adapter.close()
        if self.http is not None:
            await self.http.close()
        await self.simulator.stop()
        await self.receiver.stop()

    # Webhooks

    async def webhook(self, text: str) -> WebhookRequest:
        message = self.simulator.control.write(CUSTOMER, ACCOUNT, text)
        return await self.request_about(message.message_id)

    async def request_about(self, identifier: str) -> WebhookRequest:
        """The push that mentions an id, in either form of ``content``."""
        plain = orjson.dumps(identifier)[1:-1]
        found = await self.receiver.wait_for(lambda request: plain in request.body)
        return found[-1]

    def repeated(self, request: WebhookRequest) -> WebhookRequest:
        return request

    def tampered(self, request: WebhookRequest) -> Sequence[WebhookRequest]:
        headers = dict(request.headers)
        signature = headers["x-douyin-signature"]
        flipped = "0" if signature[0] != "0" else "1"
        return [
            replace(request, body=request.body.replace(b"im_receive_msg", b"im_recall_msg\x20")),
            replace(request, body=request.body + b" "),
            replace(request, headers={**headers, "x-douyin-signature": flipped + signature[1:]}),
            replace(request, headers={**headers, "x-douyin-signature": ""}),
            replace(request, headers={**headers, "x-douyin-signature": signature[:-1]}),
            replace(request, headers={**headers, "x-douyin-signature": "é" * 40}),
        ]

    # The customer

    async def customer_writes(self, adapter: Adapter, text: str) -> MessageReceived:
        return await self.read(adapter, self.simulator.control.write(CUSTOMER, ACCOUNT, text).message_id)

    async def customer_sends_file(self, adapter: Adapter, kind: Kind, content: bytes) -> MessageReceived | None:
        if kind not in (Kind.IMAGE, Kind.VIDEO):
            return None
        message = self.simulator.control.send_file(CUSTOMER, ACCOUNT, kind.value, content)
        return await self.read(adapter, message.message_id)

    async def read(self, adapter: Adapter, identifier: str) -> MessageReceived:
        event = await self.event(adapter, identifier)
        assert isinstance(event, MessageReceived), event
        return event

    async def event(self, adapter: Adapter, identifier: str) -> Event:
        """What the adapter makes of the push that mentions an id."""
        verified = adapter.verify(await self.request_about(identifier))
        assert isinstance(verified, Verified)
        (event,) = adapter.parse(Raw("webhook", verified.raw, self.simulator.clock.now()))
        return event

    async def received(self) -> Sequence[Delivered]:
        messages = self.simulator.world.messages
        seen = [messages[one.message_id] for one in self.simulator.control.received(CUSTOMER)]
        return [
            Delivered(
                KINDS.get(one.kind) or CARDS[one.fields["sent"]["msg_type"]],
                one.fields.get("text", ""),
                one.message_id,
                one.file,
            )
            for one in seen
        ]

    # The platform

    def advance(self, by: timedelta) -> None:
        self.simulator.clock.advance(by)

    def throttle(self) -> None:
        self.simulator.faults.add(Fault("refuse", SEND_PATH, code=28003018))

    def refuse(self) -> str:
        self.simulator.faults.add(Fault("refuse", SEND_PATH, code=28003101))
        return "douyin.28003101"

    def lose_answer(self, fault: SendFault) -> None:
        self.simulator.faults.add(Fault(FAULTS[fault], SEND_PATH))

    def forget_files(self) -> None:
        for message in self.simulator.world.messages.values():
            message.file = b""

    def sample(self, kind: Kind) -> Sample:
        control = self.simulator.control
        match kind:
            case Kind.TEXT:
                return Sample("您好，请问想了解哪款？")
            case Kind.IMAGE:
                return Sample(media=outgoing_media(pictures.avatar_png("sofa"), "沙发.png", "image/png"))
            case Kind.CHANNEL_POST:
                return Sample(
                    content={"type": "video", "item_id": control.publish_work(ACCOUNT, "沙发怎么选")["item_id"]}
                )
            case Kind.LEAD_CARD:
                return Sample(content={"card_id": control.add_card(ACCOUNT)["card_id"]})
            case Kind.MENU:
                items = [{"type": "click", "text": text} for text in ("价格", "送货范围", "门店地址")]
                return Sample(content={"head": "想了解哪方面？", "items": items})
            case Kind.MINIPROGRAM:
                return Sample(content={"card_template_id": "@template", "app_id": "tt1", "path": "pages/coupon/index"})
            case _:
                raise AssertionError(f"no sample of {kind}")
