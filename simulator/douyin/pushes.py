"""Webhooks: the body, its signature, who hears it, the address check. Platform reference, chapter 4."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import orjson

from simulator.delivery import Call, Deliveries
from simulator.douyin.errors import log_id
from simulator.douyin.settings import Settings
from simulator.douyin.state import App, JsonObject, World

STRING_EVENTS = frozenset(
    {
        "im_enter_direct_msg",
        "im_recall_msg",
        "im_authorize",
        "group_fans_event",
        "enter_group_audit_change",
        "new_follow_action",
        "new_video_digg",
    }
)
SWITCHED_EVENTS = frozenset({"im_receive_msg", "im_send_msg", "im_group_receive_msg", "im_group_send_msg"})
SCOPES = {
    "im_receive_msg": "im.direct_message",
    "im_send_msg": "im.direct_message",
    "im_enter_direct_msg": "im.direct_message",
    "im_recall_msg": "im.recall_message",
    "im_group_receive_msg": "im.group_message",
    "im_group_send_msg": "im.group_message",
    "group_fans_event": "im.group_fans.create_list",
    "enter_group_audit_change": "im.group_fans.create_list",
    "new_follow_action": "user.intention",
    "new_video_digg": "user.intention",
    "item_comment_reply": "item.comment",
}
"""What the business account must have granted for the app to hear of it."""
MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
LANDLINE = re.compile(r"(?<!\d)(0\d{2,3}-?)\d{4}(\d{3,4})(?!\d)")


@dataclass(frozen=True)
class Event:
    """One push, before it is written for a certain app. ``account`` decides who hears it."""

    name: str
    account: str
    from_id: str
    to_id: str
    content: JsonObject
    beside: JsonObject | None = None


@dataclass(frozen=True)
class Written:
    """The exact bytes of a push and the id that its repetitions share."""

    body: bytes
    signature: str
    message_id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "X-Douyin-Signature": self.signature, "Msg-Id": self.message_id}


def sign(client_secret: str, body: bytes) -> str:
    return hashlib.sha1(client_secret.encode() + body).hexdigest()


def masked(text: str) -> str:
    return LANDLINE.sub(r"\1****\2", MOBILE.sub(r"\1****\2", text))


class Pushes:
    """``changed`` is told of every event, since each one comes with a change of the world."""

    def __init__(
        self, world: World, deliveries: Deliveries, settings: Settings, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._world = world
        self._deliveries = deliveries
        self._settings = settings
        self._changed = changed
        self._strings = False

    def emit(self, event: Event, *, only_to: str = "") -> int:
        """Pushes to every app that may hear it; returns to how many. ``only_to`` names an app that hears it regardless."""
        self._changed()
        apps = [self._world.apps[only_to]] if only_to else self.hearers(event)
        heard = [app for app in apps if app.webhook_url and event.name not in app.unsubscribed]
        for app in heard:
            written = self.write(app, event)
            call = Call(app.webhook_url, written.body, written.headers)
            self._deliveries.push(event.name, lambda call=call: call)  # type: ignore[misc]
        return len(heard)

    def hearers(self, event: Event) -> list[App]:
        scope = SCOPES.get(event.name)
        grants = [grant for grant in self._world.grants_of(event.account) if scope is None or scope in grant.scopes]
        return [self._world.apps[grant.client_key] for grant in grants]

    def write(self, app: App, event: Event) -> Written:
        content = dict(event.content)
        if isinstance(content.get("text"), str) and not app.decodes_phones:
            content["text"] = masked(content["text"])
        body: JsonObject = {
            "event": event.name,
            "client_key": app.client_key,
            "from_user_id": event.from_id,
            "to_user_id": event.to_id,
            "content": orjson.dumps(content).decode() if self._as_string(event.name) else content,
            "log_id": log_id(),
            **(event.beside or {}),
        }
        data = orjson.dumps(body)
        return Written(data, sign(app.client_secret, data), f"msg-{secrets.token_hex(16)}")

    def _as_string(self, event: str) -> bool:
        if event in STRING_EVENTS:
            return True
        if event not in SWITCHED_EVENTS:
            return False
        if self._settings.content_form == "alternate":
            self._strings = not self._strings
            return self._strings
        return self._settings.content_form == "string"

    async def check_address(self, app: App, url: str) -> None:
        """The check when an address is saved in the console. Raises ``ValueError`` with what was wrong with the answer."""
        number = secrets.randbelow(10**8)
        body = orjson.dumps({"event": "verify_webhook", "client_key": app.client_key, "content": {"challenge": number}})
        headers = Written(body, sign(app.client_secret, body), f"msg-{secrets.token_hex(16)}").headers
        timeout = aiohttp.ClientTimeout(total=self._settings.webhook_deadline)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                status, said = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ValueError(f"the address did not answer: {type(error).__name__} {error}") from error
        if status != 200:
            raise ValueError(f"the address answered HTTP {status}")
        try:
            answer = orjson.loads(said)
        except orjson.JSONDecodeError:
            raise ValueError("the answer is not JSON") from None
        if not isinstance(answer, dict) or answer.get("challenge") != number:
            raise ValueError('the answer is not {"challenge": <the same number>}')
