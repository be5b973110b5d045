"""One item of ``kf/sync_msg``: a message or an event (wecom.md section 16.3; platform page 94670)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from adapters.wecom.ids import customer, kf_account, member
from adapters.wecom.kf_bodies import read_body
from adapters.wecom.parse_kf_event import parse_kf_event
from adapters.wecom.values import integer, moment, read_object, text
from scrm.channel import Event, JsonObject, MessageReceived, SenderKind, Unrecognised, WindowGrant

REPLY_WINDOW = timedelta(hours=48)
REPLIES = 5
"""After each message of a customer: five answers within 48 hours (wecom.md section 16.4)."""

_FROM_CUSTOMER = 3
_ORIGINS: Mapping[int, tuple[Literal["in", "out"], SenderKind]] = {
    _FROM_CUSTOMER: ("in", SenderKind.CUSTOMER),
    4: ("in", SenderKind.SYSTEM),
    5: ("out", SenderKind.AGENT),
}


def parse_kf_item(body: bytes, open_kfid: str, received_at: datetime) -> Event:
    """``open_kfid`` is the account whose stream the item came from; the item's own, where it has one, goes first."""
    item = read_object(body)
    if item is None:
        return Unrecognised("not a JSON object")
    sent_at = moment(item, "send_time", received_at)
    if text(item, "msgtype") == "event":
        return parse_kf_event(item, open_kfid, sent_at)
    return _message(item, open_kfid, sent_at)


def _message(item: JsonObject, open_kfid: str, sent_at: datetime) -> Event:
    message_id, external_userid = text(item, "msgid"), text(item, "external_userid")
    if not message_id or not external_userid:
        return Unrecognised("a message without msgid or external_userid")
    direction, sender = _sender(item)
    said = read_body(item, sent_at)
    return MessageReceived(
        account=kf_account(text(item, "open_kfid") or open_kfid),
        contact=customer(external_userid),
        message_id=message_id,
        direction=direction,
        kind=said.kind,
        text=said.text,
        sent_at=sent_at,
        content=said.content,
        media=said.media,
        sender=sender,
        sender_id=_sender_id(sender, item, external_userid),
        window=_grant(item, sent_at),
    )


def _sender(item: JsonObject) -> tuple[Literal["in", "out"], SenderKind]:
    """A message of unknown origin is shown as the customer's, where somebody will look at it, but opens no window."""
    origin = _ORIGINS.get(integer(item, "origin") or 0)
    if origin is None:
        return ("out", SenderKind.AGENT) if text(item, "servicer_userid") else ("in", SenderKind.CUSTOMER)
    return origin


def _sender_id(sender: SenderKind, item: JsonObject, external_userid: str) -> str:
    if sender is SenderKind.AGENT:
        return member(text(item, "servicer_userid"))
    return external_userid if sender is SenderKind.CUSTOMER else ""


def _grant(item: JsonObject, sent_at: datetime) -> WindowGrant | None:
    if integer(item, "origin") != _FROM_CUSTOMER:
        return None
    return WindowGrant("reply", sent_at + REPLY_WINDOW, REPLIES)
