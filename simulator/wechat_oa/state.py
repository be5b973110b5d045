"""Everything the simulated platform knows. Plain data, so that it can be written to a file and read back.

Times are Unix seconds of the simulated clock. Nothing here checks anything; the rules are beside it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from simulator.wechat_oa.settings import Trigger

JsonObject = dict[str, Any]
Mode = Literal["plain", "compatible", "safe"]
Kind = Literal["service", "subscription"]


def new_id(prefix: str = "", length: int = 43) -> str:
    return prefix + secrets.token_urlsafe(length)[:length]


@dataclass
class Server:
    """Where pushes go, as saved in the console."""

    url: str
    token: str
    aes_key: str = ""
    mode: Mode = "plain"


@dataclass
class Opening:
    """What allows answers: an act of the person. ``used`` counts the answers."""

    at: float
    used: int = 0


@dataclass
class Received:
    """What a person got. ``via``: ``custom``, ``mass``, ``preview``, ``template`` or ``notice``."""

    via: str
    msgtype: str
    body: JsonObject
    at: float
    msg_id: int = 0


@dataclass
class Person:
    """Somebody as one account knows them. ``refuses``: ids of notices that the person does not want."""

    openid: str
    name: str = ""
    union_id: str = ""
    follows: bool = False
    followed_at: int = 0
    scene: str = "ADD_SCENE_SEARCH"
    qr_scene: str = ""
    remark: str = ""
    tags: list[int] = field(default_factory=list)
    blocks: bool = False
    refuses: set[str] = field(default_factory=set)
    openings: dict[Trigger, Opening] = field(default_factory=dict)
    typing: bool = False
    mass_by_month: dict[str, int] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)


@dataclass
class Media:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    media_id: str
    kind: str
    name: str
    mime: str
    content: bytes
    created_at: float


@dataclass
class Mass:
    """A mass message. ``state`` as ``mass/get`` tells it."""

    msg_id: int
    openids: list[str]
    msgtype: str
    body: JsonObject
    at: float
    state: Literal["SENDING", "SEND_SUCCESS", "SEND_FAIL", "DELETE"] = "SENDING"
    client_id: str = ""


@dataclass
class Account:
    app_id: str
    secret: str
    original_id: str
    name: str = ""
    kind: Kind = "service"
    verified: bool = True
    allowed_addresses: list[str] = field(default_factory=list)
    """Empty: any."""
    server: Server | None = None
    people: dict[str, Person] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)
    """``media_id`` of an article that can be spread -> its title."""
    articles: dict[str, str] = field(default_factory=dict)
    """``article_id`` of a published article -> its title."""
    tags: dict[int, str] = field(default_factory=lambda: {2: "星标组"})
    mass: dict[int, Mass] = field(default_factory=dict)
    client_ids: dict[str, tuple[int, float]] = field(default_factory=dict)
    """``clientmsgid`` -> the message and when it was handed in."""
    mass_days: dict[str, int] = field(default_factory=dict)
    codes: dict[str, JsonObject] = field(default_factory=dict)
    menu: JsonObject = field(default_factory=dict)


@dataclass
class Token:
    app_id: str
    expires_at: float
    stable: bool = True
    replaced: bool = False
    refused_with: int = 0


@dataclass
class World:
    clock_offset: float = 0.0
    """How far the simulated clock was moved when this was written."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """By appid."""
    tokens: dict[str, Token] = field(default_factory=dict)
    last_number: int = 24_400_000_000_000_000
    """Of messages, which have 64 bits on the platform."""
    last_mass: int = 1_000_001_624

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def next_mass(self) -> int:
        self.last_mass += 1
        return self.last_mass


WORLD = TypeAdapter(World)
