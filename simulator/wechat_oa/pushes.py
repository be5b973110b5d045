"""Pushes to the account's server (section 2): the XML, the three modes, both signatures, the address check."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from scrm.clock import Clock
from simulator.delivery import Call, Deliveries
from simulator.wechat_oa.settings import Settings
from simulator.wechat_oa.state import Account, Server
from simulator.wecom.callbacks import to_xml
from simulator.wecom.crypto import encrypt, key_of, signature

ECHO_DEADLINE = 5.0


class Pushes:
    """``changed`` is told of every push, since each one comes with a change of the world."""

    def __init__(
        self, deliveries: Deliveries, clock: Clock, settings: Settings, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._settings = settings
        self._changed = changed

    def send(self, account: Account, fields: Mapping[str, Any]) -> None:
        """Pushes one message or event, unless nobody has said where to."""
        self._changed()
        server = account.server
        if server is None:
            return
        inner = to_xml(fields).encode()
        label = str(fields.get("Event") or fields.get("MsgType"))
        self._deliveries.push(label, lambda: self.call(account, server, inner, str(fields["FromUserName"])))

    def call(self, account: Account, server: Server, inner: bytes, openid: str) -> Call:
        """One attempt. Every one has its own time, nonce and random bytes."""
        timestamp, nonce = str(int(self._clock.now().timestamp())), str(secrets.randbelow(10**10))
        query = {
            "signature": plain_signature(server.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": openid,
        }
        body = inner
        if server.mode != "plain":
            encrypted = encrypt(key_of(server.aes_key), inner, account.app_id)
            query |= {
                "encrypt_type": "aes",
                "msg_signature": signature(server.token, timestamp, nonce, encrypted),
            }
            sealed = f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>".encode()
            if server.mode == "compatible":
                body = inner.removesuffix(b"</xml>") + sealed + b"</xml>"
            else:
                body = f"<xml><ToUserName><![CDATA[{account.original_id}]]></ToUserName>".encode() + sealed + b"</xml>"
        return Call(_with_query(server.url, query), body, {"Content-Type": "text/xml"})

    async def check(self, server: Server) -> None:
        """The address check when a server is saved. Raises ``ValueError`` with what was wrong with the answer."""
        if server.mode != "plain":
            key_of(server.aes_key)
        timestamp, nonce = str(int(self._clock.now().timestamp())), str(secrets.randbelow(10**10))
        word = str(secrets.randbelow(10**19))
        query = {
            "signature": plain_signature(server.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "echostr": word,
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ECHO_DEADLINE)) as http,
                http.get(URL(_with_query(server.url, query), encoded=True), allow_redirects=False) as response,
            ):
                status, said = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise ValueError(f"the address did not answer: {type(problem).__name__} {problem}") from problem
        if status != 200 or said != word.encode():
            raise ValueError(f"the address answered {status} {said[:80]!r}, not the bare echostr")


def plain_signature(token: str, timestamp: str, nonce: str) -> str:
    return signature(token, timestamp, nonce, "")


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
