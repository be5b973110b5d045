"""Plays everybody: the developer in the console, the business account in its app, and the customers.

Every method below is also ``POST /_control/<name>`` with its arguments as a JSON object (``simulator.control`` says how). Ids
that are left out are made up; the answer says them. Acts of customers push webhooks as the platform would.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Any, TypeVar

import orjson

from simulator.control import CommonControl, operation
from simulator.delivery import Deliveries
from simulator.douyin import tokens
from simulator.douyin.platform import Platform
from simulator.douyin.pushes import Event
from simulator.douyin.state import (
    Account,
    App,
    Comment,
    Customer,
    Grant,
    Group,
    JsonObject,
    Message,
    Opening,
    opaque_id,
    open_id,
)
from simulator.faults import Faults

ALL_SCOPES = (
    "user_info,im.direct_message,im.group_message,im.recall_message,im.message_card,im.group_fans.create_list,"
    "user.intention,item.comment,video.list.bind"
)
Thing = TypeVar("Thing")
FILE_KINDS = {"image": ("user_local_image", "image/png"), "video": ("user_local_video", "video/mp4")}


class DouyinControl(CommonControl):
    def __init__(self, platform: Platform, faults: Faults, deliveries: Deliveries) -> None:
        super().__init__(platform.clock, faults, deliveries)
        self.platform = platform

    # The developer, in the console

    @operation
    def add_app(
        self,
        client_key: str,
        client_secret: str,
        name: str = "",
        redirect_uris: list[str] | None = None,
        decodes_phones: bool = False,
        may_renew: bool = True,
    ) -> App:
        """An application; one that exists keeps its webhook address."""
        known = self.platform.world.apps.get(client_key)
        app = App(
            client_key, client_secret, name, redirect_uris or [], decodes_phones=decodes_phones, may_renew=may_renew
        )
        if known is not None:
            app.webhook_url, app.unsubscribed = known.webhook_url, known.unsubscribed
        self.platform.world.apps[client_key] = app
        return app

    @operation
    async def set_webhook(self, client_key: str, url: str) -> dict[str, str]:
        """Saves the address, after the platform's check of it."""
        app = self._app(client_key)
        await self.platform.pushes.check_address(app, url)
        app.webhook_url = url
        return {"url": url}

    @operation
    def change_app(self, client_key: str, changes: dict[str, Any]) -> App:
        """Sets fields of an app, for example ``{"banned": true}`` or ``{"decodes_phones": true}``."""
        return change(self._app(client_key), changes)

    @operation
    def change_settings(self, changes: dict[str, Any]) -> object:
        """Sets fields of ``settings.py``, for example ``{"content_form": "string"}``."""
        return change(self.platform.settings, changes)

    # The business account, in its app

    @operation
    def add_account(self, account: str = "", name: str = "", avatar: str = "") -> Account:
        identifier = account or open_id()
        return self.platform.world.accounts.setdefault(identifier, Account(identifier, name, avatar))

    @operation
    def change_account(self, account: str, changes: dict[str, Any]) -> Account:
        """Sets fields, for example ``{"workbench_active": true}`` or ``{"certified": false}``."""
        return change(self.platform.account(account), changes)

    @operation
    def scan(self, account: str, client_key: str, scopes: str = ALL_SCOPES) -> dict[str, str]:
        """The account scans the app's code: gives the authorisation code that the app would get by redirect."""
        self._app(client_key)
        return {"code": tokens.new_code(self.platform, client_key, account, scopes.split(","))}

    @operation
    def authorise(self, account: str, client_key: str, scopes: str = ALL_SCOPES) -> Grant:
        """Scan and exchange in one step; gives the tokens."""
        self.scan(account, client_key, scopes)
        return tokens.grant_access(self.platform, self._app(client_key), account, scopes.split(","))

    @operation
    def withdraw(self, account: str, client_key: str) -> None:
        """The account revokes the authorisation in its app."""
        tokens.withdraw(self.platform, client_key, account)

    @operation
    def write_by_hand(self, account: str, customer: str, text: str, scene_type: int = 100, source: str = "") -> Message:
        """The account answers in its app (``scene_type`` 1: keyword answer, 2: welcome), or another app does (``source``)."""
        message = self._new(account, customer, "text", {"text": text}, source=source)
        message.scene_type = scene_type
        self.platform.pushes.emit(self.platform.account_wrote(account, customer, message))
        return brief(message)

    @operation
    def publish_work(self, account: str, title: str) -> dict[str, str]:
        """A published video; its ``item_id`` can be sent and commented on."""
        item_id = opaque_id()
        self.platform.account(account).works[item_id] = title
        return {"item_id": item_id}

    @operation
    def add_card(self, account: str, title: str = "免费获取报价") -> dict[str, str]:
        """A lead card made in the console."""
        card_id = opaque_id()
        self.platform.account(account).cards[card_id] = {"title": title, "components": [1, 2, 3], "status": 1}
        return {"card_id": card_id}

    @operation
    def add_group(self, account: str, name: str = "", members: list[str] | None = None) -> Group:
        """A fan group of the account."""
        self.platform.account(account)
        group = Group(opaque_id(), account, name, set(members or []))
        self.platform.world.groups[group.group_id] = group
        return group

    # Customers

    @operation
    def add_customer(self, customer: str = "", name: str = "", avatar: str = "") -> Customer:
        identifier = customer or open_id()
        return self.platform.world.customers.setdefault(identifier, Customer(identifier, name, avatar))

    @operation
    def change_customer(self, customer: str, changes: dict[str, Any]) -> Customer:
        return change(self.platform.customer(customer), changes)

    @operation
    def enter(
        self, customer: str, account: str, item_id: str = "", ad_info: JsonObject | None = None
    ) -> dict[str, str]:
        """Opens the chat, perhaps from a video or an advertisement."""
        self.platform.account(account)
        self.platform.customer(customer)
        conversation = self.platform.world.conversation_of(account, customer)
        message_id = opaque_id()
        self.platform.world.openings[message_id] = Opening("enter", account, customer, conversation, self.platform.now)
        content: JsonObject = {
            "conversation_short_id": conversation,
            "server_message_id": message_id,
            "conversation_type": 1,
            "create_time": self.platform.now_ms,
            "scene_type": 4,
            "user_infos": self.platform.user_infos(customer, account),
        }
        if item_id:
            content["objectId"] = item_id
        if ad_info:
            content["ad_info"] = orjson.dumps(ad_info).decode()
        self.platform.pushes.emit(Event("im_enter_direct_msg", account, customer, account, content))
        return {"server_message_id": message_id, "conversation_short_id": conversation}

    @operation
    def write(self, customer: str, account: str, text: str) -> Message:
        """Sends a text."""
        return self._customer_wrote(customer, account, "text", {"text": text})

    @operation
    def send_file(self, customer: str, account: str, kind: str, content: bytes, mime: str = "") -> Message:
        """Sends a picture or video from the phone (``kind`` is ``image`` or ``video``); fetched through message resources."""
        if kind not in FILE_KINDS:
            raise ValueError("kind is image or video")
        message_type, usual = FILE_KINDS[kind]
        message = self._new(customer, account, message_type, {})
        message.file, message.mime = content, mime or usual
        return self._received(customer, account, message)

    @operation
    def send_special(self, customer: str, account: str, message_type: str, fields: JsonObject | None = None) -> Message:
        """Sends any other type: ``image``, ``emoji`` (``resource_url`` ...), ``video`` (``item_id``), ``other``, ..."""
        return self._customer_wrote(customer, account, message_type, dict(fields or {}))

    @operation
    def fill_card(self, customer: str, account: str, card_id: str, answers: dict[str, str]) -> Message:
        """Fills in a lead card: ``answers`` maps labels to values."""
        data = [{"label": label, "value": value} for label, value in answers.items()]
        fields: JsonObject = {"card_id": card_id, "card_status": 2, "card_data": data}
        return self._customer_wrote(customer, account, "retain_consult_card", fields)

    @operation
    def write_in_group(self, customer: str, group_id: str, text: str) -> Message:
        group = self.platform.group(group_id)
        self.platform.customer(customer)
        message = self.platform.new_message(customer, group.owner, "text", {"text": text}, conversation_id=group_id)
        message.group_id = group_id
        self.platform.world.messages[message.message_id] = message
        event = self.platform.message_event("im_group_receive_msg", group.owner, message, customer, group.owner)
        self.platform.pushes.emit(event)
        return brief(message)

    @operation
    def join_group(self, customer: str, group_id: str) -> None:
        group = self.platform.group(group_id)
        group.members.add(self.platform.customer(customer).open_id)
        content: JsonObject = {
            "open_id": customer,
            "im_group_id": group_id,
            "group_type": 1,
            "create_time": self.platform.now_ms,
            "create_group_type": "5",
        }
        self.platform.pushes.emit(Event("group_fans_event", group.owner, customer, group.owner, content))

    @operation
    def apply_to_group(self, customer: str, group_id: str) -> dict[str, str]:
        group, person = self.platform.group(group_id), self.platform.customer(customer)
        content: JsonObject = {
            "create_time": self.platform.now_ms,
            "user_avatar": person.avatar,
            "user_nicker": person.name,
            "apply_status": 2,
            "apply_id": opaque_id(),
            "group_id": group_id,
        }
        self.platform.pushes.emit(Event("enter_group_audit_change", group.owner, customer, group.owner, content))
        return {"apply_id": content["apply_id"]}

    @operation
    def recall(self, message_id: str) -> None:
        """Whoever wrote the message withdraws it in the app."""
        message = self.platform.world.messages.get(message_id)
        if message is None or message.recalled:
            raise LookupError("no such message to recall")
        message.recalled = True
        account = message.from_id if message.from_id in self.platform.world.accounts else message.to_id
        self.platform.push_recall(account, message)

    @operation
    def follow(self, customer: str, account: str) -> None:
        now = int(self.platform.now)
        self.platform.customer(customer).follows[account] = now
        content: JsonObject = {"action_type": 1, "action_time": now}
        self.platform.pushes.emit(Event("new_follow_action", account, customer, account, content))

    @operation
    def like(self, customer: str, account: str, item_id: str) -> None:
        self.platform.customer(customer)
        content: JsonObject = {"action_type": 1, "action_time": int(self.platform.now), "item_id": item_id}
        self.platform.pushes.emit(Event("new_video_digg", account, customer, account, content))

    @operation
    def comment(self, customer: str, account: str, item_id: str, text: str, reply_to: str = "") -> Comment:
        """Comments on a work of the account, or on another comment."""
        if item_id not in self.platform.account(account).works:
            raise LookupError("the account has no such work")
        world = self.platform.world
        comment = Comment(opaque_id(), item_id, account, customer, text, int(self.platform.now), reply_to)
        world.comments[comment.comment_id] = comment
        person = self.platform.customer(customer)
        content: JsonObject = {
            "comment_id": comment.comment_id,
            "comment_user_id": customer,
            "content": text,
            "create_time": comment.at,
            "digg_count": 0,
            "reply_comment_total": 0,
            "reply_to_comment_id": reply_to,
            "reply_to_item_id": item_id,
            "at_user_id": world.comments[reply_to].user if reply_to in world.comments else "",
            "nick_name": person.name,
            "avatar": person.avatar,
        }
        self.platform.pushes.emit(Event("item_comment_reply", account, customer, account, content))
        return comment

    @operation
    def allow_proactive(self, customer: str, account: str, allowed: bool = True) -> None:
        """Allows (or forbids again) messages that the customer did not ask for."""
        key, now = f"{account} {self.platform.customer(customer).open_id}", self.platform.now
        if allowed:
            self.platform.world.proactive[key] = now
        else:
            self.platform.world.proactive.pop(key, None)
        content: JsonObject = {
            "create_time": int(now),
            "update_time": int(now),
            "expire_time": int(now) + 30 * 86400,
            "operation_type": 1 if allowed else 2,
            "auth_status": 1 if allowed else 2,
            "source": "im.direct_message.bind",
            "extra": "",
        }
        self.platform.pushes.emit(Event("im_authorize", account, customer, account, content))

    # Looking

    @operation
    def received(self, customer: str, account: str = "") -> list[Message]:
        """What a customer has got from the business side and still sees, oldest first, without the bytes of files."""
        return [
            brief(message)
            for message in self.platform.world.messages.values()
            if message.to_id == customer and not message.recalled and account in ("", message.from_id)
        ]

    @operation
    def chat(self, customer: str, account: str) -> list[Message]:
        """Both directions, oldest first, recalled ones too."""
        conversation = self.platform.world.conversation_of(account, customer)
        return [brief(one) for one in self.platform.world.messages.values() if one.conversation_id == conversation]

    @operation
    def file_of(self, message_id: str) -> dict[str, object]:
        """Length and SHA-256 of the picture or file of a message."""
        message = self.platform.world.messages.get(message_id)
        if message is None:
            raise LookupError("no such message")
        return {"size": len(message.file), "sha256": hashlib.sha256(message.file).hexdigest(), "mime": message.mime}

    def _app(self, client_key: str) -> App:
        try:
            return self.platform.world.apps[client_key]
        except KeyError:
            raise LookupError(f"no app {client_key}") from None

    def _new(self, from_id: str, to_id: str, kind: str, fields: JsonObject, source: str = "") -> Message:
        world = self.platform.world
        account, customer = (from_id, to_id) if from_id in world.accounts else (to_id, from_id)
        self.platform.account(account)
        self.platform.customer(customer)
        conversation = world.conversation_of(account, customer)
        return self.platform.new_message(from_id, to_id, kind, fields, conversation_id=conversation, source=source)

    def _customer_wrote(self, customer: str, account: str, kind: str, fields: JsonObject) -> Message:
        return self._received(customer, account, self._new(customer, account, kind, fields))

    def _received(self, customer: str, account: str, message: Message) -> Message:
        message, event = self.platform.customer_wrote(account, customer, message)
        self.platform.pushes.emit(event)
        return brief(message)


def brief(message: Message) -> Message:
    """A copy without the bytes of its file."""
    shown = copy.copy(message)
    shown.file = b""
    return shown


def change(thing: Thing, changes: dict[str, Any]) -> Thing:
    """Sets known fields; a set stays a set."""
    for name, value in changes.items():
        if not hasattr(thing, name):
            raise ValueError(f"there is no field {name}")
        setattr(thing, name, set(value) if isinstance(getattr(thing, name), set) else value)
    return thing
