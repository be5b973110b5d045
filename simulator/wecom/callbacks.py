"""Callbacks to the apps (chapter 2): the XML, its encryption, the address check."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import aiohttp
from yarl import URL

from scrm.clock import Clock
from simulator.delivery import Call, Deliveries
from simulator.wecom.crypto import encrypt, key_of, signature
from simulator.wecom.settings import Settings
from simulator.wecom.state import App, Callback, Corp

BOM = b"\xef\xbb\xbf"
Fields = Mapping[str, Any]


def to_xml(fields: Fields) -> str:
    """``{"A": "x", "N": 1, "List": {"Item": ["a", "b"]}}`` as WeCom writes it: texts as CDATA, numbers bare, lists repeated."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Fields) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element(name, entry) for entry in value)
    if isinstance(value, str):
        return f"<{name}><![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


class Callbacks:
    """Sends events to every app of a corp that has an address and the right to hear them."""

    def __init__(self, deliveries: Deliveries, clock: Clock, settings: Settings) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._settings = settings
        self.byte_order_mark = False
        """Puts a byte order mark before the XML inside and outside the encryption, as some gateways do."""

    def send(self, corp: Corp, fields: Fields, *, heard_by: Callable[[App], bool] = lambda app: True) -> int:
        """Pushes one inner message to the apps; returns to how many. ``fields`` may name ``SuiteId`` for the third-party form."""
        inner = to_xml(fields).encode()
        label = str(fields.get("Event") or fields.get("InfoType") or fields.get("MsgType") or "message")
        receive_id = str(fields.get("SuiteId") or corp.corp_id)
        apps = [app for app in corp.apps.values() if app.callback is not None and heard_by(app)]
        for app in apps:
            self._push(app, label, inner, receive_id)
        return len(apps)

    def _push(self, app: App, label: str, inner: bytes, receive_id: str) -> None:
        callback = app.callback
        if callback is None:
            return
        key = key_of(callback.aes_key)
        agent = f"<AgentID><![CDATA[{app.agent_id}]]></AgentID>"
        mark = BOM if self.byte_order_mark else b""

        def build() -> Call:
            """Every attempt has its own random bytes, time and nonce."""
            encrypted = encrypt(key, mark + inner, receive_id)
            body = f"<xml><ToUserName><![CDATA[{receive_id}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt>{agent}</xml>"
            url = _signed(callback, encrypted, int(self._clock.now().timestamp()), {})
            return Call(url, mark + body.encode(), {"Content-Type": "text/xml"})

        self._deliveries.push(label, build)

    async def check(self, callback: Callback, corp_id: str) -> None:
        """The address check (chapter 2.2). Raises ``ValueError`` with what went wrong; the callback must not be used then."""
        word = str(secrets.randbelow(10**19)).encode()
        encrypted = encrypt(key_of(callback.aes_key), word, corp_id)
        url = _signed(callback, encrypted, int(self._clock.now().timestamp()), {"echostr": encrypted})
        limit = self._settings.callback_check_deadline
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=limit)) as http,
                http.get(URL(url, encoded=True), allow_redirects=False) as response,
            ):
                answer = await response.read()
        except TimeoutError:
            raise ValueError(f"the callback address did not answer within {limit:g} s") from None
        except (aiohttp.ClientError, OSError) as problem:
            raise ValueError(f"the callback address cannot be reached: {problem}") from None
        if response.status != 200 or answer != word:
            raise ValueError(
                f"the callback address answered {response.status} {answer[:80]!r}, not the bare clear text"
            )


def _signed(callback: Callback, encrypted: str, now: int, more: Mapping[str, str]) -> str:
    timestamp, nonce = str(now), str(secrets.randbelow(10**10))
    query = {
        "msg_signature": signature(callback.token, timestamp, nonce, encrypted),
        "timestamp": timestamp,
        "nonce": nonce,
        **more,
    }
    return f"{callback.url}{'&' if '?' in callback.url else '?'}{urlencode(query)}"
