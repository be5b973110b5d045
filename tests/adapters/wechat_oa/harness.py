"""The conformance kit's view of the simulated public platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
from yarl import URL

from adapters.wechat_oa import PROVIDER, provider
from adapters.wechat_oa.adapter import OfficialAccountAdapter
from scrm.channel import Adapter, ConnectionConfig, Event, Kind, MessageReceived, Raw, Verified, WebhookRequest
from scrm.channel_campaigns import SpreadPost
from scrm.clock import ShiftedClock
from scrm.testing import Delivered, MemoryCache, MemoryState, Sample, SendFault, memory_context, outgoing_media
from simulator import pictures
from simulator.faults import Fault, FaultKind
from simulator.wechat_oa import OfficialAccountSimulator
from simulator.wechat_oa.state import Mode, Received
from tests.adapters.wechat_oa.receiver import Receiver

APP_ID, SECRET, ACCOUNT = "wx0123456789abcdef", "0" * 32, "gh_test00000001"
TOKEN, AES_KEY = "tokenoftests", "Ky00btrDZXBp1V7woLX0sxKnb5OYRg4pRzIIwoA0DrI"
CUSTOMER = "oTEST-customer-0001-aBcDeFgH"
SEND_PATH = "/cgi-bin/message/custom/send"
MASS_PATH = "/cgi-bin/message/mass/send"
ANSWER_SECONDS = 0.5
KINDS = {
    "text": Kind.TEXT,
    "image": Kind.IMAGE,
    "voice": Kind.VOICE,
    "video": Kind.VIDEO,
    "news": Kind.LINK,
    "msgmenu": Kind.MENU,
    "miniprogrampage": Kind.MINIPROGRAM,
    "mpnewsarticle": Kind.CHANNEL_POST,
}
FAULTS: dict[SendFault, FaultKind] = {
    "timeout_before": "hang",
    "timeout_after": "hang_after",
    "drop_before": "drop",
    "drop_after": "drop_after",
    "broken_answer": "broken",
    "server_error": "status",
}


class OfficialAccountHarness:
    channel = "wechat_oa"

    def __init__(self, mode: Mode = "safe") -> None:
        self.mode: Mode = mode
        noon = ShiftedClock(datetime(2026, 12, 10, 4, 0, tzinfo=UTC) - datetime.now(UTC))  # no day or month ends soon
        self.simulator = OfficialAccountSimulator(clock=noon)
        self.receiver = Receiver()
        self.state = MemoryState()
        self.cache = MemoryCache(self.simulator.clock)
        self.http: aiohttp.ClientSession | None = None
        self.pushed = 0

    async def start(self) -> None:
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        await self.simulator.start()
        await self.receiver.start()
        control = self.simulator.control
        control.add_account(APP_ID, SECRET, ACCOUNT, "青禾家居")
        control.add_person(APP_ID, CUSTOMER, "小鹿", union_id="oUNION-0001", followed_days_ago=30)

    async def connect(self, account_type: str = "service") -> OfficialAccountAdapter:
        """An adapter whose address is saved in the console."""
        adapter = self.build(account_type=account_type)
        self.receiver.adapter = adapter
        self.simulator.control.change_account(APP_ID, {"kind": account_type})
        await self.simulator.control.set_server(APP_ID, self.receiver.url, TOKEN, AES_KEY, self.mode)
        return adapter

    def build(
        self, base_url: str = "", cache: MemoryCache | None = None, *, account_type: str = "service"
    ) -> OfficialAccountAdapter:
        assert self.http is not None
        settings = {
            "app_id": APP_ID,
            "original_id": ACCOUNT,
            "account_type": account_type,
            "base_url": base_url or self.simulator.base_url,
        }
        secrets = {"app_secret": SECRET, "token": TOKEN}
        if self.mode != "plain":
            secrets["encoding_aes_key"] = AES_KEY
        context = memory_context(self.http, self.simulator.clock, self.state, cache or self.cache)
        config = ConnectionConfig(1, "key", settings, secrets)
        adapter = provider.build(config, context, answer_within=ANSWER_SECONDS)
        assert isinstance(adapter, OfficialAccountAdapter)
        assert PROVIDER.build is provider.build
        return adapter

    async def stop(self) -> None:
        if self.http is not None:
            await self.http.close()
        await self.simulator.stop()
        await self.receiver.stop()

    # Webhooks

    async def webhook(self, text: str) -> WebhookRequest:
        self.simulator.control.write(APP_ID, CUSTOMER, text)
        return await self.next_push()

    async def next_push(self) -> WebhookRequest:
        """The push that follows those asked for before; acts are played one at a time."""
        self.pushed += 1
        return (await self.receiver.wait_for(lambda request: True, self.pushed))[-1]

    def repeated(self, request: WebhookRequest) -> WebhookRequest:
        """A repetition has another time, nonce and, when it is encrypted, other random bytes."""
        account = self.simulator.world.accounts[APP_ID]
        assert account.server is not None
        verified = self.build().verify(request)
        assert isinstance(verified, Verified)
        call = self.simulator.platform.pushes.call(account, account.server, verified.raw, request.query["openid"])
        query = dict(URL(call.url, encoded=True).query)
        assert query["nonce"] != request.query["nonce"]
        return WebhookRequest("POST", query, request.headers, call.body)

    def tampered(self, request: WebhookRequest) -> Sequence[WebhookRequest]:
        name = "signature" if self.mode == "plain" else "msg_signature"
        query = dict(request.query)
        signature = query[name]
        flipped = "0" if signature[0] != "0" else "1"
        attacks = [
            replace(request, query={**query, name: flipped + signature[1:]}),
            replace(request, query={**query, name: ""}),
            replace(request, query={**query, name: signature[:-1]}),
            replace(request, query={**query, name: "é" * 40}),
            replace(request, query={**query, "nonce": "1"}),
            replace(request, query={**query, "timestamp": "1"}),
            replace(request, body=request.body.replace(ACCOUNT.encode(), b"gh_other0000001")),
        ]
        if self.mode == "plain":
            return attacks
        body = request.body
        middle = body.index(b"<Encrypt>") + 40
        forged = b"<xml><ToUserName>%s</ToUserName><MsgType>text</MsgType></xml>" % ACCOUNT.encode()
        sealed = [replace(request, body=body[:middle] + b"AAAA" + body[middle + 4 :]), replace(request, body=forged)]
        return [*attacks[:-1], *sealed]

    # The customer

    async def customer_writes(self, adapter: Adapter, text: str) -> MessageReceived:
        self.simulator.control.write(APP_ID, CUSTOMER, text)
        return await self.read(adapter)

    async def customer_sends_file(self, adapter: Adapter, kind: Kind, content: bytes) -> MessageReceived | None:
        if kind not in (Kind.IMAGE, Kind.VOICE, Kind.VIDEO):
            return None
        self.simulator.control.send_file(APP_ID, CUSTOMER, kind.value, content)
        return await self.read(adapter)

    async def read(self, adapter: Adapter) -> MessageReceived:
        (event,) = await self.events(adapter)
        assert isinstance(event, MessageReceived), event
        return event

    async def events(self, adapter: Adapter) -> Sequence[Event]:
        """What the adapter makes of the next push."""
        verified = adapter.verify(await self.next_push())
        assert isinstance(verified, Verified)
        return adapter.parse(Raw("webhook", verified.raw, self.simulator.clock.now()))

    async def received(self) -> Sequence[Delivered]:
        return [self.delivered(one) for one in self.simulator.control.received(APP_ID, CUSTOMER)]

    def delivered(self, one: Received) -> Delivered:
        media = self.simulator.world.accounts[APP_ID].media
        media_id = one.body.get("media_id") or one.body.get("thumb_media_id") or ""
        content = media[media_id].content if media_id in media else b""
        return Delivered(KINDS[one.msgtype], str(one.body.get("content", "")), content=content)

    # The platform

    def advance(self, by: timedelta) -> None:
        self.simulator.clock.advance(by)

    def throttle(self) -> None:
        self.simulator.faults.add(Fault("refuse", SEND_PATH, code=45011))

    def refuse(self) -> str:
        self.simulator.faults.add(Fault("refuse", SEND_PATH, code=48002))
        return "wechat_oa.48002"

    def lose_answer(self, fault: SendFault) -> None:
        self.simulator.faults.add(Fault(FAULTS[fault], SEND_PATH))

    def forget_files(self) -> None:
        self.simulator.world.accounts[APP_ID].media.clear()

    def sample(self, kind: Kind) -> Sample:
        picture = outgoing_media(pictures.avatar_png("sofa"), "沙发.png", "image/png")
        match kind:
            case Kind.TEXT:
                return Sample("您好，请问想了解哪款？")
            case Kind.IMAGE:
                return Sample(media=picture)
            case Kind.VOICE:
                return Sample(media=outgoing_media(pictures.silent_amr(), "a.amr", "audio/amr"))
            case Kind.VIDEO:
                return Sample(media=outgoing_media(pictures.empty_mp4(), "a.mp4", "video/mp4"))
            case Kind.LINK:
                return Sample(content={"title": "新品", "url": "https://www.example.com/n", "description": "看看"})
            case Kind.MINIPROGRAM:
                page = {"title": "商城", "app_id": "wxmini0000000001", "path": "pages/index/index"}
                return Sample(content=page, media=picture)
            case Kind.MENU:
                items = [
                    {"type": "click", "id": "101", "text": "满意"},
                    {"type": "click", "id": "102", "text": "不满意"},
                ]
                return Sample(content={"head": "您满意吗？", "items": items, "tail": "欢迎再来"})
            case Kind.CHANNEL_POST:
                article = self.simulator.control.write_article(APP_ID, "沙发怎么选")
                return Sample(content={"type": "feed", "item_id": article["article_id"]})
            case _:
                raise AssertionError(f"no sample of {kind}")


class Followers:
    """``scrm.testing.Company`` and ``scrm.testing.Crowd``: the account is whom people add, by following it."""

    employee = account = ACCOUNT
    colleague = "gh_nobody"

    def __init__(self, harness: OfficialAccountHarness) -> None:
        self.harness = harness
        self.control = harness.simulator.control

    # Company

    def customer(self, name: str) -> str:
        return self.control.add_person(APP_ID, name=name).openid

    def knows(self, account_id: str, contact_id: str) -> None:
        self.control.add_person(APP_ID, contact_id, followed_days_ago=10)

    async def adds(self, adapter: Adapter, contact_id: str, *, source: str = "") -> Sequence[Event]:
        self.control.follow(APP_ID, contact_id, source)
        return await self.harness.events(adapter)

    async def edits(self, adapter: Adapter, contact_id: str, remark: str) -> Sequence[Event] | None:
        """In the console; nobody is told."""
        self.control.change_person(APP_ID, contact_id, {"remark": remark})
        return None

    async def deletes(self, adapter: Adapter, contact_id: str, *, by_contact: bool) -> Sequence[Event] | None:
        if not by_contact:
            return None
        self.control.unfollow(APP_ID, contact_id)
        return await self.harness.events(adapter)

    # Crowd

    def person(self, name: str) -> str:
        return self.control.add_person(APP_ID, name=name, followed_days_ago=10).openid

    def leaves(self, contact_id: str) -> None:
        self.control.change_person(APP_ID, contact_id, {"follows": False})

    def got(self, contact_id: str) -> Sequence[str]:
        return [str(one.body.get("content", "")) for one in self.control.received(APP_ID, contact_id)]

    def post(self, kind: Kind, text: str, key: str) -> SpreadPost:
        if kind is Kind.CHANNEL_POST:
            article = self.control.write_article(APP_ID, "新品")
            return SpreadPost(kind, text, key, content={"item_id": article["media_id"]})
        sample = self.harness.sample(kind)
        return SpreadPost(kind, text or sample.text, key, media=sample.media)

    def hold(self) -> None:
        self.harness.simulator.settings.hold_mass = True

    async def ends(self, adapter: Adapter, broadcast_id: str, *, refused: bool) -> Sequence[Event]:
        self.control.finish_mass(APP_ID, int(broadcast_id), "err(20008)" if refused else "send success")
        return await self.harness.events(adapter)

    def lose_answer(self, fault: SendFault) -> None:
        self.harness.simulator.faults.add(Fault(FAULTS[fault], MASS_PATH))

    def throttle(self) -> None:
        self.harness.simulator.faults.add(Fault("refuse", MASS_PATH, code=45011))
