"""One row for every file of the platform's sample folder: what it must become, how it is built or read, or why it is not used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from scrm.channel import (
    AccountRef,
    ContactEntered,
    ContactRef,
    Event,
    Ignored,
    JsonObject,
    Kind,
    MessageReceived,
    Occurrence,
    OutgoingMedia,
    OutgoingMessage,
    RemoteMedia,
    WindowGrant,
)
from scrm.channel_campaigns import SpreadPost
from scrm.errors import Rejected, SendError
from scrm.testing import outgoing_media

APP_ID, TOKEN, AES_KEY = "wx1234567890abcdef", "simtoken2026", "Ky00btrDZXBp1V7woLX0sxKnb5OYRg4pRzIIwoA0DrI"
SHOP = "gh_sim0000001"
DEER, HAO = "oSIM-user-0001_aBcDeFgHiJkLm", "oSIM-user-0002_aBcDeFgHiJkLm"
ACCOUNT = AccountRef("wechat_oa", SHOP)
AT = datetime.fromtimestamp(1795253400, UTC)
RECEIVED_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REPLY = WindowGrant("reply", AT + timedelta(hours=48), 5)
ENTER = WindowGrant("enter", AT + timedelta(minutes=1), 3)
WHERE = Ignored("where the customer is, told every few seconds while the chat is open; we do not keep that")


def said(number: int, kind: Kind, text: str, **more: Any) -> Sequence[Event]:
    facts: dict[str, Any] = {"sent_at": AT, "sender_id": DEER, "window": REPLY, **more}
    return [MessageReceived(ACCOUNT, ContactRef(DEER), f"244000000000000{number:02}", "in", kind, text, **facts)]


def media(kind: Kind, media_id: str, mime: str = "") -> tuple[RemoteMedia, ...]:
    return (RemoteMedia(kind, {"media_id": media_id}, mime=mime, expires_at=AT + timedelta(days=3)),)


def entered(scene: str, **data: Any) -> ContactEntered:
    return ContactEntered(ACCOUNT, ContactRef(DEER), AT, scene, window=ENTER, data=data)


def followed(who: str, scene: str, **data: str) -> Sequence[Event]:
    greeting = ContactEntered(
        ACCOUNT,
        ContactRef(who),
        AT,
        scene,
        welcome_code=f"{who} 1795253400",
        welcome_until=ENTER.expires_at,
        window=ENTER,
        data=data,
    )
    state = {"State": scene} if scene else {}
    return [greeting, Occurrence("contact.added", AT, ACCOUNT, ContactRef(who), {**data, **state})]


def happened(name: str, data: JsonObject, who: str = DEER) -> Sequence[Event]:
    return [Occurrence(name, AT, ACCOUNT, ContactRef(who), data)]


def told(name: str, data: JsonObject) -> Sequence[Event]:
    return [Occurrence(name, AT, ACCOUNT, data=data)]


def spread(number: str, state: str, counts: Sequence[int], code: str = "", reason: Any = None) -> Sequence[Event]:
    total, filtered, sent, failed = counts
    data = {
        "broadcast_id": number,
        "state": state,
        "total": total,
        "filtered": filtered,
        "sent": sent,
        "failed": failed,
    }
    return told("broadcast.finished", {**data, "code": code, "reason": reason})


REPRINT = {
    "zh": "群发没有通过：原创校验判定为转载，按设置不群发（30003）。",
    "en": "The mass message was not sent: judged to be a reprint, which the settings do not allow to be sent (30003).",
}
PUSHES: Mapping[str, Sequence[Event]] = {
    "msg-text.xml": said(1, Kind.TEXT, "你好，想了解一下价格"),
    "msg-text-menu-click.xml": said(2, Kind.TEXT, "满意", content={"menu_id": "101"}, window=ENTER),
    "msg-text-from-article.xml": said(3, Kind.TEXT, "文章里的活动还有吗"),
    "msg-image.xml": said(4, Kind.IMAGE, "[图片]", media=media(Kind.IMAGE, "MEDIA_IMG_0001")),
    "msg-voice.xml": said(5, Kind.VOICE, "[语音]", media=media(Kind.VOICE, "MEDIA_VOICE_0001", "audio/amr")),
    "msg-voice-recognition.xml": said(
        6, Kind.VOICE, "[语音] 今天几点关门", media=media(Kind.VOICE, "MEDIA_VOICE_0002", "audio/amr")
    ),
    "msg-video.xml": said(7, Kind.VIDEO, "[视频]", media=media(Kind.VIDEO, "MEDIA_VIDEO_0001", "video/mp4")),
    "msg-shortvideo.xml": said(8, Kind.VIDEO, "[视频]", media=media(Kind.VIDEO, "MEDIA_SV_0001", "video/mp4")),
    "msg-location.xml": said(
        9,
        Kind.LOCATION,
        "[位置] 杭州市西湖区",
        content={"address": "杭州市西湖区", "latitude": 30.274084, "longitude": 120.15507},
    ),
    "msg-link.xml": said(
        10,
        Kind.LINK,
        "[链接] 沙发选购指南",
        content={"title": "沙发选购指南", "description": "三分钟看懂", "url": "https://www.example.invalid/a"},
    ),
    "event-subscribe.xml": followed(DEER, ""),
    "event-subscribe-by-qr.xml": followed(HAO, "ch_douyin_07", EventKey="qrscene_ch_douyin_07", Ticket="TICKET_0001"),
    "event-unsubscribe.xml": happened("contact.deleted_by_customer", {}, HAO),
    "event-scan.xml": [entered("ch_douyin_07", EventKey="ch_douyin_07", Ticket="TICKET_0001")],
    "event-location.xml": [WHERE],
    "event-menu-click.xml": [entered("KF_CONTACT", EventKey="KF_CONTACT")],
    "event-menu-view.xml": happened(
        "menu.viewed", {"EventKey": "https://www.example.invalid/shop", "MenuId": "430864012"}
    ),
    "event-view-miniprogram.xml": happened("menu.viewed", {"EventKey": "pages/index/index", "MenuId": "430864013"}),
    "event-scancode-push.xml": [
        entered("scan_1", EventKey="scan_1", ScanCodeInfo={"ScanType": "qrcode", "ScanResult": "PRODUCT-1001"})
    ],
    "event-mass-finish.xml": spread("1000001625", "done", (1200, 1180, 1175, 5)),
    "event-mass-finish-refused.xml": spread("1000001626", "failed", (0, 0, 0, 0), "wechat_oa.mass_30003", REPRINT),
    "event-template-finish.xml": happened("notice.finished", {"MsgID": "200163836", "Status": "success"}),
    "event-template-finish-blocked.xml": happened(
        "notice.finished", {"MsgID": "200163837", "Status": "failed:user block"}
    ),
    "event-publish-finish.xml": told(
        "article.published",
        {
            "PublishEventInfo": {
                "publish_id": "2247503051",
                "publish_status": "0",
                "article_id": "ARTICLE_ID_1",
                "article_detail": {
                    "count": "1",
                    "item": [{"idx": "1", "article_url": "https://mp.example.invalid/s/1"}],
                },
            }
        },
    ),
    "event-subscribe-msg-popup.xml": happened(
        "notice.answered",
        {
            "SubscribeMsgPopupEvent": {
                "List": [
                    {"TemplateId": "TPL_A", "SubscribeStatusString": "accept", "PopupScene": "2"},
                    {"TemplateId": "TPL_B", "SubscribeStatusString": "reject", "PopupScene": "2"},
                ]
            }
        },
    ),
    "event-subscribe-msg-change.xml": happened(
        "notice.changed",
        {"SubscribeMsgChangeEvent": {"List": [{"TemplateId": "TPL_A", "SubscribeStatusString": "reject"}]}},
    ),
    "event-subscribe-msg-sent.xml": happened(
        "notice.sent",
        {
            "SubscribeMsgSentEvent": {
                "List": [
                    {
                        "TemplateId": "TPL_A",
                        "MsgID": "1700827132819554304",
                        "ErrorCode": "0",
                        "ErrorStatus": "success",
                    }
                ]
            }
        },
    ),
    "event-kf-create-session.xml": happened("seat.session_created", {"KfAccount": "test1@test"}),
    "event-authorization-revoke.xml": happened(
        "contact.profile_withdrawn", {"OpenID": DEER, "AppID": APP_ID, "RevokeInfo": "1"}
    ),
}


def outgoing(
    kind: Kind, text: str = "", content: JsonObject | None = None, file: OutgoingMedia | None = None
) -> OutgoingMessage:
    return OutgoingMessage(SHOP, DEER, kind, text, "0" * 32, content=content or {}, media=file)


@dataclass(frozen=True)
class Request:
    """``act`` makes the adapter build the request that the sample shows."""

    path: str
    act: Callable[[OfficialAccountAdapter], Awaitable[object]]


CUSTOM = "/cgi-bin/message/custom/send"
UPLOAD = "/cgi-bin/media/upload"
PICTURE = outgoing_media(b"\x89PNG\r\n\x1a\n", "a.png", "image/png")
NEWS = {
    "title": "新品",
    "description": "看看",
    "url": "https://www.example.invalid/n",
    "image_url": "https://mmbiz.example.invalid/1",
}
MENU = {
    "head": "您对本次服务满意吗？",
    "items": [{"type": "click", "id": "101", "text": "满意"}, {"type": "click", "id": "102", "text": "不满意"}],
    "tail": "欢迎再来",
}
PAGE = {"title": "商城", "app_id": "wxmini0000000001", "path": "pages/index/index"}


def sending(message: OutgoingMessage) -> Request:
    return Request(CUSTOM, lambda adapter: adapter.send(message))


REQUESTS: Mapping[str, Request] = {
    "custom-text-request.json": sending(outgoing(Kind.TEXT, "您好，这款 2999 元")),
    "custom-image-request.json": sending(outgoing(Kind.IMAGE, file=PICTURE)),
    "custom-news-request.json": sending(outgoing(Kind.LINK, content=NEWS)),
    "custom-msgmenu-request.json": sending(outgoing(Kind.MENU, content=MENU)),
    "custom-miniprogram-request.json": sending(outgoing(Kind.MINIPROGRAM, content=PAGE, file=PICTURE)),
    "stable-token-request.json": Request("/cgi-bin/stable_token", lambda adapter: adapter.accounts()),
}
UPLOADED = {"custom-miniprogram-request.json": "THUMB_0001"}
"""The id that the sample gives to an upload; otherwise that of ``media-upload-response.json``."""


@dataclass(frozen=True)
class Refusal:
    error: type[SendError]
    code: str
    closes_window: bool = False
    needs_admin: bool = False


REFUSALS: Mapping[str, Refusal] = {
    "error-window.json": Refusal(Rejected, "wechat_oa.45015", closes_window=True),
    "error-count.json": Refusal(Rejected, "wechat_oa.45047", closes_window=True),
    "error-articles.json": Refusal(Rejected, "wechat_oa.45008"),
    "error-unauthorized.json": Refusal(Rejected, "wechat_oa.48001", needs_admin=True),
    "error-openid.json": Refusal(Rejected, "wechat_oa.40003"),
    "error-token-expired.json": Refusal(Rejected, "wechat_oa.42001", needs_admin=True),
    "error-quota.json": Refusal(Rejected, "wechat_oa.45009", needs_admin=True),
    "error-refused.json": Refusal(Rejected, "wechat_oa.43101"),
    "token-error.json": Refusal(Rejected, "wechat_oa.40013", needs_admin=True),
}
POST = SpreadPost(Kind.CHANNEL_POST, "", "camp-2026-1121-01", content={"item_id": "MPNEWS_0001"})
READ_ELSEWHERE = frozenset(
    {
        "push-safe-mode.xml",
        "ok.json",
        "token-response.json",
        "media-upload-response.json",
        "mass-sendall-request.json",
        "mass-sendall-response.json",
        "mass-sendall-duplicate-response.json",
        "mass-get-response.json",
        "user-get-response.json",
        "user-info-response.json",
        "user-info-not-following-response.json",
    }
)
"""Named in the tests of ``test_samples.py``."""
SEATS = "WeChat's own customer-service seats work in WeChat's client, not here"
PASSIVE = "answers go through customer-service messages; a push is answered with success at once"
NOTICES = "notices outside of the window carry no marketing and belong to later work"
TAGS = "tags of the platform are told with each follower; they are not kept in step yet"
NOT_USED: Mapping[str, str] = {
    "reply-text.xml": PASSIVE,
    "reply-image.xml": PASSIVE,
    "reply-news.xml": PASSIVE,
    "reply-transfer.xml": PASSIVE,
    "reply-encrypted.xml": PASSIVE,
    "custom-text-with-seat-request.json": SEATS,
    "custom-typing-request.json": "the contract has no typing state",
    "kf-session-response.json": SEATS,
    "kf-record-list-response.json": SEATS,
    "template-send-request.json": NOTICES,
    "template-send-response.json": NOTICES,
    "subscribe-bizsend-request.json": NOTICES,
    "tags-get-response.json": TAGS,
    "batchtagging-request.json": TAGS,
    "qrcode-create-request.json": "codes are made in the platform's console; what is scanned is told",
    "qrcode-create-response.json": "codes are made in the platform's console; what is scanned is told",
    "menu-create-request.json": "the menu is made in the platform's console; what is tapped is told",
}
ALL = (*PUSHES, *REQUESTS, *REFUSALS, *READ_ELSEWHERE, *NOT_USED)
