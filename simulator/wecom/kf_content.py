"""What a KF message may contain (chapter 16.4): types, required fields, lengths in bytes."""

from __future__ import annotations

from collections.abc import Callable

from simulator.wecom.api import part, text_field
from simulator.wecom.errors import Refused
from simulator.wecom.state import JsonObject

TEXT_BYTES = 2048
CheckMedia = Callable[[str, str], object]
"""Called with a media_id and the kind it must have; refuses with 40007."""
_CLICKABLE = ("click", "view", "miniprogram")


def cut(text: str, limit: int = TEXT_BYTES) -> str:
    """The longest beginning of at most ``limit`` bytes; the platform cuts and does not complain."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[:limit].decode("utf-8", "ignore")


def checked(msgtype: str, request: JsonObject, check_media: CheckMedia, *, menu_items: int = 50) -> JsonObject:
    """The body as the customer gets it. Refused when it breaks a rule."""
    match msgtype:
        case "text":
            return _text(part(request, "text"))
        case "image" | "voice" | "video" | "file":
            body = part(request, msgtype)
            check_media(text_field(body, "media_id", limit=1024, required=True), msgtype)
            return {"media_id": body["media_id"]}
        case "link":
            return _link(part(request, "link"), check_media)
        case "miniprogram":
            return _miniprogram(part(request, "miniprogram"), check_media)
        case "msgmenu":
            return _menu(part(request, "msgmenu"), menu_items)
        case "location":
            return _location(part(request, "location"))
        case "ca_link":
            return {"link_url": text_field(part(request, "ca_link"), "link_url", limit=2048, required=True)}
        case _:
            raise Refused(40008)


def _text(body: JsonObject) -> JsonObject:
    content = body.get("content")
    if not isinstance(content, str):
        raise Refused(40058, "content must be a string")
    if not content:
        raise Refused(44004)
    return {"content": cut(content)}


def _link(body: JsonObject, check_media: CheckMedia) -> JsonObject:
    link = {
        "title": text_field(body, "title", limit=128, required=True),
        "desc": text_field(body, "desc", limit=512),
        "url": text_field(body, "url", limit=2048, required=True),
        "thumb_media_id": text_field(body, "thumb_media_id", limit=1024, required=True),
    }
    check_media(link["thumb_media_id"], "image")
    return link


def _miniprogram(body: JsonObject, check_media: CheckMedia) -> JsonObject:
    card = {
        "appid": text_field(body, "appid", limit=128, required=True),
        "title": text_field(body, "title", limit=64),
        "thumb_media_id": text_field(body, "thumb_media_id", limit=1024, required=True),
        "pagepath": text_field(body, "pagepath", limit=1024, required=True),
    }
    check_media(card["thumb_media_id"], "image")
    return card


def _menu(body: JsonObject, limit: int) -> JsonObject:
    items = body.get("list") or []
    if not isinstance(items, list):
        raise Refused(40058, "list must be a list")
    kinds = [item.get("type") if isinstance(item, dict) else None for item in items]
    if any(kind not in (*_CLICKABLE, "text") for kind in kinds):
        raise Refused(95009)
    if len(items) > limit or sum(kind in _CLICKABLE for kind in kinds) > 10:
        raise Refused(95008)
    menu = {
        "head_content": text_field(body, "head_content", limit=1024),
        "list": [_menu_item(item) for item in items],
        "tail_content": text_field(body, "tail_content", limit=1024),
    }
    if not any(menu.values()):
        raise Refused(40063, "msgmenu is empty")
    return menu


def _menu_item(item: JsonObject) -> JsonObject:
    kind = item["type"]
    body = part(item, kind)
    required = {
        "click": {"content": 128},
        "view": {"url": 2048, "content": 1024},
        "miniprogram": {"appid": 32, "pagepath": 1024, "content": 1024},
        "text": {"content": 256},
    }[kind]
    fields = {name: text_field(body, name, limit=limit, required=True) for name, limit in required.items()}
    if kind == "click":
        fields = {"id": text_field(body, "id", limit=128), **fields}
    return {"type": kind, kind: fields}


def _location(body: JsonObject) -> JsonObject:
    for name, bound in (("latitude", 90), ("longitude", 180)):
        value = body.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not -bound <= value <= bound:
            raise Refused(40058, f"{name} is out of range")
    return {
        "latitude": body["latitude"],
        "longitude": body["longitude"],
        "name": text_field(body, "name", limit=128),
        "address": text_field(body, "address", limit=256),
    }
