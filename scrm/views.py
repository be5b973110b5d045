"""Shapes of the API that several parts share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from scrm.channel import Capabilities, Sentence

MAX_ID = 2**63 - 1


class View(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(BaseModel):
    """The query or body of a request: an unknown field is a mistake that the sender should hear about."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _one_line(value: str) -> str:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise ValueError("Write it on one line, without control characters.")
    return value


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)]
"""A name."""
OptionalLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(_one_line)]


class SentenceView(View):
    """A statement for people, with a stable code for programs."""

    code: str
    zh: str
    en: str


def sentence_view(value: Sentence | Mapping[str, Any] | None, code: str = "") -> SentenceView | None:
    """A sentence of the contract, or one as it is stored: ``{code?, zh, en}``."""
    if value is None:
        return None
    if isinstance(value, Sentence):
        return SentenceView(code=code, zh=value.zh, en=value.en)
    text = str(value.get("zh") or value.get("en") or "")
    return SentenceView(code=str(value.get("code") or code), zh=text, en=str(value.get("en") or text))


class MediaLimitView(View):
    max_bytes: int
    mime_types: list[str]


class WindowRuleView(View):
    seconds: int
    quota: int
    rule: SentenceView


class ChannelView(View):
    """What a channel can do, as its adapter declares it."""

    channel: str
    title: SentenceView
    mark: str
    color: str
    sends: list[str]
    read_only_reason: SentenceView | None
    text_limit: int
    text_limit_unit: Literal["bytes", "characters"]
    links_allowed: bool
    media: dict[str, MediaLimitView]
    window: WindowRuleView | None
    recall_seconds: int | None
    deduplicates_sends: bool


class AccountView(View):
    id: int
    connection_id: int
    channel: str
    name: str
    avatar: str
    disabled: bool
    welcome_text: str
    team_id: int | None
    chats: bool
    """Its channel can be answered from here, or there are conversations: else it is no place of the inbox."""


class AccountList(View):
    accounts: list[AccountView]
    channels: list[ChannelView]


def channel_view(can: Capabilities) -> ChannelView:
    window = None
    if can.window is not None:
        rule = SentenceView(code=f"{can.channel}.window", zh=can.window.rule.zh, en=can.window.rule.en)
        window = WindowRuleView(seconds=int(can.window.duration.total_seconds()), quota=can.window.quota, rule=rule)
    return ChannelView(
        channel=can.channel,
        title=SentenceView(code=can.channel, zh=can.title.zh, en=can.title.en),
        mark=can.mark,
        color=can.color,
        sends=sorted(can.sends),
        read_only_reason=sentence_view(can.read_only_reason, f"{can.channel}.read_only"),
        text_limit=can.text_limit,
        text_limit_unit=can.text_limit_unit,
        links_allowed=can.links_allowed,
        media={
            kind: MediaLimitView(max_bytes=limit.max_bytes, mime_types=list(limit.mime_types))
            for kind, limit in can.media.items()
        },
        window=window,
        recall_seconds=None if can.recall_within is None else int(can.recall_within.total_seconds()),
        deduplicates_sends=can.deduplicates_sends,
    )
