"""Names and numbers of the platform, and the keys that only this adapter makes and reads."""

from __future__ import annotations

from datetime import timedelta

from scrm.channel import AccountRef, JsonObject

CHANNEL = "douyin"
DEFAULT_BASE_URL = "https://open.douyin.com"

REPLY_WINDOW = timedelta(hours=24)
REPLY_QUOTA = 6
ENTER_WINDOW = timedelta(seconds=30)
ENTER_QUOTA = 3

SCENE_REPLY = "im_reply_msg"
SCENE_ENTER = "im_enter_direct_msg"

CONVERSATION_PRIVATE = 1
CONVERSATION_GROUP = 2


def account(open_id: str, name: str = "", avatar: str = "") -> AccountRef:
    return AccountRef(CHANNEL, open_id, name, avatar)


def window_key(message_id: str, conversation_id: str) -> JsonObject:
    """What an answer must carry: the customer's own message (or the entering) that allows it."""
    return {"msg_id": message_id, "conversation_id": conversation_id}


def welcome_code(message_id: str, conversation_id: str) -> str:
    """The same, as one string. Both ids are base64-like and hold no blanks."""
    return f"{message_id} {conversation_id}"


def key_of_welcome(code: str) -> JsonObject:
    message_id, _, conversation_id = code.partition(" ")
    return window_key(message_id, conversation_id)


def media_handle(open_id: str, conversation_id: str, message_id: str) -> JsonObject:
    """For a file from the customer's phone, read through the message-resources call."""
    return {"open_id": open_id, "conversation_id": conversation_id, "message_id": message_id}


def url_handle(url: str) -> JsonObject:
    """For a sticker, whose address came with the message."""
    return {"url": url}
