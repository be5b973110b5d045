"""Our own payloads, one for each kind of message and event, with what they must become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.wechat_oa.occurrences import VERIFICATION_ENDS, VERIFICATION_FAILED
from scrm.channel import (
    AccountRef,
    ContactEntered,
    ContactRef,
    Event,
    Ignored,
    Kind,
    MessageReceived,
    Occurrence,
    RemoteMedia,
    Unrecognised,
    WindowGrant,
)
from scrm.testing import Golden

SHOP, DEER = "gh_golden000001", "oGOLDEN-0001"
AT = datetime(2026, 11, 20, 8, 30, 0, tzinfo=UTC)
GOLDEN_TIME = Golden("", b"", ()).received_at
ACCOUNT, CONTACT = AccountRef("wechat_oa", SHOP), ContactRef(DEER)
REPLY = WindowGrant("reply", AT + timedelta(hours=48), 5)
ENTER = WindowGrant("enter", AT + timedelta(minutes=1), 3)
DAYS = AT + timedelta(days=3)


def pushed(inside: str, *, to: str = SHOP, by: str = DEER, at: int = int(AT.timestamp())) -> bytes:
    """With CDATA where the platform has it, and bare where old accounts have it."""
    head = f"<ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{by}]]></FromUserName>"
    return f"<xml>\n{head}<CreateTime>{at}</CreateTime>{inside}</xml>".encode()


def message(msgtype: str, inside: str = "", number: int = 24400000000000001, **more: Any) -> bytes:
    return pushed(f"<MsgType><![CDATA[{msgtype}]]></MsgType>{inside}<MsgId>{number}</MsgId>", **more)


def event(name: str, inside: str = "", **more: Any) -> bytes:
    return pushed(f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event>{inside}", **more)


def said(name: str, body: bytes, kind: Kind, text: str, **more: Any) -> Golden:
    facts: dict[str, Any] = {"sent_at": AT, "sender_id": DEER, "window": REPLY, **more}
    return Golden(name, body, [MessageReceived(ACCOUNT, CONTACT, "24400000000000001", "in", kind, text, **facts)])


def entered(name: str, body: bytes, scene: str, data: dict[str, Any]) -> Golden:
    return Golden(name, body, [ContactEntered(ACCOUNT, CONTACT, AT, scene, window=ENTER, data=data)])


def happened(name: str, body: bytes, occurrence: str, data: dict[str, Any]) -> Golden:
    return Golden(name, body, [Occurrence(occurrence, AT, ACCOUNT, CONTACT, data)])


def told(name: str, body: bytes, occurrence: str, data: dict[str, Any], attention: Any = None) -> Golden:
    return Golden(name, body, [Occurrence(occurrence, AT, ACCOUNT, data=data, needs_attention=attention)])


def followed(name: str, body: bytes, scene: str, data: dict[str, Any]) -> Golden:
    greeting = ContactEntered(
        ACCOUNT,
        CONTACT,
        AT,
        scene,
        welcome_code=f"{DEER} {int(AT.timestamp())}",
        welcome_until=AT + timedelta(minutes=1),
        window=ENTER,
        data=data,
    )
    state = {"State": scene} if scene else {}
    events: list[Event] = [greeting, Occurrence("contact.added", AT, ACCOUNT, CONTACT, {**data, **state})]
    return Golden(name, body, events)


def media(kind: Kind, mime: str = "") -> tuple[RemoteMedia, ...]:
    return (RemoteMedia(kind, {"media_id": "M1"}, mime=mime, expires_at=DAYS),)


def ended(state: str, counts: tuple[int, int, int, int], code: str = "", reason: Any = None) -> dict[str, Any]:
    named = dict(zip(("total", "filtered", "sent", "failed"), counts, strict=True))
    return {"broadcast_id": "1000001625", "state": state, **named, "code": code, "reason": reason}


M1 = "<MediaId><![CDATA[M1]]></MediaId>"
ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>' + message("text", "<Content>&a;</Content>")

MESSAGES: Sequence[Golden] = (
    said("text", message("text", "<Content><![CDATA[多少钱？]]></Content>"), Kind.TEXT, "多少钱？"),
    said("bare text", message("text", "<Content>a &lt; b</Content>"), Kind.TEXT, "a < b"),
    said("a control character", message("text", "<Content><![CDATA[a\x0bb]]></Content>"), Kind.TEXT, "ab"),
    said(
        "from an article",
        message("text", "<Content>还有吗</Content><MsgDataId>22474</MsgDataId><Idx>1</Idx>"),
        Kind.TEXT,
        "还有吗",
    ),
    said(
        "a tap on a menu in the chat",
        message("text", "<Content>满意</Content><bizmsgmenuid>101</bizmsgmenuid>"),
        Kind.TEXT,
        "满意",
        content={"menu_id": "101"},
        window=ENTER,
    ),
    said("picture", message("image", f"<PicUrl>https://p</PicUrl>{M1}"), Kind.IMAGE, "[图片]", media=media(Kind.IMAGE)),
    said("a picture without its file", message("image"), Kind.IMAGE, "[图片]"),
    said(
        "voice",
        message("voice", f"{M1}<Format>amr</Format>"),
        Kind.VOICE,
        "[语音]",
        media=media(Kind.VOICE, "audio/amr"),
    ),
    said(
        "voice that was understood",
        message("voice", f"{M1}<Format>amr</Format><Recognition><![CDATA[几点关门]]></Recognition>"),
        Kind.VOICE,
        "[语音] 几点关门",
        media=media(Kind.VOICE, "audio/amr"),
    ),
    said("video", message("video", M1), Kind.VIDEO, "[视频]", media=media(Kind.VIDEO, "video/mp4")),
    said("short video", message("shortvideo", M1), Kind.VIDEO, "[视频]", media=media(Kind.VIDEO, "video/mp4")),
    said(
        "location",
        message("location", "<Location_X>30.27</Location_X><Location_Y>120.15</Location_Y><Label>西湖区</Label>"),
        Kind.LOCATION,
        "[位置] 西湖区",
        content={"address": "西湖区", "latitude": 30.27, "longitude": 120.15},
    ),
    said(
        "a location nowhere",
        message("location", "<Location_X>nan</Location_X><Location_Y>x</Location_Y>"),
        Kind.LOCATION,
        "[位置]",
    ),
    said(
        "link",
        message("link", "<Title>指南</Title><Description>三分钟</Description><Url>https://a</Url>"),
        Kind.LINK,
        "[链接] 指南",
        content={"title": "指南", "description": "三分钟", "url": "https://a"},
    ),
    said(
        "mini-program",
        message("miniprogrampage", "<Title>商城</Title><AppId>wx1</AppId><PagePath>p</PagePath>"),
        Kind.MINIPROGRAM,
        "[小程序] 商城",
        content={"title": "商城", "app_id": "wx1", "path": "p"},
    ),
    said(
        "a type of the future",
        message("hologram"),
        Kind.OTHER,
        "[其他消息] 请在微信公众平台查看",
        content={"platform_type": "hologram"},
    ),
    said(
        "an impossible time",
        message("text", "<Content>在吗</Content>", at=10**18),
        Kind.TEXT,
        "在吗",
        sent_at=GOLDEN_TIME,
        window=WindowGrant("reply", GOLDEN_TIME + timedelta(hours=48), 5),
    ),
)
SCAN = {"ScanType": "qrcode", "ScanResult": "P-1"}
SCAN_XML = "<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>P-1</ScanResult></ScanCodeInfo>"
TICKET = "<Ticket><![CDATA[T1]]></Ticket>"
POPUP = (
    "<SubscribeMsgPopupEvent><List><TemplateId>A</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"
    "</List></SubscribeMsgPopupEvent>"
)
STOPPED = {"zh": "群发没有通过：涉嫌欺诈（20008）。", "en": "The mass message was not sent: suspected fraud (20008)."}
NO_REASON = {
    "zh": "微信公众平台报告群发失败，没有说明原因。",
    "en": "The platform reports that the mass message failed.",
}
COUNTS = (
    "<TotalCount>1200</TotalCount><FilterCount>1180</FilterCount><SentCount>1175</SentCount><ErrorCount>5</ErrorCount>"
)


def mass(status: str, counts: str = "") -> bytes:
    return event("MASSSENDJOBFINISH", f"<MsgID>1000001625</MsgID><Status><![CDATA[{status}]]></Status>{counts}")


EVENTS: Sequence[Golden] = (
    followed("follows", event("subscribe", "<EventKey><![CDATA[]]></EventKey>"), "", {}),
    followed(
        "follows by a code",
        event("subscribe", f"<EventKey>qrscene_shelf</EventKey>{TICKET}"),
        "shelf",
        {"EventKey": "qrscene_shelf", "Ticket": "T1"},
    ),
    happened("leaves", event("unsubscribe", "<EventKey></EventKey>"), "contact.deleted_by_customer", {}),
    entered(
        "scans",
        event("SCAN", f"<EventKey>shelf</EventKey>{TICKET}"),
        "shelf",
        {"EventKey": "shelf", "Ticket": "T1"},
    ),
    entered("taps", event("CLICK", "<EventKey>KF</EventKey>"), "KF", {"EventKey": "KF"}),
    entered("taps, in small letters", event("click", "<EventKey>KF</EventKey>"), "KF", {"EventKey": "KF"}),
    entered(
        "scans from the menu",
        event("scancode_push", f"<EventKey>s</EventKey>{SCAN_XML}"),
        "s",
        {"EventKey": "s", "ScanCodeInfo": SCAN},
    ),
    entered(
        "scans from the menu and waits",
        event("scancode_waitmsg", f"<EventKey>s</EventKey>{SCAN_XML}"),
        "s",
        {"EventKey": "s", "ScanCodeInfo": SCAN},
    ),
    happened("opens a page", event("VIEW", "<EventKey>https://a</EventKey>"), "menu.viewed", {"EventKey": "https://a"}),
    happened(
        "opens a mini-program", event("view_miniprogram", "<EventKey>p</EventKey>"), "menu.viewed", {"EventKey": "p"}
    ),
    *(
        happened(f"uses the menu: {name}", event(name, "<EventKey>k</EventKey>"), "menu.used", {"EventKey": "k"})
        for name in ("pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select")
    ),
    Golden(
        "tells where it is",
        event("LOCATION", "<Latitude>30</Latitude>"),
        [Ignored("where the customer is, told every few seconds while the chat is open; we do not keep that")],
    ),
    told("mass message sent", mass("send success", COUNTS), "broadcast.finished", ended("done", (1200, 1180, 1175, 5))),
    told(
        "mass message stopped",
        mass("err(20008)"),
        "broadcast.finished",
        ended("failed", (0, 0, 0, 0), "wechat_oa.mass_20008", STOPPED),
    ),
    told(
        "mass message failed",
        mass("send fail", "<SentCount>-3</SentCount>"),
        "broadcast.finished",
        ended("failed", (0, 0, 0, 0), "wechat_oa.mass_failed", NO_REASON),
    ),
    happened(
        "notice arrived",
        event("TEMPLATESENDJOBFINISH", "<MsgID>2</MsgID><Status>success</Status>"),
        "notice.finished",
        {"MsgID": "2", "Status": "success"},
    ),
    happened(
        "notices wanted",
        event("subscribe_msg_popup_event", POPUP),
        "notice.answered",
        {"SubscribeMsgPopupEvent": {"List": [{"TemplateId": "A", "SubscribeStatusString": "accept"}]}},
    ),
    happened("notices changed", event("subscribe_msg_change_event"), "notice.changed", {}),
    happened("notice sent", event("subscribe_msg_sent_event"), "notice.sent", {}),
    told("article published", event("PUBLISHJOBFINISH", "<P>1</P>"), "article.published", {"P": "1"}),
    told("article published, other spelling", event("FREEPUBLISHJOBFINISH"), "article.published", {}),
    *(
        happened(
            name,
            event(f"kf_{name}_session", "<KfAccount>a@b</KfAccount>"),
            f"seat.session_{past}",
            {"KfAccount": "a@b"},
        )
        for name, past in (("create", "created"), ("close", "closed"), ("switch", "switched"))
    ),
    happened(
        "withdraws the profile", event("user_authorization_revoke", "<R>1</R>"), "contact.profile_withdrawn", {"R": "1"}
    ),
    *(
        told(name, event(name), "account.verified", {})
        for name in ("qualification_verify_success", "naming_verify_success")
    ),
    *(
        told(name, event(name), "account.verification_failed", {}, VERIFICATION_FAILED)
        for name in ("qualification_verify_fail", "naming_verify_fail")
    ),
    *(
        told(name, event(name), "account.verification_ends", {}, VERIFICATION_ENDS)
        for name in ("annual_renew", "verify_expired")
    ),
)
ODD: Sequence[Golden] = (
    Golden("an event of the future", event("telepathy"), [Unrecognised("unknown event 'telepathy'")]),
    Golden("no event", pushed("<MsgType>event</MsgType>"), [Unrecognised("unknown event ''")]),
    Golden("no id", pushed("<MsgType>text</MsgType>"), [Unrecognised("a message without MsgId or MsgType")]),
    Golden("nobody", message("text", by=""), [Unrecognised("a push without both sides")]),
    Golden(
        "entities",
        ENTITY,
        [Unrecognised("no XML of a push: a document type declaration is not allowed")],
    ),
    Golden("half", b"<xml><ToUserName>", [Unrecognised("no XML of a push: it is not well-formed in line 1")]),
)
GOLDEN = (*MESSAGES, *EVENTS, *ODD)
