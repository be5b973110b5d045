"""What a customer's message says, by its ``MsgType`` (wechat-oa.md section 2). A type that is not in the table is a message all the
same: it opens the window, and somebody waits for an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters.wechat_oa.ids import MEDIA_LIFE, media_handle
from adapters.wechat_oa.values import decimal, known, text
from adapters.wechat_oa.xml import XmlFields
from scrm.channel import JsonObject, Kind, RemoteMedia


@dataclass(frozen=True, slots=True)
class Said:
    kind: Kind
    text: str
    content: JsonObject = field(default_factory=dict)
    media: tuple[RemoteMedia, ...] = ()


def said(fields: XmlFields, at: datetime) -> Said:
    read = READERS.get(text(fields, "MsgType").lower(), _unknown)
    return read(fields, at)


def _text(fields: XmlFields, _at: datetime) -> Said:
    return Said(Kind.TEXT, text(fields, "Content"), known(menu_id=text(fields, "bizmsgmenuid")))


def _image(fields: XmlFields, at: datetime) -> Said:
    return Said(Kind.IMAGE, "[图片]", media=_remote(Kind.IMAGE, fields, at))


def _voice(fields: XmlFields, at: datetime) -> Said:
    """``Recognition``: what the platform's speech recognition heard, where the account has it switched on."""
    heard = text(fields, "Recognition").strip()
    mimes = {"amr": "audio/amr", "mp3": "audio/mpeg", "speex": "audio/speex"}
    mime = mimes.get(text(fields, "Format").lower(), "")
    return Said(Kind.VOICE, f"[语音] {heard}" if heard else "[语音]", media=_remote(Kind.VOICE, fields, at, mime))


def _video(fields: XmlFields, at: datetime) -> Said:
    return Said(Kind.VIDEO, "[视频]", media=_remote(Kind.VIDEO, fields, at, "video/mp4"))


def _location(fields: XmlFields, _at: datetime) -> Said:
    address = text(fields, "Label")
    content = known(address=address)
    latitude, longitude = decimal(fields, "Location_X"), decimal(fields, "Location_Y")
    if latitude is not None and longitude is not None:
        content |= {"latitude": latitude, "longitude": longitude}
    return Said(Kind.LOCATION, _labelled("位置", address), content)


def _link(fields: XmlFields, _at: datetime) -> Said:
    title = text(fields, "Title")
    content = known(title=title, description=text(fields, "Description"), url=text(fields, "Url"))
    return Said(Kind.LINK, _labelled("链接", title), content)


def _miniprogram(fields: XmlFields, at: datetime) -> Said:
    title = text(fields, "Title")
    content = known(title=title, app_id=text(fields, "AppId"), path=text(fields, "PagePath"))
    thumb = {"MediaId": text(fields, "ThumbMediaId")}
    return Said(Kind.MINIPROGRAM, _labelled("小程序", title), content, _remote(Kind.IMAGE, thumb, at))


def _unknown(fields: XmlFields, _at: datetime) -> Said:
    return Said(Kind.OTHER, "[其他消息] 请在微信公众平台查看", known(platform_type=text(fields, "MsgType")[:100]))


def _labelled(label: str, words: str) -> str:
    return f"[{label}] {words}" if words else f"[{label}]"


def _remote(kind: Kind, fields: XmlFields, at: datetime, mime: str = "") -> tuple[RemoteMedia, ...]:
    media_id = text(fields, "MediaId")
    if not media_id:
        return ()
    return (RemoteMedia(kind, media_handle(media_id), mime=mime, expires_at=at + MEDIA_LIFE),)


READERS: Mapping[str, Callable[[XmlFields, datetime], Said]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "location": _location,
    "link": _link,
    "miniprogrampage": _miniprogram,
}
