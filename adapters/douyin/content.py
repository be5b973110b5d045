"""What a message says: the platform's ``message_type`` with its fields becomes kind, preview, content and media.

Platform reference, chapter 4.4. A type that is not in the table is a message all the same (it opens the reply window), of kind
``OTHER``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapters.douyin.ids import REPLY_WINDOW, media_handle, url_handle
from adapters.douyin.reading import int_in, list_in, text_in
from scrm.channel import JsonObject, Kind, RemoteMedia

ONLY_IN_APP = "仅可在抖音 App 内查看"


@dataclass(frozen=True, slots=True)
class Said:
    kind: Kind
    text: str
    content: JsonObject = field(default_factory=dict)
    media: tuple[RemoteMedia, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a message was said: what is needed to fetch its media later."""

    account_id: str
    conversation_id: str
    message_id: str
    sent_at: datetime


def said(fields: JsonObject, place: Place) -> Said:
    read = READERS.get(text_in(fields, "message_type"), unknown)
    return read(fields, place)


def text(fields: JsonObject, place: Place) -> Said:
    return Said(Kind.TEXT, text_in(fields, "text"))


def shared_image(fields: JsonObject, place: Place) -> Said:
    """A picture shared within Douyin normally comes without an address: it can only be seen in the app."""
    url = text_in(fields, "resource_url")
    if not url:
        return Said(Kind.IMAGE, f"[图片] {ONLY_IN_APP}")
    return Said(Kind.IMAGE, "[图片]", media=(resource(Kind.IMAGE, fields, url),))


def local_file(kind: Kind, preview: str) -> Callable[[JsonObject, Place], Said]:
    """A file from the customer's phone lies with the platform and is fetched by the ids of its message."""

    def read(fields: JsonObject, place: Place) -> Said:
        handle = media_handle(place.account_id, place.conversation_id, place.message_id)
        expires_at = place.sent_at + REPLY_WINDOW  # the message id, with which it is fetched, is usable 24 hours
        return Said(kind, preview, media=(RemoteMedia(kind, handle, expires_at=expires_at),))

    return read


def sticker(fields: JsonObject, place: Place) -> Said:
    url = text_in(fields, "resource_url")
    if not url:
        return Said(Kind.STICKER, "[表情]")
    return Said(Kind.STICKER, "[表情]", {"url": url}, (resource(Kind.STICKER, fields, url),))


def resource(kind: Kind, fields: JsonObject, url: str) -> RemoteMedia:
    width, height = int_in(fields, "resource_width"), int_in(fields, "resource_height")
    mime = "image/gif" if text_in(fields, "resource_type") == "gif" else ""
    return RemoteMedia(kind, url_handle(url), mime=mime, width=max(width, 0), height=max(height, 0))


def shared_work(fields: JsonObject, place: Place) -> Said:
    return Said(Kind.CHANNEL_POST, "[视频作品]", {"type": "video", "item_id": text_in(fields, "item_id")})


def lead_card(fields: JsonObject, place: Place) -> Said:
    """The preview names what was filled in, not the values: phone numbers are shown only where the reader may see them."""
    answers = [
        {"label": text_in(item, "label"), "value": text_in(item, "value")} for item in list_in(fields, "card_data")
    ]
    filled = text_in(fields, "card_status") == "2"
    content = {"card_id": text_in(fields, "card_id"), "status": "filled" if filled else "blank", "fields": answers}
    labels = "、".join(answer["label"] for answer in answers if answer["label"])
    preview = f"[留资卡片] 已填写：{labels}" if filled and labels else "[留资卡片] 已填写" if filled else "[留资卡片]"
    return Said(Kind.LEAD_CARD, preview, content)


def unknown(fields: JsonObject, place: Place) -> Said:
    platform_type = text_in(fields, "message_type")
    preview = text_in(fields, "text") or f"[其他消息] {ONLY_IN_APP}"
    return Said(Kind.OTHER, preview, {"platform_type": platform_type} if platform_type else {})


READERS: dict[str, Callable[[JsonObject, Place], Said]] = {
    "text": text,
    "image": shared_image,
    "user_local_image": local_file(Kind.IMAGE, "[图片]"),
    "user_local_video": local_file(Kind.VIDEO, "[视频]"),
    "emoji": sticker,
    "video": shared_work,
    "retain_consult_card": lead_card,
}
