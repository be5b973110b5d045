"""Plays everybody: the developer in the console, the business account in its app, and the customers.

Every method below is also ``POST /_control/<name>`` with its arguments as a JSON object (``simulator.control`` says how). Ids
that are left out are made up; the answer says them. Acts of customers push webhooks as the platform would.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from simulator.control import operation
from simulator.douyin.console import ConsoleControl, brief, change
from simulator.douyin.pushes import Event
from simulator.douyin.state import (
    Comment,
    Customer,
    JsonObject,
    Message,
    Opening,
    opaque_id,
    open_id,
)

FILE_KINDS = {"image": ("user_local_image", "image/png"), "video": ("user_local_video", "video/mp4")}


class DouyinControl(ConsoleControl):
    """All operations; those of the console and of business accounts are in ``console.py``."""

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

    def _customer_wrote(self, customer: str, account: str, kind: str, fields: JsonObject) -> Message:
        return self._received(customer, account, self._new(customer, account, kind, fields))

    def _received(self, customer: str, account: str, message: Message) -> Message:
        message, event = self.platform.customer_wrote(account, customer, message)
        self.platform.pushes.emit(event)
        return brief(message)
