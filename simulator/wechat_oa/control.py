"""Plays everybody: the developer in the console and the people who follow, write, scan and tap.

Every method below is also ``POST /_control/<name>`` with its arguments as a JSON object (``simulator.control`` says how). Acts of
people push as the platform would.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from simulator.control import CommonControl, operation
from simulator.delivery import Deliveries
from simulator.faults import Faults
from simulator.wechat_oa import mass_api, tokens
from simulator.wechat_oa.media_api import keep
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.settings import Trigger
from simulator.wechat_oa.state import (
    Account,
    JsonObject,
    Kind,
    Mass,
    Mode,
    Person,
    Received,
    Server,
    new_id,
)
from simulator.wechat_oa.windows import open_window

FILES = {"image": "jpg", "voice": "amr", "video": "mp4"}
MENU_TAPS = ("CLICK", "scancode_push", "scancode_waitmsg")
"""Those that allow answers."""
Thing = TypeVar("Thing")


class OfficialAccountControl(CommonControl):
    def __init__(self, platform: Platform, faults: Faults, deliveries: Deliveries) -> None:
        super().__init__(platform.clock, faults, deliveries)
        self.platform = platform

    # The developer, in the console

    @operation
    def add_account(
        self, app_id: str, secret: str, original_id: str, name: str = "", kind: Kind = "service", verified: bool = True
    ) -> dict[str, str]:
        """An Official Account; one that exists keeps everything but its secret."""
        known = self.platform.world.accounts.get(app_id)
        if known is None:
            self.platform.world.accounts[app_id] = Account(app_id, secret, original_id, name, kind, verified)
        else:
            known.secret = secret
        return {"app_id": app_id}

    @operation
    async def set_server(
        self, app_id: str, url: str, token: str, aes_key: str = "", mode: Mode = "safe"
    ) -> dict[str, str]:
        """Saves where pushes go, after the platform's check of the address."""
        account = self.platform.account(app_id)
        server = Server(url, token, aes_key, mode)
        await self.platform.pushes.check(server)
        account.server = server
        return {"url": url}

    @operation
    def change_account(self, app_id: str, changes: dict[str, Any]) -> None:
        """Sets fields of an account, for example ``{"verified": false}``."""
        _change(self.platform.account(app_id), changes)

    @operation
    def change_settings(self, changes: dict[str, Any]) -> object:
        """Sets fields of ``settings.py``, for example ``{"hold_mass": true}``."""
        return _change(self.platform.settings, changes)

    @operation
    def invalidate_tokens(self, app_id: str, errcode: int = 42001) -> int:
        """From now on the tokens in use are refused. Returns how many."""
        return tokens.invalidate(self.platform, app_id, errcode)

    @operation
    def write_article(self, app_id: str, title: str) -> dict[str, str]:
        """An article: ``media_id`` can be spread, ``article_id`` can be sent in a chat."""
        account = self.platform.account(app_id)
        media_id, article_id = new_id("DRAFT_"), new_id("ARTICLE_")
        account.drafts[media_id] = account.articles[article_id] = title
        return {"media_id": media_id, "article_id": article_id}

    @operation
    def finish_mass(self, app_id: str, msg_id: int, status: str = mass_api.SUCCESS) -> JsonObject:
        """Ends a mass message that is under way: ``send success``, ``send fail`` or ``err(30003)``. Gives the event."""
        mass = self.platform.account(app_id).mass.get(msg_id)
        if mass is None or mass.state != "SENDING":
            raise LookupError(f"no mass message {msg_id} is under way")
        return mass_api.finish(self.platform, self.platform.account(app_id), mass, status)

    @operation
    def masses(self, app_id: str) -> list[Mass]:
        """All mass messages, oldest first."""
        return list(self.platform.account(app_id).mass.values())

    # People

    @operation
    def add_person(
        self, app_id: str, openid: str = "", name: str = "", union_id: str = "", followed_days_ago: float | None = None
    ) -> Person:
        """Somebody; with ``followed_days_ago`` one who has followed for so long, of which nobody is told."""
        account = self.platform.account(app_id)
        identifier = openid or new_id("o", 28)
        person = account.people.setdefault(identifier, Person(identifier, name, union_id))
        if followed_days_ago is not None and not person.follows:
            person.follows, person.followed_at = True, int(self.platform.now - followed_days_ago * 86400)
        return _brief(person)

    @operation
    def change_person(self, app_id: str, openid: str, changes: dict[str, Any]) -> Person:
        """Sets fields, for example ``{"blocks": true}`` or ``{"refuses": ["TPL_A"]}``."""
        return _brief(_change(self.platform.person(app_id, openid), changes))

    @operation
    def follow(self, app_id: str, openid: str, scene: str = "") -> None:
        """Follows, perhaps by scanning a code with a scene."""
        person = self.platform.person(app_id, openid)
        person.follows, person.followed_at = True, int(self.platform.now)
        person.scene, person.qr_scene = ("ADD_SCENE_QR_CODE", scene) if scene else ("ADD_SCENE_SEARCH", "")
        more = {"EventKey": f"qrscene_{scene}", "Ticket": new_id("gQ", 40)} if scene else {"EventKey": ""}
        self._acts(app_id, person, "subscribe", more, opens="follow")

    @operation
    def unfollow(self, app_id: str, openid: str) -> None:
        person = self.platform.person(app_id, openid)
        person.follows = False
        person.openings.clear()
        self._acts(app_id, person, "unsubscribe", {"EventKey": ""})

    @operation
    def scan(self, app_id: str, openid: str, scene: str) -> None:
        """Scans a code: who does not follow yet follows by it."""
        person = self.platform.person(app_id, openid)
        if not person.follows:
            self.follow(app_id, openid, scene)
            return
        self._acts(app_id, person, "SCAN", {"EventKey": scene, "Ticket": new_id("gQ", 40)}, opens="scan")

    @operation
    def tap_menu(self, app_id: str, openid: str, key: str, kind: str = "CLICK") -> None:
        """Taps an entry of the account's menu; ``VIEW`` opens a page and allows no answer."""
        more: JsonObject = {"EventKey": key}
        if kind.startswith("scancode"):
            more["ScanCodeInfo"] = {"ScanType": "qrcode", "ScanResult": "PRODUCT-1001"}
        person = self.platform.person(app_id, openid)
        self._acts(app_id, person, kind, more, opens="menu" if kind in MENU_TAPS else None)

    @operation
    def write(self, app_id: str, openid: str, text: str) -> int:
        """Sends a text; gives its ``MsgId``."""
        return self.send_special(app_id, openid, "text", {"Content": text})

    @operation
    def tap_item(self, app_id: str, openid: str, item_id: str, text: str) -> int:
        """Taps an item of a menu in the chat: a text that counts as a menu tap."""
        return self._says(app_id, openid, "text", {"Content": text, "bizmsgmenuid": item_id}, opens="menu")

    @operation
    def send_file(self, app_id: str, openid: str, kind: str, content: bytes) -> int:
        """A picture, voice or video from the phone."""
        if kind not in FILES:
            raise ValueError(f"kind is one of {', '.join(FILES)}")
        account = self.platform.account(app_id)
        media = keep(account, kind, f"file.{FILES[kind]}", content, self.platform.now)
        more = {
            "image": {"PicUrl": f"{self.platform.base_url}/files/{media.media_id}"},
            "voice": {"Format": "amr"},
            "video": {"ThumbMediaId": new_id()},
        }[kind]
        return self.send_special(app_id, openid, kind, {**more, "MediaId": media.media_id})

    @operation
    def send_special(self, app_id: str, openid: str, msgtype: str, fields: JsonObject | None = None) -> int:
        """Any message: ``location`` (``Location_X`` ...), ``link`` (``Title`` ...), or a type of the future."""
        return self._says(app_id, openid, msgtype, dict(fields or {}), opens="message")

    @operation
    def raise_event(self, app_id: str, openid: str, event: str, fields: JsonObject | None = None) -> None:
        """Any event, as it is named here."""
        self._acts(app_id, self.platform.person(app_id, openid), event, dict(fields or {}))

    @operation
    def received(self, app_id: str, openid: str) -> list[Received]:
        """What a person got, oldest first."""
        return list(self.platform.person(app_id, openid).received)

    def _says(self, app_id: str, openid: str, msgtype: str, fields: JsonObject, *, opens: Trigger) -> int:
        person = self.platform.person(app_id, openid)
        if not person.follows:
            raise ValueError("only who follows can write")
        open_window(self.platform, person, opens)
        number = self.platform.world.next_number()
        self._push(app_id, person, {"MsgType": msgtype, **fields, "MsgId": number})
        return number

    def _acts(
        self, app_id: str, person: Person, event: str, fields: JsonObject, *, opens: Trigger | None = None
    ) -> None:
        if opens is not None:
            open_window(self.platform, person, opens)
        self._push(app_id, person, {"MsgType": "event", "Event": event, **fields})

    def _push(self, app_id: str, person: Person, fields: JsonObject) -> None:
        account = self.platform.account(app_id)
        envelope = {"ToUserName": account.original_id, "FromUserName": person.openid}
        self.platform.pushes.send(account, {**envelope, "CreateTime": int(self.platform.now), **fields})


def _brief(person: Person) -> Person:
    """A copy without what was received."""
    shown = copy.copy(person)
    shown.received = []
    return shown


def _change(thing: Thing, changes: dict[str, Any]) -> Thing:
    """Sets known fields; a set stays a set."""
    for name, value in changes.items():
        if not hasattr(thing, name):
            raise ValueError(f"there is no field {name}")
        setattr(thing, name, set(value) if isinstance(getattr(thing, name), set) else value)
    return thing
