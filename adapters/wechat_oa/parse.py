"""Stored pushes become events (wechat-oa.md section 2): messages by ``MsgType`` in ``content.py``, events by a table in
``occurrences.py``."""

from __future__ import annotations

from adapters.wechat_oa.content import said
from adapters.wechat_oa.ids import account, enter_window, reply_window
from adapters.wechat_oa.occurrences import EVENTS
from adapters.wechat_oa.push import Push
from adapters.wechat_oa.values import text
from adapters.wechat_oa.xml import BrokenXml, read_xml
from scrm.channel import ContactRef, Event, MessageReceived, Raw, Unrecognised


def parse(raw: Raw) -> list[Event]:
    try:
        fields = read_xml(raw.body)
    except BrokenXml as error:
        return [Unrecognised(f"no XML of a push: {error}")]
    push = Push(fields, raw.received_at)
    if not push.to_id or not push.from_id:
        return [Unrecognised("a push without both sides")]
    if push.message_type == "event":
        read = EVENTS.get(push.event)
        return list(read(push)) if read is not None else [Unrecognised(f"unknown event {push.event[:100]!r}")]
    return [_message(push)]


def _message(push: Push) -> Event:
    message_id = text(push.fields, "MsgId")
    if not message_id or not push.message_type:
        return Unrecognised("a message without MsgId or MsgType")
    what = said(push.fields, push.at)
    # A tap on a menu inside the chat arrives as a text, and counts as a menu tap (section 3).
    tapped = bool(text(push.fields, "bizmsgmenuid"))
    return MessageReceived(
        account=account(push.to_id),
        contact=ContactRef(push.from_id),
        message_id=message_id,
        direction="in",
        kind=what.kind,
        text=what.text,
        sent_at=push.at,
        content=what.content,
        media=what.media,
        sender_id=push.from_id,
        window=enter_window(push.at) if tapped else reply_window(push.at),
    )
