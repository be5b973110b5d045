"""What can be done on the channels of WeCom, as data (wecom.md sections 14 and 16.4; platform pages 94677, 90253)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.wecom.ids import KF, MEMBER
from adapters.wecom.parse_kf import REPLIES, REPLY_WINDOW
from scrm.channel import Capabilities, Kind, MediaLimit, Sentence, WindowPolicy

MEGABYTE = 1024 * 1024
TEXT_LIMIT = 2048
"""Bytes. WeCom cuts what is longer without saying so; we refuse it."""

CUSTOMER_SERVICE = Capabilities(
    channel=KF,
    title=Sentence("微信客服", "WeChat customer service"),
    mark="服",
    color="#07a35a",
    sends=frozenset(
        {
            Kind.TEXT,
            Kind.IMAGE,
            Kind.VOICE,
            Kind.VIDEO,
            Kind.FILE,
            Kind.LINK,
            Kind.MINIPROGRAM,
            Kind.MENU,
            Kind.LOCATION,
        }
    ),
    text_limit=TEXT_LIMIT,
    text_limit_unit="bytes",
    media={
        Kind.IMAGE: MediaLimit(10 * MEGABYTE, ("image/jpeg", "image/png")),
        Kind.VOICE: MediaLimit(2 * MEGABYTE, ("audio/amr",)),
        Kind.VIDEO: MediaLimit(10 * MEGABYTE, ("video/mp4",)),
        Kind.FILE: MediaLimit(20 * MEGABYTE),
    },
    window=WindowPolicy(
        REPLY_WINDOW,
        REPLIES,
        Sentence(
            "客户每次发来消息后的 48 小时内，最多可回复 5 条。",
            "Up to 5 replies within 48 hours of each message of the customer.",
        ),
    ),
    deduplicates_sends=True,
    welcomes=True,
)

EMPLOYEE = Capabilities(
    channel=MEMBER,
    title=Sentence("企业微信员工", "WeCom employee"),
    mark="企",
    color="#2f7df6",
    read_only_reason=Sentence(
        "员工和客户的聊天只能在员工自己的企业微信客户端里回复，平台不允许通过接口发送。",
        "Chats between an employee and a customer can only be answered in the employee's own WeCom client; "
        "the platform allows no sending through its interface.",
    ),
)
"""Members and their customers: greeted with the code of the event (:class:`~scrm.channel_contacts.GreetsNewContacts`), never
written to."""

CAPABILITIES: Mapping[str, Capabilities] = {KF: CUSTOMER_SERVICE, MEMBER: EMPLOYEE}
"""What members write to the app itself is seen (as occurrences) but not served: it has no capabilities, hence no account."""
