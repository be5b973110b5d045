"""What a customer service message says, by its ``msgtype`` (wecom.md section 16.3; platform page 94670).

The same shapes occur at the top of a message and, as a JSON string, inside a forwarded chat record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.wecom.ids import member
from adapters.wecom.values import decimal, integer, known, moment, nested, objects, read_object, text
from scrm.channel import JsonObject, Kind, RemoteMedia

MEDIA_LIFE = timedelta(days=3)
"""The platform deletes temporary media after this (wecom.md section 14)."""
_MOST_FORWARDED = 200


@dataclass(frozen=True, slots=True)
class KfBody:
    kind: Kind
    text: str
    content: JsonObject = field(default_factory=dict)
    media: tuple[RemoteMedia, ...] = ()


def read_body(item: JsonObject, sent_at: datetime) -> KfBody:
    """The body that belongs to ``item["msgtype"]``; a type that we do not know is still a message."""
    msgtype = text(item, "msgtype")
    reader = _READERS.get(msgtype)
    if reader is not None:
        return reader(nested(item, msgtype), sent_at)
    label = _BODILESS.get(msgtype, f"暂不支持的消息：{msgtype[:40]}" if msgtype else "暂不支持的消息")
    return KfBody(Kind.OTHER, f"[{label}]", known(platform_type=msgtype))


def _text(body: JsonObject, _at: datetime) -> KfBody:
    return KfBody(Kind.TEXT, text(body, "content"), known(menu_id=text(body, "menu_id")))


def _media(kind: Kind, label: str, mime: str = "") -> Callable[[JsonObject, datetime], KfBody]:
    def read(body: JsonObject, at: datetime) -> KfBody:
        name = text(body, "filename") or text(body, "name")
        preview = f"[{label}] {name}" if name else f"[{label}]"
        return KfBody(kind, preview, media=_remote(kind, text(body, "media_id"), at, name, mime))

    return read


def _remote(kind: Kind, media_id: str, at: datetime, name: str = "", mime: str = "") -> tuple[RemoteMedia, ...]:
    if not media_id:
        return ()
    return (RemoteMedia(kind, {"media_id": media_id}, name=name, mime=mime, expires_at=at + MEDIA_LIFE),)


def _location(body: JsonObject, _at: datetime) -> KfBody:
    name, address = text(body, "name"), text(body, "address")
    content = known(
        name=name, address=address, latitude=decimal(body, "latitude"), longitude=decimal(body, "longitude")
    )
    return KfBody(Kind.LOCATION, _preview("位置", name or address), content)


def _link(body: JsonObject, _at: datetime) -> KfBody:
    title = text(body, "title")
    content = known(title=title, description=text(body, "desc"), url=text(body, "url"), image_url=text(body, "pic_url"))
    return KfBody(Kind.LINK, _preview("链接", title), content)


def _business_card(body: JsonObject, _at: datetime) -> KfBody:
    return KfBody(Kind.CONTACT_CARD, "[名片]", known(user_id=member(text(body, "userid"))))


def _miniprogram(body: JsonObject, at: datetime) -> KfBody:
    title = text(body, "title")
    content = known(title=title, app_id=text(body, "appid"), path=text(body, "pagepath"))
    return KfBody(
        Kind.MINIPROGRAM, _preview("小程序", title), content, _remote(Kind.IMAGE, text(body, "thumb_media_id"), at)
    )


def _menu(body: JsonObject, _at: datetime) -> KfBody:
    head, tail = text(body, "head_content"), text(body, "tail_content")
    items = [_menu_item(item) for item in objects(body, "list")]
    return KfBody(Kind.MENU, _preview("菜单", head.strip()), known(head=head, items=items, tail=tail))


def _menu_item(item: JsonObject) -> JsonObject:
    kind = text(item, "type")
    body = nested(item, kind)
    return {
        "type": kind,
        "text": text(body, "content"),
        **known(id=text(body, "id"), url=text(body, "url"), app_id=text(body, "appid"), path=text(body, "pagepath")),
    }


def _product(body: JsonObject, _at: datetime) -> KfBody:
    title = text(body, "title")
    content = known(
        product_id=text(body, "product_id"),
        title=title,
        price=text(body, "sales_price"),
        shop=text(body, "shop_nickname"),
        image_url=text(body, "head_image"),
    )
    return KfBody(Kind.PRODUCT, _preview("商品", title), content)


def _order(body: JsonObject, _at: datetime) -> KfBody:
    titles = text(body, "product_titles")
    content = known(
        order_id=text(body, "order_id"),
        titles=titles,
        price=text(body, "price_wording"),
        state=text(body, "state"),
        image_url=text(body, "image_url"),
        shop=text(body, "shop_nickname"),
    )
    return KfBody(Kind.ORDER, _preview("订单", titles), content)


_CHANNELS = {1: ("feed", "视频号动态"), 2: ("live", "视频号直播"), 3: ("card", "视频号名片")}


def _channels(body: JsonObject, _at: datetime) -> KfBody:
    kind, label = _CHANNELS.get(integer(body, "sub_type") or 0, ("", "视频号"))
    title, nickname = text(body, "title"), text(body, "nickname")
    return KfBody(
        Kind.CHANNEL_POST, _preview(label, title or nickname), known(type=kind, nickname=nickname, title=title)
    )


def _merged(body: JsonObject, at: datetime) -> KfBody:
    title = text(body, "title")
    items = [_forwarded(item, at) for item in objects(body, "item")[:_MOST_FORWARDED]]
    return KfBody(Kind.MERGED, _preview("聊天记录", title), known(title=title, items=items))


def _forwarded(item: JsonObject, at: datetime) -> JsonObject:
    sent_at = moment(item, "send_time", at)
    inner = read_object(text(item, "msg_content").encode("utf-8", "replace")) or {}
    inner.setdefault("msgtype", text(item, "msgtype"))
    # A record within a record is shown by its title: what it holds would nest without end.
    body = read_body({**inner, "merged_msg": {"title": nested(inner, "merged_msg").get("title")}}, sent_at)
    return {
        "sender": text(item, "sender_name"),
        "sent_at": sent_at.astimezone(UTC).isoformat(),
        "kind": str(body.kind),
        "text": body.text,
    }


def _preview(label: str, detail: str) -> str:
    return f"[{label}] {detail}" if detail else f"[{label}]"


_READERS: Mapping[str, Callable[[JsonObject, datetime], KfBody]] = {
    "text": _text,
    "image": _media(Kind.IMAGE, "图片"),
    "voice": _media(Kind.VOICE, "语音", "audio/amr"),
    "video": _media(Kind.VIDEO, "视频", "video/mp4"),
    "file": _media(Kind.FILE, "文件"),
    "location": _location,
    "link": _link,
    "business_card": _business_card,
    "miniprogram": _miniprogram,
    "msgmenu": _menu,
    "channels_shop_product": _product,
    "channels_shop_order": _order,
    "channels": _channels,
    "merged_msg": _merged,
}

_BODILESS: Mapping[str, str] = {"meeting": "会议", "calendar": "日程", "note": "笔记"}
"""Types that the platform names without saying more."""
