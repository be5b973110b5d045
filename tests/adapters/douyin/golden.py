"""Our own payloads, one for each kind of event and message in the platform's documents, with what they must become."""

from __future__ import annotations

from collections.abc import Sequence
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
    Kind,
    MessageRecalled,
    MessageReceived,
    Occurrence,
    RemoteMedia,
    SenderKind,
    Unrecognised,
    WindowGrant,
)
from scrm.testing import Golden

CLIENT_KEY = "awtest0000000001"
SHOP, DEER = "shop-open-id", "deer-open-id"
TALK, GROUP, MESSAGE, WORK = "@talk/+A==", "@group/+B==", "@message/+C==", "@work/+D=="
SHOP_INFO = {"open_id": SHOP, "nick_name": "青禾家居", "avatar": "https://p3.example.invalid/shop.jpeg"}
DEER_INFO = {"open_id": DEER, "nick_name": "小鹿", "avatar": "https://p3.example.invalid/deer.jpeg"}
ACCOUNT = AccountRef("douyin", SHOP, "青禾家居", "https://p3.example.invalid/shop.jpeg")
CONTACT = ContactRef(DEER, "小鹿", "https://p3.example.invalid/deer.jpeg")
BARE_ACCOUNT, BARE_CONTACT = AccountRef("douyin", SHOP), ContactRef(DEER)
AT = datetime(2026, 11, 20, 8, 30, 0, 250_000, UTC)
AT_MS = int(AT.timestamp() * 1000)
AT_S = int(AT.timestamp())
WHOLE = AT.replace(microsecond=0)
GOLDEN_TIME = Golden("", b"", ()).received_at
KEY = {"msg_id": MESSAGE, "conversation_id": TALK}
REPLY = WindowGrant("reply", AT + timedelta(hours=24), 6, KEY)
ENTER = WindowGrant("enter", AT + timedelta(seconds=30), 3, KEY)


def pushed(
    event: str, content: Any, *, from_id: str = DEER, to_id: str = SHOP, string: bool = False, **beside: Any
) -> bytes:
    written = orjson.dumps(content).decode() if string else content
    body = {"event": event, "client_key": CLIENT_KEY, "from_user_id": from_id, "to_user_id": to_id, "content": written}
    return orjson.dumps({**body, "log_id": "0217", **beside})


def envelope(**fields: Any) -> dict[str, Any]:
    return {
        "conversation_short_id": TALK,
        "server_message_id": MESSAGE,
        "conversation_type": 1,
        "create_time": AT_MS,
        "source": "",
        "scene_type": 100,
        "user_infos": [DEER_INFO, SHOP_INFO],
        **fields,
    }


def received(name: str, fields: dict[str, Any], *, string: bool = False, **expected: Any) -> Golden:
    facts: dict[str, Any] = {
        "account": ACCOUNT,
        "contact": CONTACT,
        "message_id": MESSAGE,
        "direction": "in",
        "sent_at": AT,
        "sender": SenderKind.CUSTOMER,
        "sender_id": DEER,
        "sender_name": "小鹿",
        "window": REPLY,
        **expected,
    }
    return Golden(name, pushed("im_receive_msg", envelope(**fields), string=string), [MessageReceived(**facts)])


def sent(name: str, fields: dict[str, Any], *, string: bool = False, **expected: Any) -> Golden:
    facts: dict[str, Any] = {
        "account": ACCOUNT,
        "contact": CONTACT,
        "message_id": MESSAGE,
        "direction": "out",
        "kind": Kind.TEXT,
        "sent_at": AT,
        "sender": SenderKind.AGENT,
        "sender_id": SHOP,
        **expected,
    }
    body = pushed("im_send_msg", envelope(**fields), from_id=SHOP, to_id=DEER, string=string)
    return Golden(name, body, [MessageReceived(**facts)])


def local(kind: Kind) -> tuple[RemoteMedia, ...]:
    handle = {"open_id": SHOP, "conversation_id": TALK, "message_id": MESSAGE}
    return (RemoteMedia(kind, handle, expires_at=AT + timedelta(hours=24)),)


def one(name: str, body: bytes, event: Event) -> Golden:
    return Golden(name, body, [event])


def entered(name: str, fields: dict[str, Any], data: dict[str, Any]) -> Golden:
    event = ContactEntered(
        ACCOUNT,
        CONTACT,
        AT,
        scene="4",
        welcome_code=f"{MESSAGE} {TALK}",
        welcome_until=AT + timedelta(seconds=30),
        window=ENTER,
        data=data,
    )
    content = envelope(**{"scene_type": 4, **fields})
    del content["source"]
    return one(name, pushed("im_enter_direct_msg", content, string=True), event)


def occurred(name: str, event: str, content: dict[str, Any], expected: Occurrence, **push: Any) -> Golden:
    return one(name, pushed(event, content, **push), expected)


MESSAGES: Sequence[Golden] = (
    received("text", {"message_type": "text", "text": "多少钱？"}, kind=Kind.TEXT, text="多少钱？"),
    received(
        "text in a string", {"message_type": "text", "text": "有货吗"}, string=True, kind=Kind.TEXT, text="有货吗"
    ),
    received("static emoji", {"message_type": "text", "text": "好的[玫瑰]"}, kind=Kind.TEXT, text="好的[玫瑰]"),
    received("masked phone", {"message_type": "text", "text": "138****5678"}, kind=Kind.TEXT, text="138****5678"),
    received(
        "a NUL that no database takes",
        {"message_type": "text", "text": "a\x00b"},
        kind=Kind.TEXT,
        text="ab",
        string=True,
    ),
    received(
        "shared picture",
        {"message_type": "image", "resource_type": "image", "resource_width": 10, "resource_url": ""},
        kind=Kind.IMAGE,
        text="[图片] 仅可在抖音 App 内查看",
    ),
    received(
        "shared picture with an address",
        {
            "message_type": "image",
            "resource_width": 10,
            "resource_height": 20,
            "resource_url": "https://p3.example.invalid/i",
        },
        kind=Kind.IMAGE,
        text="[图片]",
        media=(RemoteMedia(Kind.IMAGE, {"url": "https://p3.example.invalid/i"}, width=10, height=20),),
    ),
    received(
        "picture from the phone",
        {"message_type": "user_local_image"},
        kind=Kind.IMAGE,
        text="[图片]",
        media=local(Kind.IMAGE),
    ),
    received(
        "video from the phone",
        {"message_type": "user_local_video"},
        kind=Kind.VIDEO,
        text="[视频]",
        media=local(Kind.VIDEO),
    ),
    received(
        "sticker",
        {
            "message_type": "emoji",
            "resource_type": "gif",
            "resource_width": 450,
            "resource_height": 440,
            "resource_url": "https://p3.example.invalid/s.gif",
        },
        kind=Kind.STICKER,
        text="[表情]",
        content={"url": "https://p3.example.invalid/s.gif"},
        media=(
            RemoteMedia(
                Kind.STICKER, {"url": "https://p3.example.invalid/s.gif"}, mime="image/gif", width=450, height=440
            ),
        ),
    ),
    received(
        "shared work",
        {"message_type": "video", "item_id": WORK},
        kind=Kind.CHANNEL_POST,
        text="[视频作品]",
        content={"type": "video", "item_id": WORK},
    ),
    received(
        "blank lead card",
        {"message_type": "retain_consult_card", "card_id": "@card", "card_status": 1, "card_data": []},
        kind=Kind.LEAD_CARD,
        text="[留资卡片]",
        content={"card_id": "@card", "status": "blank", "fields": []},
    ),
    received(
        "filled lead card",
        {
            "message_type": "retain_consult_card",
            "card_id": "@card",
            "card_status": 2,
            "card_data": [{"label": "姓名", "value": "林小鹿"}, {"label": "手机号", "value": "13912340001"}],
        },
        string=True,
        kind=Kind.LEAD_CARD,
        text="[留资卡片] 已填写：姓名、手机号",
        content={
            "card_id": "@card",
            "status": "filled",
            "fields": [{"label": "姓名", "value": "林小鹿"}, {"label": "手机号", "value": "13912340001"}],
        },
    ),
    received(
        "other",
        {"message_type": "other"},
        kind=Kind.OTHER,
        text="[其他消息] 仅可在抖音 App 内查看",
        content={"platform_type": "other"},
    ),
    received(
        "a type of the future",
        {"message_type": "hologram", "payload": {"a": 1}},
        kind=Kind.OTHER,
        text="[其他消息] 仅可在抖音 App 内查看",
        content={"platform_type": "hologram"},
    ),
    received(
        "no people named",
        {"message_type": "text", "text": "在吗", "user_infos": None},
        kind=Kind.TEXT,
        text="在吗",
        account=BARE_ACCOUNT,
        contact=BARE_CONTACT,
        sender_name="",
    ),
    received(
        "an impossible time",
        {"message_type": "text", "text": "在吗", "create_time": 10**18},
        kind=Kind.TEXT,
        text="在吗",
        sent_at=GOLDEN_TIME,
        window=WindowGrant("reply", GOLDEN_TIME + timedelta(hours=24), 6, KEY),
    ),
    sent("by hand", {"message_type": "text", "text": "有的"}, text="有的"),
    sent(
        "our own echo",
        {"message_type": "text", "text": "2999 元", "source": CLIENT_KEY},
        string=True,
        text="2999 元",
        sender=SenderKind.APP,
        sender_id=CLIENT_KEY,
        echo=True,
    ),
    sent(
        "another app",
        {"message_type": "text", "text": "您好", "source": "awother"},
        text="您好",
        sender=SenderKind.APP,
        sender_id="awother",
    ),
    sent(
        "keyword answer", {"message_type": "text", "text": "地址", "scene_type": 1}, text="地址", sender=SenderKind.BOT
    ),
    sent("welcome", {"message_type": "text", "text": "欢迎", "scene_type": 2}, text="欢迎", sender=SenderKind.BOT),
    one(
        "group message",
        pushed(
            "im_group_receive_msg",
            envelope(conversation_short_id=GROUP, conversation_type=2, message_type="text", text="有券吗"),
        ),
        MessageReceived(
            ACCOUNT,
            CONTACT,
            MESSAGE,
            "in",
            Kind.TEXT,
            "有券吗",
            AT,
            sender_id=DEER,
            sender_name="小鹿",
            group=GroupRef(GROUP),
        ),
    ),
    one(
        "own group message",
        pushed(
            "im_group_send_msg",
            envelope(
                conversation_short_id=GROUP, conversation_type=2, message_type="text", text="有的", source=CLIENT_KEY
            ),
            from_id=SHOP,
            to_id="",
        ),
        MessageReceived(
            ACCOUNT,
            ContactRef(SHOP, "青禾家居", "https://p3.example.invalid/shop.jpeg"),
            MESSAGE,
            "out",
            Kind.TEXT,
            "有的",
            AT,
            sender=SenderKind.APP,
            sender_id=CLIENT_KEY,
            group=GroupRef(GROUP),
            echo=True,
        ),
    ),
    one(
        "recall by the customer",
        pushed("im_recall_msg", {"server_message_id": MESSAGE}, string=True, msg_id="cb41"),
        MessageRecalled(BARE_ACCOUNT, BARE_CONTACT, MESSAGE, "customer", GOLDEN_TIME),
    ),
)

HALF_AN_EMOJI = pushed(
    "im_receive_msg", envelope(message_type="text", text="HALF", user_infos=[{"open_id": DEER, "nick_name": "HALF"}])
).replace(b"HALF", b"\\ud83d")

BESIDE_THE_CHAT: Sequence[Golden] = (
    entered("enter", {}, {}),
    entered("enter from a video", {"objectId": WORK}, {"objectId": WORK}),
    entered("enter from an advertisement", {"ad_info": '{"adv_id":17}'}, {"ad_info": {"adv_id": 17}}),
    entered(
        "enter from a mini-program",
        {"data-im-extra": "from=1001", "query": "a=b", "path": "pages/p"},
        {"data-im-extra": "from=1001", "query": "a=b", "path": "pages/p"},
    ),
    occurred(
        "follow",
        "new_follow_action",
        {"action_type": 1, "action_time": AT_S},
        Occurrence("contact.followed", WHOLE, BARE_ACCOUNT, BARE_CONTACT, {"action_type": 1, "action_time": AT_S}),
        string=True,
    ),
    occurred(
        "like",
        "new_video_digg",
        {"action_type": 1, "action_time": AT_S, "item_id": WORK},
        Occurrence(
            "video.liked",
            WHOLE,
            BARE_ACCOUNT,
            BARE_CONTACT,
            {"action_type": 1, "action_time": AT_S, "item_id": WORK},
        ),
        string=True,
    ),
    occurred(
        "comment",
        "item_comment_reply",
        {"comment_id": "@c", "content": "多少钱", "create_time": AT_S, "nick_name": "小鹿", "avatar": "https://a"},
        Occurrence(
            "comment.received",
            WHOLE,
            BARE_ACCOUNT,
            ContactRef(DEER, "小鹿", "https://a"),
            {"comment_id": "@c", "content": "多少钱", "create_time": AT_S, "nick_name": "小鹿", "avatar": "https://a"},
        ),
    ),
    occurred(
        "joined a group",
        "group_fans_event",
        {"open_id": DEER, "im_group_id": GROUP, "create_time": AT_MS},
        Occurrence(
            "group.joined",
            AT,
            BARE_ACCOUNT,
            BARE_CONTACT,
            {"open_id": DEER, "im_group_id": GROUP, "create_time": AT_MS},
        ),
        string=True,
    ),
    occurred(
        "asks to join a group",
        "enter_group_audit_change",
        {"group_id": GROUP, "apply_id": "@a", "create_time": AT_MS, "user_nicker": "小鹿", "user_avatar": "https://a"},
        Occurrence(
            "group.join_requested",
            AT,
            BARE_ACCOUNT,
            ContactRef(DEER, "小鹿", "https://a"),
            {
                "group_id": GROUP,
                "apply_id": "@a",
                "create_time": AT_MS,
                "user_nicker": "小鹿",
                "user_avatar": "https://a",
            },
        ),
        string=True,
    ),
    occurred(
        "allows proactive messages",
        "im_authorize",
        {"create_time": AT_S - 9, "update_time": AT_S, "auth_status": 1, "extra": '{"enter_from":"im_card"}'},
        Occurrence(
            "messages.authorised",
            WHOLE,
            BARE_ACCOUNT,
            BARE_CONTACT,
            {"create_time": AT_S - 9, "update_time": AT_S, "auth_status": 1, "extra": {"enter_from": "im_card"}},
        ),
        string=True,
    ),
    occurred(
        "forbids proactive messages",
        "im_authorize",
        {"create_time": AT_S, "auth_status": 2},
        Occurrence("messages.unauthorised", WHOLE, BARE_ACCOUNT, BARE_CONTACT, {"create_time": AT_S, "auth_status": 2}),
        string=True,
    ),
    *(
        occurred(
            event,
            event,
            {"scopes": ["user_info"]},
            Occurrence(name, GOLDEN_TIME, BARE_ACCOUNT, data={"scopes": ["user_info"]}, needs_attention=attention),
            from_id=SHOP,
            to_id="",
        )
        for event, name, attention in (
            ("authorize", "account.authorised", None),
            ("contract_authorize", "account.authorised", None),
            ("unauthorize", "account.unauthorised", SCAN_AGAIN),
            ("contract_unauthorize", "account.unauthorised", SCAN_AGAIN),
        )
    ),
    occurred(
        "published",
        "create_video",
        {"item_id": WORK, "share_id": "16"},
        Occurrence("video.created", GOLDEN_TIME, contact=BARE_CONTACT, data={"item_id": WORK, "share_id": "16"}),
        to_id="",
    ),
)

CUT: Sequence[Golden] = (
    one(
        "half an emoji in a name and a text",
        HALF_AN_EMOJI,
        MessageReceived(
            BARE_ACCOUNT,
            ContactRef(DEER, "\ufffd"),
            MESSAGE,
            "in",
            Kind.TEXT,
            "\ufffd",
            AT,
            sender_id=DEER,
            sender_name="\ufffd",
            window=REPLY,
        ),
    ),
)

NOT_USED: Sequence[Golden] = (
    one(
        "legacy message",
        pushed("receive_msg", {"message_type": "text", "text": "旧"}),
        Ignored("receive_msg belongs to the closed enterprise-account interface"),
    ),
    one(
        "local life",
        pushed("life_trade_order_notify", {}),
        Ignored("local-life orders and coupons are no conversations"),
    ),
    one("address check", pushed("verify_webhook", {"challenge": 1}), Ignored("an address check")),
    one("an event of the future", pushed("im_telepathy", {}), Unrecognised("unknown event 'im_telepathy'")),
    one(
        "a message without its id",
        pushed("im_receive_msg", {"conversation_short_id": TALK, "message_type": "text", "text": "x"}),
        Unrecognised("im_receive_msg lacks server_message_id"),
    ),
    one(
        "content that is broken JSON",
        pushed("im_receive_msg", '{"server_message_id":'),
        Unrecognised("im_receive_msg lacks server_message_id, conversation_short_id"),
    ),
    one(
        "a message from nobody",
        pushed("im_receive_msg", envelope(message_type="text", text="x"), from_id=""),
        Unrecognised("im_receive_msg lacks from_user_id"),
    ),
)

GOLDEN: Sequence[Golden] = (*MESSAGES, *CUT, *BESIDE_THE_CHAT, *NOT_USED)
