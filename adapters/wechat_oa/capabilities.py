"""What can be done on an Official Account, as data (wechat-oa.md sections 3 and 6)."""

from __future__ import annotations

from adapters.wechat_oa.ids import CHANNEL, REPLY_QUOTA, REPLY_WINDOW
from scrm.channel import Capabilities, Kind, MediaLimit, Sentence, WindowPolicy

MEGABYTE = 1024 * 1024
TEXT_LIMIT = 2048
"""Bytes of UTF-8; the platform answers 45002 beyond it."""

IMAGE = MediaLimit(10 * MEGABYTE, ("image/jpeg", "image/png", "image/gif", "image/bmp"))
VOICE = MediaLimit(2 * MEGABYTE, ("audio/amr", "audio/mpeg"))
VIDEO = MediaLimit(10 * MEGABYTE, ("video/mp4",))

CAPABILITIES = Capabilities(
    channel=CHANNEL,
    title=Sentence(zh="微信公众号", en="WeChat Official Account"),
    mark="公",
    color="#0f9d58",
    sends=frozenset(
        {
            Kind.TEXT,
            Kind.IMAGE,
            Kind.VOICE,
            Kind.VIDEO,
            Kind.LINK,
            Kind.MINIPROGRAM,
            Kind.MENU,
            Kind.CHANNEL_POST,
        }
    ),
    text_limit=TEXT_LIMIT,
    text_limit_unit="bytes",
    media={Kind.IMAGE: IMAGE, Kind.VOICE: VOICE, Kind.VIDEO: VIDEO},
    window=WindowPolicy(
        REPLY_WINDOW,
        REPLY_QUOTA,
        Sentence(
            zh="客户每次发来消息后的 48 小时内最多可回复 5 条；关注、扫码或点击菜单后 1 分钟内最多 3 条。",
            en="Up to 5 replies within 48 hours of each message; up to 3 within 1 minute of following, scanning or tapping the menu.",
        ),
    ),
    welcomes=True,
)
