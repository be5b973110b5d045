"""Everything that happens beside the chat: follows, likes, comments, groups, grants. Platform reference, chapters 4.3 and 4.6."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapters.douyin.ids import account
from adapters.douyin.reading import millis_in, object_in, seconds_in, text_in
from scrm.channel import ContactRef, Event, JsonObject, Occurrence, Sentence, Unrecognised

SCAN_AGAIN = Sentence(
    zh="抖音账号在抖音 App 里取消了授权，消息已停止收发。请管理员用该账号重新扫码授权。",
    en="The Douyin account withdrew its authorisation in the app, so messages have stopped. "
    "An administrator must authorise it again by scanning the code with that account.",
)


@dataclass(frozen=True, slots=True)
class Happening:
    from_id: str
    to_id: str
    content: JsonObject
    received_at: datetime


def followed(happening: Happening) -> Event:
    return by_customer(
        "contact.followed", happening, seconds_in(happening.content, "action_time", happening.received_at)
    )


def video_liked(happening: Happening) -> Event:
    return by_customer("video.liked", happening, seconds_in(happening.content, "action_time", happening.received_at))


def commented(happening: Happening) -> Event:
    """A comment on an own video; ``data`` has its text as ``content``."""
    at = seconds_in(happening.content, "create_time", happening.received_at)
    names = text_in(happening.content, "nick_name"), text_in(happening.content, "avatar")
    return by_customer("comment.received", happening, at, *names)


def group_joined(happening: Happening) -> Event:
    return by_customer("group.joined", happening, millis_in(happening.content, "create_time", happening.received_at))


def group_join_requested(happening: Happening) -> Event:
    at = millis_in(happening.content, "create_time", happening.received_at)
    names = text_in(happening.content, "user_nicker"), text_in(happening.content, "user_avatar")
    return by_customer("group.join_requested", happening, at, *names)


def messages_authorised(happening: Happening) -> Event:
    """A customer allows (or forbids again) messages that nobody asked for."""
    names = {"1": "messages.authorised", "2": "messages.unauthorised"}
    name = names.get(text_in(happening.content, "auth_status"))
    if name is None:
        return Unrecognised("im_authorize without a known auth_status")
    created = seconds_in(happening.content, "create_time", happening.received_at)
    at = seconds_in(happening.content, "update_time", created)
    data = dict(happening.content)
    if "extra" in data:
        data["extra"] = object_in(data["extra"])
    return by_customer(name, Happening(happening.from_id, happening.to_id, data, happening.received_at), at)


def by_customer(name: str, happening: Happening, at: datetime, person: str = "", avatar: str = "") -> Event:
    if not (happening.from_id and happening.to_id):
        return Unrecognised(f"{name} without both sides")
    contact = ContactRef(happening.from_id, person, avatar)
    return Occurrence(name, at, account(happening.to_id), contact, happening.content)


def authorised(happening: Happening) -> Event:
    return by_account("account.authorised", happening)


def unauthorised(happening: Happening) -> Event:
    return by_account("account.unauthorised", happening, SCAN_AGAIN)


def by_account(name: str, happening: Happening, attention: Sentence | None = None) -> Event:
    """Only accounts of ours are sent to the authorisation page, so whoever grants or withdraws is one of them."""
    if not happening.from_id:
        return Unrecognised(f"{name} without an account")
    return Occurrence(
        name, happening.received_at, account(happening.from_id), data=happening.content, needs_attention=attention
    )


def video_created(happening: Happening) -> Event:
    """Somebody shared a video through the app; whether an account of ours is not said."""
    if not happening.from_id:
        return Unrecognised("create_video without a user")
    return Occurrence(
        "video.created", happening.received_at, contact=ContactRef(happening.from_id), data=happening.content
    )
