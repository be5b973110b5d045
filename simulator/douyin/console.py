"""Plays the developer in the console and the business account in its own app. The second half of ``control.py``."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from simulator.control import CommonControl, operation
from simulator.delivery import Deliveries
from simulator.douyin import tokens
from simulator.douyin.platform import Platform
from simulator.douyin.state import (
    Account,
    App,
    Grant,
    Group,
    JsonObject,
    Message,
    opaque_id,
    open_id,
)
from simulator.faults import Faults

ALL_SCOPES = (
    "user_info,im.direct_message,im.group_message,im.recall_message,im.message_card,im.group_fans.create_list,"
    "user.intention,item.comment,video.list.bind"
)
Thing = TypeVar("Thing")


class ConsoleControl(CommonControl):
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
