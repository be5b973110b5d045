"""The JSON of what we send (wecom.md section 16.4; platform pages 94677 and 95122). Pure: media ids are already known."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.wecom.capabilities import TEXT_LIMIT
from adapters.wecom.values import decimal, known, objects, text
from scrm.channel import JsonObject, Kind, OutgoingMessage, Sentence
from scrm.errors import Rejected

MEDIA_TYPES: Mapping[Kind, str] = {
    Kind.IMAGE: "image",
    Kind.VOICE: "voice",
    Kind.VIDEO: "video",
    Kind.FILE: "file",
}
ACQUISITION_LINK = "https://work.weixin.qq.com/ca/"
"""Links of the acquisition assistant have a message type of their own, which needs no picture."""

_TITLE, _DESCRIPTION, _URL = 128, 512, 2048
_APP_TITLE = 64
_MENU_TEXT, _MENU_ITEMS, _MENU_ACTIONS = 1024, 50, 10


def text_body(message: OutgoingMessage) -> JsonObject:
    if not message.text.strip():
        raise Rejected(
            "wecom.text_empty", Sentence("消息内容为空。请输入内容后再发。", "The message is empty. Write something.")
        )
    _check("text", "文字", message.text, TEXT_LIMIT)
    return {"msgtype": "text", "text": {"content": message.text}}


def media_body(kind: Kind, media_id: str) -> JsonObject:
    name = MEDIA_TYPES[kind]
    return {"msgtype": name, name: {"media_id": media_id}}


def is_acquisition_link(message: OutgoingMessage) -> bool:
    return message.kind is Kind.LINK and text(message.content, "url").startswith(ACQUISITION_LINK)


def acquisition_link_body(message: OutgoingMessage) -> JsonObject:
    url = _required(message, "url", "网址", _URL)
    return {"msgtype": "ca_link", "ca_link": {"link_url": url}}


def link_body(message: OutgoingMessage, thumb_media_id: str) -> JsonObject:
    description = text(message.content, "description")
    _check("description", "描述", description, _DESCRIPTION)
    link = {
        "title": _required(message, "title", "标题", _TITLE),
        "url": _required(message, "url", "网址", _URL),
        "thumb_media_id": thumb_media_id,
    }
    return {"msgtype": "link", "link": {**link, **known(desc=description)}}


def miniprogram_body(message: OutgoingMessage, thumb_media_id: str) -> JsonObject:
    app = {
        "appid": _required(message, "app_id", "小程序 AppID", _TITLE),
        "title": _required(message, "title", "标题", _APP_TITLE),
        "thumb_media_id": thumb_media_id,
        "pagepath": _required(message, "path", "页面路径", _URL),
    }
    return {"msgtype": "miniprogram", "miniprogram": app}


def location_body(message: OutgoingMessage) -> JsonObject:
    latitude, longitude = decimal(message.content, "latitude"), decimal(message.content, "longitude")
    if latitude is None or longitude is None:
        raise _missing("latitude", "经纬度")
    place = known(name=text(message.content, "name"), address=text(message.content, "address"))
    return {"msgtype": "location", "location": {**place, "latitude": latitude, "longitude": longitude}}


def menu_body(message: OutgoingMessage, *, most: int = _MENU_ITEMS) -> JsonObject:
    """``most``: the items that the call allows, 50 in an answer and 10 in a welcome."""
    head = text(message.content, "head") or message.text
    tail = text(message.content, "tail")
    _check("head", "菜单开头", head, _MENU_TEXT)
    _check("tail", "菜单结尾", tail, _MENU_TEXT)
    items = [_menu_item(item) for item in objects(message.content, "items")]
    actions = sum(item["type"] != "text" for item in items)
    if len(items) > most or actions > _MENU_ACTIONS:
        raise Rejected(
            "wecom.menu_too_long",
            Sentence(
                f"菜单最多 {most} 项，其中可点击的最多 {_MENU_ACTIONS} 项。请减少后再发。",
                f"A menu has at most {most} items, of which {_MENU_ACTIONS} can be clicked. Remove some.",
            ),
        )
    if not head and not items:
        raise _missing("items", "菜单项")
    return {"msgtype": "msgmenu", "msgmenu": known(head_content=head, list=items, tail_content=tail)}


def _menu_item(item: JsonObject) -> JsonObject:
    said, kind = text(item, "text"), text(item, "type")
    if not said:
        raise _missing("text", "菜单项的文字")
    match kind:
        case "click":
            body = {**known(id=text(item, "id")), "content": said}
        case "view":
            body = {"url": text(item, "url"), "content": said}
        case "miniprogram":
            body = {"appid": text(item, "app_id"), "pagepath": text(item, "path"), "content": said}
        case "text":
            body = {"content": said}
        case _:
            raise Rejected(
                "wecom.menu_item",
                Sentence(
                    f"微信客服的菜单不支持“{kind[:40]}”类型的菜单项。",
                    f"A customer service menu has no items of type {kind[:40]!r}.",
                ),
            )
    return {"type": kind, kind: body}


def _required(message: OutgoingMessage, name: str, label: str, limit: int) -> str:
    value = text(message.content, name)
    if not value:
        raise _missing(name, label)
    _check(name, label, value, limit)
    return value


def _check(name: str, label: str, value: str, limit: int) -> None:
    """``limit`` in bytes of UTF-8, as WeCom counts."""
    if len(value.encode("utf-8", "replace")) > limit:
        raise Rejected(
            f"wecom.{name}_too_long",
            Sentence(
                f"{label}超过 {limit} 字节（约 {limit // 3} 个汉字）。请缩短或分条发送。",
                f"The {name} is over {limit} bytes (about {limit // 3} Chinese characters). Shorten or split it.",
            ),
        )


def _missing(name: str, label: str) -> Rejected:
    return Rejected(f"wecom.{name}_missing", Sentence(f"缺少{label}，无法发送。", f"The {name} is missing."))
