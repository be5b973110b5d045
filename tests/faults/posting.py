"""Webhooks made by hand: genuine ones, and those of somebody who is not the platform."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
from yarl import URL

from simulator.douyin.pushes import sign
from simulator.wecom.crypto import encrypt, key_of, signature
from tests.company import AES_KEY, CLIENT_KEY, CLIENT_SECRET, CORP, TOKEN, Company

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Post:
    """One request to a webhook; ``query`` is percent-encoded already."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def error(self) -> str:
        return str(orjson.loads(self.body)["error"])


def douyin_body(**changes: Any) -> bytes:
    """A private message of a customer, as the platform writes it."""
    number = next(_NUMBERS)
    content = {
        "conversation_short_id": f"@conversation-{number % 7}",
        "server_message_id": f"@message-{number}",
        "conversation_type": 1,
        "create_time": 1_763_700_000_000 + number,
        "message_type": "text",
        "text": f"第{number}句",
        "source": "",
        "user_infos": [],
    }
    body = {
        "event": "im_receive_msg",
        "client_key": CLIENT_KEY,
        "from_user_id": f"customer-{number % 7}",
        "to_user_id": "shop-1",
        "content": content,
        "log_id": "1",
    }
    return orjson.dumps({**body, **changes})


def from_douyin(body: bytes | None = None, *, secret: str = CLIENT_SECRET, message_id: str = "") -> Post:
    """Signed with ``secret``."""
    body = douyin_body() if body is None else body
    headers = {
        "Content-Type": "application/json",
        "X-Douyin-Signature": sign(secret, body),
        "Msg-Id": message_id or f"msg-{next(_NUMBERS)}",
    }
    return Post(body, headers)


def from_wecom(
    inner: bytes | None = None,
    *,
    token: str = TOKEN,
    receive_id: str = CORP,
    aes_key: str = AES_KEY,
    outer: str = "<xml><ToUserName>x</ToUserName><Encrypt>{encrypted}</Encrypt></xml>",
) -> Post:
    """An encrypted and signed callback whose clear text is ``inner``."""
    if inner is None:
        number = next(_NUMBERS)
        inner = (
            f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>sys</FromUserName><CreateTime>{1_763_700_000 + number}"
            f"</CreateTime><MsgType>event</MsgType><Event>change_contact</Event><ChangeType>update_user</ChangeType>"
            f"<UserID>user{number}</UserID></xml>"
        ).encode()
    encrypted = encrypt(key_of(aes_key), inner, receive_id)
    stamp, nonce = "1763700000", str(next(_NUMBERS))
    query = {"msg_signature": signature(token, stamp, nonce, encrypted), "timestamp": stamp, "nonce": nonce}
    return Post(outer.format(encrypted=encrypted).encode(), {"Content-Type": "text/xml"}, urlencode(query))


async def post(http: aiohttp.ClientSession, address: str, one: Post) -> Answer:
    url = URL(f"{address}?{one.query}" if one.query else address, encoded=True)
    async with http.request(one.method, url, data=one.body, headers=one.headers, allow_redirects=False) as response:
        return Answer(response.status, await response.read(), dict(response.headers))


async def talk(address: str, data: bytes, *, seconds: float = 10.0, end: bool = False) -> bytes:
    """Sends bytes as they are and returns what comes back until the server closes or ``seconds`` have passed."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    said = b""
    try:
        writer.write(data)
        await writer.drain()
        if end:
            writer.write_eof()
        async with asyncio.timeout(seconds):
            while piece := await reader.read(65_536):
                said += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return said


@dataclass
class Meanwhile:
    """The platforms' own webhooks while somebody attacks: each must be accepted and stored."""

    answers: list[int] = field(default_factory=list)


@asynccontextmanager
async def good_traffic(shop: Company) -> AsyncIterator[Meanwhile]:
    """Genuine webhooks of both platforms for as long as the block lasts, and that nothing but them was stored."""
    db = shop.services.db
    hooks = [shop.address + await shop.webhook_path(one) for one in (shop.douyin_id, shop.wecom_id)]
    before = await db.fetchval("select count(*) from inbound_event")
    meanwhile, enough = Meanwhile(), asyncio.Event()

    async def keep_posting() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            while True:
                for address, one in zip(hooks, (from_douyin(), from_wecom()), strict=True):
                    meanwhile.answers.append((await post(http, address, one)).status)
                if enough.is_set():
                    return
                await asyncio.sleep(0.02)

    task = asyncio.create_task(keep_posting())
    try:
        yield meanwhile
    finally:
        enough.set()
        await task
    assert set(meanwhile.answers) == {200}, "a genuine webhook was not accepted"
    stored = await db.fetchval("select count(*) from inbound_event") - before
    assert stored == len(meanwhile.answers), "nothing but the genuine webhooks is stored, and all of them are"
