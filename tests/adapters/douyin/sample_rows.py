"""One row for every file of the platform's sample folder: what it must become, how it is read, or why it is not used yet.

Texts, kinds and states are written out here; ids, which are long and opaque, are taken from the sample itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from adapters.douyin.occurrences import SCAN_AGAIN
from scrm.channel import (
    AccountRef,
    ContactEntered,
    ContactRef,
    Event,
    GroupRef,
    Ignored,
    JsonObject,
    Kind,
    MessageRecalled,
    MessageReceived,
    Occurrence,
    RemoteMedia,
    SenderKind,
    WindowGrant,
)

CLIENT_KEY, CLIENT_SECRET = "awsim00000000001", "5f1d7a0c9e2b48d6a3c4e7f80b12d345"
SHOP = "0e7a4bb5-1d12-da12-4db4-c5924787016b"
DEER = "2f22765d-0493-1a07-8909-145ca628d226"
HAO = "6b1f5330-3a73-2ccc-8c6a-ae6640399827"
PICTURES = "https://p3.example.invalid/aweme/720x720"
ACCOUNT = AccountRef("douyin", SHOP, "青禾家居旗舰店", f"{PICTURES}/biz.jpeg")
BARE_ACCOUNT = AccountRef("douyin", SHOP)
CUSTOMER = ContactRef(DEER, "小鹿", f"{PICTURES}/2f22765d.jpeg")
RECEIVED_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """A webhook body, taken apart without any code of the adapter."""

    body: JsonObject

    @property
    def content(self) -> JsonObject:
        content = self.body["content"]
        return dict(orjson.loads(content) if isinstance(content, str) else content)

    @property
    def message_id(self) -> str:
        return str(self.content["server_message_id"])

    @property
    def conversation_id(self) -> str:
        return str(self.content["conversation_short_id"])

    @property
    def key(self) -> JsonObject:
        return {"msg_id": self.message_id, "conversation_id": self.conversation_id}


Row = Callable[[Sample], Event]


def second(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def received(at: int, kind: Kind, text: str, content: JsonObject | None = None, media: Kind | None = None) -> Row:
    """A message of the first customer, sent at that Unix second."""

    def expected(sample: Sample) -> Event:
        handle = {"open_id": SHOP, "conversation_id": sample.conversation_id, "message_id": sample.message_id}
        day_later = second(at) + timedelta(days=1)
        return MessageReceived(
            account=ACCOUNT,
            contact=CUSTOMER,
            message_id=sample.message_id,
            direction="in",
            kind=kind,
            text=text,
            sent_at=second(at),
            content=content or {},
            media=(RemoteMedia(media, handle, expires_at=day_later),) if media else (),
            sender_id=DEER,
            sender_name="小鹿",
            window=WindowGrant("reply", day_later, 6, sample.key),
        )

    return expected


def sent(
    at: int,
    text: str,
    sender: SenderKind,
    sender_id: str = SHOP,
    *,
    echo: bool = False,
    kind: Kind = Kind.TEXT,
    content: JsonObject | None = None,
) -> Row:
    return lambda sample: MessageReceived(
        account=ACCOUNT,
        contact=CUSTOMER,
        message_id=sample.message_id,
        direction="out",
        kind=kind,
        text=text,
        sent_at=second(at),
        content=content or {},
        sender=sender,
        sender_id=sender_id,
        echo=echo,
    )


def entered(at: int, *names: str, **decoded: Any) -> Row:
    """``names`` are fields that are kept as they came, ``decoded`` ones that came as JSON strings."""
    until = second(at) + timedelta(seconds=30)
    return lambda sample: ContactEntered(
        ACCOUNT,
        CUSTOMER,
        second(at),
        scene="4",
        welcome_code=f"{sample.message_id} {sample.conversation_id}",
        welcome_until=until,
        window=WindowGrant("enter", until, 3, sample.key),
        data={**{name: sample.content[name] for name in names}, **decoded},
    )


def occurred(name: str, at: float, customer: ContactRef, **changed: Any) -> Row:
    moment = datetime.fromtimestamp(at, UTC)
    return lambda sample: Occurrence(name, moment, BARE_ACCOUNT, customer, {**sample.content, **changed})


def granted(name: str, open_id: str, scopes: list[str], *, withdrawn: bool = False) -> Row:
    attention = SCAN_AGAIN if withdrawn else None
    account = AccountRef("douyin", open_id)
    return lambda sample: Occurrence(name, RECEIVED_AT, account, data={"scopes": scopes}, needs_attention=attention)


def sticker(sample: Sample) -> Event:
    url = "https://p3.example.invalid/obj/sticker-1.gif"
    event = received(1795253480, Kind.STICKER, "[表情]", {"url": url})(sample)
    assert isinstance(event, MessageReceived)
    media = (RemoteMedia(Kind.STICKER, {"url": url}, mime="image/gif", width=450, height=450),)
    return MessageReceived(**{name: getattr(event, name) for name in event.__slots__} | {"media": media})


def in_group(sample: Sample) -> Event:
    return MessageReceived(
        account=ACCOUNT,
        contact=ContactRef(HAO, "阿浩", f"{PICTURES}/6b1f5330.jpeg"),
        message_id=sample.message_id,
        direction="in",
        kind=Kind.TEXT,
        text="群里有优惠券吗",
        sent_at=second(1795253405),
        sender_id=HAO,
        sender_name="阿浩",
        group=GroupRef(sample.conversation_id),
    )


CARD = "@ccdIwdyNyo0BdHAulOFwiGTmPDjBTCiLEkN+3JkQ/sIjUuzrGgxBmgAB9lqtrCSC"
WORK = "@CKJqxyeyfJF+Xn4Q6Y2x3DlbGy9/lX59vB40o2ro31MV6QOuyuRefox2tqypITlh1O28G8j9orv8i2MqTCD69Q=="
TALK = "@eh5qf5jUijJZJ7DAYLZjYhprnMpowVgyJ/LsyvbJQatyRhvFXnixT864GT86vd2JcH4tBGPoPqlu2x9Dwvk2Hw=="
AD = {
    "adv_id": 1700000000000001,
    "adv_name": "青禾家居",
    "ad_id": 1700000000000002,
    "ad_name": "双十二沙发计划",
    "creative_id": 1700000000000003,
    "promotion_id": 1700000000000004,
    "material_title_id": 1,
    "material_image_id": 2,
    "material_video_id": 3,
}
ANSWERS = [
    {"label": "姓名", "value": "林小鹿"},
    {"label": "手机号", "value": "13912340001"},
    {"label": "城市", "value": "浙江省杭州市西湖区"},
]
BLANK_CARD: JsonObject = {"card_id": CARD, "status": "blank", "fields": []}
FILLED_CARD: JsonObject = {"card_id": CARD, "status": "filled", "fields": ANSWERS}
FROM_CARD = {"enter_from": "im_card", "attribution": {"conversation_id": TALK, "from_att_uid": SHOP}}
IN_APP = "[其他消息] 仅可在抖音 App 内查看"

WEBHOOKS: Mapping[str, Row] = {
    "webhook-authorize.json": granted("account.authorised", DEER, ["user_info", "item.comment", "video.list.bind"]),
    "webhook-unauthorize.json": granted("account.unauthorised", DEER, ["item.comment"], withdrawn=True),
    "webhook-contract-authorize.json": granted(
        "account.authorised", SHOP, ["im.direct_message.bind", "im.recall_message"]
    ),
    "webhook-contract-unauthorize.json": granted(
        "account.unauthorised", SHOP, ["im.direct_message.bind"], withdrawn=True
    ),
    "webhook-create-video.json": lambda sample: Occurrence(
        "video.created", RECEIVED_AT, contact=ContactRef(DEER), data=sample.content
    ),
    "webhook-im-receive-text-object.json": received(1795253400, Kind.TEXT, "你好，请问这款沙发多少钱？"),
    "webhook-im-receive-text-string.json": received(1795253420, Kind.TEXT, "还有现货吗"),
    "webhook-im-receive-text-static-emoji.json": received(1795253430, Kind.TEXT, "好的[玫瑰]谢谢[微笑]"),
    "webhook-im-receive-text-phone-masked.json": received(
        1795253440, Kind.TEXT, "我电话138****5678，微信同号，下午联系"
    ),
    "webhook-im-receive-text-phone-clear.json": received(
        1795253441, Kind.TEXT, "我电话13812345678，加微信 qinghe_home01"
    ),
    "webhook-im-receive-image.json": received(1795253450, Kind.IMAGE, "[图片] 仅可在抖音 App 内查看"),
    "webhook-im-receive-user-local-image.json": received(1795253460, Kind.IMAGE, "[图片]", media=Kind.IMAGE),
    "webhook-im-receive-user-local-video.json": received(1795253470, Kind.VIDEO, "[视频]", media=Kind.VIDEO),
    "webhook-im-receive-emoji-gif.json": sticker,
    "webhook-im-receive-video-share.json": received(
        1795253490, Kind.CHANNEL_POST, "[视频作品]", {"type": "video", "item_id": WORK}
    ),
    "webhook-im-receive-lead-card-blank.json": received(1795253500, Kind.LEAD_CARD, "[留资卡片]", BLANK_CARD),
    "webhook-im-receive-lead-card-filled.json": received(
        1795253560, Kind.LEAD_CARD, "[留资卡片] 已填写：姓名、手机号、城市", FILLED_CARD
    ),
    "webhook-im-receive-other.json": received(1795253570, Kind.OTHER, IN_APP, {"platform_type": "other"}),
    "webhook-im-receive-unknown-type.json": received(
        1795253571, Kind.OTHER, IN_APP, {"platform_type": "future_type_x"}
    ),
    "webhook-im-send-text-by-hand.json": sent(1795253425, "有的亲，今天下单明天发", SenderKind.AGENT),
    "webhook-im-send-text-by-this-app.json": sent(
        1795253426, "这款 2999 元，送货上门", SenderKind.APP, CLIENT_KEY, echo=True
    ),
    "webhook-im-send-text-by-other-app.json": sent(1795253427, "（其他系统发送）", SenderKind.APP, "awother0000000002"),
    "webhook-im-send-keyword-auto-reply.json": sent(1795253428, "【自动回复】门店地址：杭州市西湖区…", SenderKind.BOT),
    "webhook-im-send-welcome.json": sent(1795253401, "您好，欢迎咨询", SenderKind.BOT),
    "webhook-im-send-lead-card.json": sent(
        1795253499,
        "[留资卡片]",
        SenderKind.APP,
        CLIENT_KEY,
        echo=True,
        kind=Kind.LEAD_CARD,
        content=BLANK_CARD,
    ),
    "webhook-im-enter-plain.json": entered(1795253395),
    "webhook-im-enter-from-video.json": entered(1795253396, "objectId"),
    "webhook-im-enter-from-ad.json": entered(1795253397, ad_info=AD),
    "webhook-im-enter-from-mini-program.json": entered(1795253398, "data-im-extra", "query", "path"),
    "webhook-im-recall.json": lambda sample: MessageRecalled(
        BARE_ACCOUNT, ContactRef(DEER), sample.message_id, "customer", RECEIVED_AT
    ),
    "webhook-im-authorize.json": occurred("messages.authorised", 1795253000, ContactRef(DEER), extra=FROM_CARD),
    "webhook-im-authorize-cancelled.json": occurred("messages.unauthorised", 1795260000, ContactRef(DEER), extra={}),
    "webhook-im-group-receive-text.json": in_group,
    "webhook-group-fans-join.json": occurred("group.joined", 1795253406, ContactRef(HAO)),
    "webhook-group-join-apply.json": occurred(
        "group.join_requested", 1795253405.5, ContactRef(HAO, "阿浩", "https://p3.example.invalid/a.jpeg")
    ),
    "webhook-new-follow.json": occurred("contact.followed", 1795253111, ContactRef(DEER)),
    "webhook-new-video-digg.json": occurred("video.liked", 1795253222, ContactRef(DEER)),
    "webhook-item-comment-first-level.json": occurred("comment.received", 1795253300, ContactRef(HAO)),
    "webhook-item-comment-second-level.json": occurred("comment.received", 1795253333, ContactRef(DEER)),
    "webhook-legacy-receive-msg.json": lambda sample: Ignored(
        "receive_msg belongs to the closed enterprise-account interface"
    ),
}
CHALLENGES = {"webhook-verify.json": 12345}
