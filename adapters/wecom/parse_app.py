"""What members of the company do in the app itself: messages and events (wecom.md section 11.4).

They are colleagues, not customers: kept as occurrences with the platform's fields, no conversation is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.wecom.callback import Callback
from adapters.wecom.ids import app_account
from scrm.channel import Event, Occurrence

MESSAGES = frozenset({"text", "image", "voice", "video", "location", "link"})

EVENTS: Mapping[str, str] = {
    "subscribe": "app.subscribed",
    "unsubscribe": "app.unsubscribed",
    "enter_agent": "app.entered",
    "click": "app.clicked",
    "view": "app.view",
    "LOCATION": "app.location",
    "scancode_push": "app.scancode_push",
    "scancode_waitmsg": "app.scancode_waitmsg",
    "pic_sysphoto": "app.pic_sysphoto",
    "pic_photo_or_album": "app.pic_photo_or_album",
    "pic_weixin": "app.pic_weixin",
    "location_select": "app.location_select",
    "template_card_event": "app.template_card_event",
    "template_card_menu_event": "app.template_card_menu_event",
    "close_inactive_agent": "app.close_inactive_agent",
    "reopen_inactive_agent": "app.reopen_inactive_agent",
}


def event(callback: Callback) -> Sequence[Event]:
    return (_occurrence(EVENTS[callback.event], callback),)


def message(callback: Callback) -> Sequence[Event]:
    """``data`` also says the type of the message, which other events do not need."""
    if not callback["MsgId"] or not callback["FromUserName"]:
        return (callback.lacks("MsgId", "FromUserName"),)
    return (_occurrence("app.message", callback, MsgType=callback.message_type),)


def _occurrence(name: str, callback: Callback, **more: str) -> Occurrence:
    agent_id = callback["AgentID"]
    who = {"FromUserName": callback["FromUserName"]} if callback["FromUserName"] else {}
    return Occurrence(
        name, callback.at, app_account(agent_id) if agent_id else None, data={**callback.data, **who, **more}
    )
