"""Names and numbers of the platform, and the keys that only this adapter makes and reads (wechat-oa.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

from scrm.channel import AccountRef, JsonObject, WindowGrant

CHANNEL = "wechat_oa"
DEFAULT_BASE_URL = "https://api.weixin.qq.com"

REPLY_WINDOW = timedelta(hours=48)
REPLY_QUOTA = 5
ENTER_WINDOW = timedelta(minutes=1)
ENTER_QUOTA = 3
"""Following, scanning and tapping a menu open this one (section 3)."""
MEDIA_LIFE = timedelta(days=3)
SCENE_PREFIX = "qrscene_"


def account(original_id: str) -> AccountRef:
    return AccountRef(CHANNEL, original_id)


def reply_window(at: datetime) -> WindowGrant:
    return WindowGrant("reply", at + REPLY_WINDOW, REPLY_QUOTA)


def enter_window(at: datetime) -> WindowGrant:
    return WindowGrant("enter", at + ENTER_WINDOW, ENTER_QUOTA)


def welcome_code(openid: str, at: datetime) -> str:
    """The platform gives no code for a greeting: whoever follows may be written to for a minute. The same for repetitions."""
    return f"{openid} {int(at.timestamp())}"


def media_handle(media_id: str) -> JsonObject:
    return {"media_id": media_id}


def wechat_union(unionid: str) -> str:
    """A WeChat Open Platform unionid with the name of its space; empty when there is none."""
    return f"wechat:{unionid}" if unionid else ""
