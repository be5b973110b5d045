"""Everything the simulated platform knows. Plain data, so that it can be written to a file and read back.

Times are Unix seconds of the simulated clock, except ``at_ms``. Nothing here checks anything; the rules are beside it. One
person has one open id for all apps here; on the platform there is one for each app.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

JsonObject = dict[str, Any]


def opaque_id() -> str:
    """Like the platform's ids of messages, conversations and works: ``@`` and base64 with ``+ / =`` inside."""
    return "@" + base64.b64encode(secrets.token_bytes(64)).decode()


def open_id() -> str:
    raw = secrets.token_hex(16)
    return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


@dataclass
class App:
    client_key: str
    client_secret: str
    name: str = ""
    redirect_uris: list[str] = field(default_factory=list)
    """Empty: any."""
    webhook_url: str = ""
    unsubscribed: set[str] = field(default_factory=set)
    decodes_phones: bool = False
    """Has the capability 私信消息解码: phone numbers are not masked."""
    may_renew: bool = True
    lacks: set[str] = field(default_factory=set)
    """Scopes that the app was not given."""
    banned: bool = False


@dataclass
class Account:
    """A business account. ``works`` maps item ids to titles, ``cards`` lead cards to their fields."""

    open_id: str
    name: str = ""
    avatar: str = ""
    certified: bool = True
    banned: bool = False
    workbench_active: bool = False
    works: dict[str, str] = field(default_factory=dict)
    cards: dict[str, JsonObject] = field(default_factory=dict)


@dataclass
class Customer:
    open_id: str
    name: str = ""
    avatar: str = ""
    banned: bool = False
    follows: dict[str, int] = field(default_factory=dict)
    """Business open id -> since."""


@dataclass
class Grant:
    """What an account allows an app, with the tokens that go with it."""

    client_key: str
    open_id: str
    scopes: list[str]
    access_token: str
    access_until: float
    refresh_token: str
    refresh_until: float
    renewals: int = 0


@dataclass
class Code:
    client_key: str
    open_id: str
    scopes: list[str]
    until: float
    used: bool = False


@dataclass
class ClientToken:
    token: str
    client_key: str
    until: float


@dataclass
class Message:
    """``kind`` is ``message_type`` of the webhook. ``shown`` is what the receiving side sees of it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    message_id: str
    conversation_id: str
    from_id: str
    to_id: str
    at_ms: int
    kind: str
    fields: JsonObject
    source: str = ""
    scene_type: int = 100
    group_id: str = ""
    recalled: bool = False
    file: bytes = b""
    mime: str = ""


@dataclass
class Opening:
    """An event that allows answers: its id is what a send must carry."""

    kind: Literal["reply", "enter"]
    account: str
    customer: str
    conversation_id: str
    at: float
    used: int = 0


@dataclass
class Picture:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    client_key: str
    mime: str
    content: bytes


@dataclass
class Comment:
    comment_id: str
    item_id: str
    account: str
    user: str
    text: str
    at: int
    reply_to: str = ""
    top: bool = False


@dataclass
class Group:
    group_id: str
    owner: str
    name: str = ""
    members: set[str] = field(default_factory=set)


@dataclass
class World:
    clock_offset: float = 0.0
    """How far the simulated clock was moved when this was written."""
    apps: dict[str, App] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    client_tokens: list[ClientToken] = field(default_factory=list)
    client_token_calls: dict[str, list[float]] = field(default_factory=dict)
    conversations: dict[str, str] = field(default_factory=dict)
    """``account customer`` -> conversation id."""
    messages: dict[str, Message] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    file_keys: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Key in the temporary address of a file -> message id, until."""
    comments: dict[str, Comment] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    proactive: dict[str, float] = field(default_factory=dict)
    """``account customer`` -> since when the customer allows messages that nobody asked for."""
    proactive_sent: dict[str, int] = field(default_factory=dict)
    """``account customer`` -> day of the last one."""

    def person(self, identifier: str) -> Account | Customer | None:
        return self.accounts.get(identifier) or self.customers.get(identifier)

    def conversation_of(self, account: str, customer: str) -> str:
        return self.conversations.setdefault(f"{account} {customer}", opaque_id())

    def grants_of(self, account: str) -> list[Grant]:
        return [grant for grant in self.grants if grant.open_id == account]


WORLD = TypeAdapter(World)
