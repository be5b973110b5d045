"""A bare client of the simulated platform, written from the platform's documents and knowing nothing of the adapter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from simulator.douyin import DouyinSimulator

KEY, SECRET = "awtest", "0123456789abcdef0123456789abcdef"
SHOP, DEER, HAO = "shop", "deer", "hao"


@dataclass
class Hook:
    """Webhooks as received: body bytes and headers. ``status`` and ``challenge`` say how to answer."""

    url: str = ""
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    challenge: bytes | None = None
    """What to answer an address check with; None: correctly."""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if b'"verify_webhook"' in body:
            number = orjson.loads(body)["content"]["challenge"]
            answer = orjson.dumps({"challenge": number}) if self.challenge is None else self.challenge
            return web.Response(body=answer, status=self.status, content_type="application/json")
        self.got.append((body, {name.lower(): value for name, value in request.headers.items()}))
        return web.Response(status=self.status)

    def events(self, name: str = "") -> list[Any]:
        events = [orjson.loads(body) for body, _ in self.got]
        return [event for event in events if name in ("", event["event"])]

    def contents(self, name: str) -> list[Any]:
        return [content_of(event) for event in self.events(name)]


def content_of(event: Any) -> Any:
    content = event["content"]
    return orjson.loads(content) if isinstance(content, str) else content


class Client:
    def __init__(self, simulator: DouyinSimulator, http: aiohttp.ClientSession, hook: Hook) -> None:
        self.simulator, self.control, self.http, self.hook = simulator, simulator.control, http, hook

    async def get(self, path: str, token: str = "", **query: Any) -> Any:
        headers = {"access-token": token}
        async with self.http.get(self.simulator.base_url + path, params=query, headers=headers) as response:
            assert response.status == 200
            return await response.json()

    async def post(self, path: str, body: Any, token: str = "", *, form: bool = False, **query: Any) -> Any:
        headers = {"access-token": token}
        sent: dict[str, Any] = {"data": body} if form else {"json": body}
        url = self.simulator.base_url + path
        async with self.http.post(url, params=query, headers=headers, **sent) as response:
            assert response.status == 200
            return await response.json()

    def token(self, account: str = SHOP) -> str:
        return self.simulator.world.grants_of(account)[0].access_token

    async def client_token(self) -> str:
        body = {"client_key": KEY, "client_secret": SECRET, "grant_type": "client_credential"}
        return str((await self.post("/oauth/client_token/", body))["data"]["access_token"])

    async def send(self, content: Any, about: Any, scene: str = "im_reply_msg", to: str = DEER, **more: Any) -> Any:
        """``about``: the event's content (or a control result) whose ids allow the send."""
        body = {
            "scene": scene,
            "to_user_id": to,
            "msg_id": about["server_message_id"],
            "conversation_id": about["conversation_short_id"],
            "content": content,
            **more,
        }
        return await self.post("/im/send/msg/", body, self.token(), open_id=SHOP)

    async def wrote(self, text: str = "你好", customer: str = DEER) -> dict[str, str]:
        message = self.control.write(customer, SHOP, text)
        return {"server_message_id": message.message_id, "conversation_short_id": message.conversation_id}

    async def upload(self, content: bytes, token: str | None = None) -> Any:
        form = aiohttp.FormData()
        form.add_field("image", content, filename="a.png", content_type="image/png")
        headers = {"access-token": token if token is not None else await self.client_token()}
        url = f"{self.simulator.base_url}/tool/imagex/client_upload/"
        async with self.http.post(url, data=form, headers=headers) as response:
            return await response.json()


def code(answer: Any) -> int:
    """The error code of an answer of the first, second or third shape; every place must agree."""
    if "err_no" in answer:
        return int(answer["err_no"])
    found = {answer["data"]["error_code"]}
    if "extra" in answer:
        found.add(answer["extra"]["error_code"])
    assert len(found) == 1
    return int(found.pop())


def text(words: str) -> dict[str, Any]:
    return {"msg_type": 1, "text": {"text": words}}
