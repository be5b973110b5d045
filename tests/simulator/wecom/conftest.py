"""A running simulated WeCom with a corp, an app, a KF account, two members and a customer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy.work.crypto import WeChatCrypto

from simulator.wecom.control import WecomControl
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings

CORP = "ww5f4c3b2a1908f7e6"
SECRET = "app-secret-app-secret-app-secret"
TOKEN = "QDG6eK"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
Json = dict[str, Any]


@dataclass
class Shop:
    """The simulator, an HTTP client that has the app's token, and the ids that most tests need."""

    simulator: WecomSimulator
    http: aiohttp.ClientSession
    kf: str
    customer: str

    @property
    def play(self) -> WecomControl:
        return self.simulator.control

    @property
    def base(self) -> str:
        return f"{self.simulator.base_url}/cgi-bin"

    async def token(self) -> str:
        async with self.http.get(f"{self.base}/gettoken", params={"corpid": CORP, "corpsecret": SECRET}) as response:
            return str((await response.json())["access_token"])

    async def get(self, path: str, **query: str) -> Json:
        params = {"access_token": await self.token(), **query}
        async with self.http.get(f"{self.base}/{path}", params=params) as response:
            return dict(await response.json())

    async def post(self, path: str, body: object) -> Json:
        async with self.http.post(
            f"{self.base}/{path}", params={"access_token": await self.token()}, json=body
        ) as response:
            return dict(await response.json())

    async def upload(self, kind: str, content: bytes, filename: str = "a.bin") -> Json:
        form = aiohttp.FormData(quote_fields=False)  # else the platform would keep the name percent-encoded
        form.add_field("media", content, filename=filename)
        params = {"access_token": await self.token(), "type": kind}
        async with self.http.post(f"{self.base}/media/upload", params=params, data=form) as response:
            return dict(await response.json())

    async def send(self, text: str = "您好", **more: object) -> Json:
        message = {"touser": self.customer, "open_kfid": self.kf, "msgtype": "text", "text": {"content": text}}
        return await self.post("kf/send_msg", {**message, **more})

    async def sync(self, cursor: str = "", **more: object) -> Json:
        return await self.post("kf/sync_msg", {"open_kfid": self.kf, "cursor": cursor, **more})

    async def events(self) -> list[Json]:
        """The KF events so far, each as its ``event`` object."""
        return [item["event"] for item in (await self.sync())["msg_list"] if item["msgtype"] == "event"]

    def seen(self) -> list[str]:
        """The texts that the customer has got from us."""
        return [message.body["content"] for message in self.play.received(self.kf, self.customer)]


@pytest.fixture
def settings() -> Settings:
    return Settings(callback_deadline=0.5, callback_check_deadline=0.3, callback_retry_delays=(0.01, 0.01))


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with WecomSimulator(settings=settings) as simulator, aiohttp.ClientSession() as http:
        play = simulator.control
        play.create_app(CORP, SECRET, corp_name="示例公司")
        play.create_member(CORP, "ZhangSan", "张三")
        play.create_member(CORP, "lisi", "李四")
        kf = play.create_kf_account(CORP, "售前咨询", servicers=["ZhangSan", "lisi"])
        customer = play.create_customer(CORP, "王小明", unionid="o6_bmjrPTlm6", gender=1)
        yield Shop(simulator, http, kf, customer)


@dataclass
class Receiver:
    """A callback address that decrypts what comes with wechatpy's own cryptography."""

    url: str = ""
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    """Decrypted inner XML of all attempts, also of those that were answered with an error."""
    behave: Callable[[int], int | float] = lambda attempt: 200
    """Status to answer the n-th request with; a float: seconds to wait before a 200."""
    crypto: WeChatCrypto = field(default_factory=lambda: WeChatCrypto(TOKEN, AES_KEY, CORP))

    async def handle(self, request: web.Request) -> web.Response:
        query = request.query
        if request.method == "GET":
            signed = (query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])
            return web.Response(text=self.crypto.check_signature(*signed))
        body = await request.read()
        self.requests.append(request)
        self.bodies.append(body)
        inner = self.crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        self.events.append(inner if isinstance(inner, str) else inner.decode())
        behaviour = self.behave(len(self.requests))
        if isinstance(behaviour, float):
            await asyncio.sleep(behaviour)
            behaviour = 200
        return web.Response(status=behaviour, text="")


@pytest.fixture
async def receiver(shop: Shop) -> AsyncIterator[Receiver]:
    """Configured as the app's callback address, with the address check passed."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/hook", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        await shop.play.set_callback(CORP, receiver.url, TOKEN, AES_KEY)
        yield receiver
