"""Files that the platform already has: one upload per file and type, used until the platform deletes it (section 6)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from adapters.wechat_oa.client import Client
from adapters.wechat_oa.errors import MEDIA_REFUSED, unanswered
from adapters.wechat_oa.ids import MEDIA_LIFE
from adapters.wechat_oa.values import text
from scrm.channel import MediaLimit, OutgoingMedia, Sentence
from scrm.clock import Clock
from scrm.errors import Rejected

MediaType = Literal["image", "voice", "video"]
T = TypeVar("T")

_MARGIN = timedelta(hours=1)
_MOST_REMEMBERED = 2000
_GONE = frozenset(f"wechat_oa.{errcode}" for errcode in MEDIA_REFUSED)
_NAMES: dict[MediaType, str] = {"image": "image.jpg", "voice": "voice.amr", "video": "video.mp4"}


@dataclass(slots=True)
class _Upload:
    """The lock makes concurrent messages with the same file wait for one upload."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    media_id: str = ""
    good_until: datetime | None = None


class Uploads:
    """Remembered in memory only: a lost entry costs one more upload."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: OrderedDict[tuple[MediaType, str], _Upload] = OrderedDict()

    async def with_media_id(self, media: OutgoingMedia, kind: MediaType, use: Callable[[str], Awaitable[T]]) -> T:
        """Uploads what the platform does not have, and once more when it has lost it before its time."""
        media_id = await self._media_id(media, kind)
        try:
            return await use(media_id)
        except Rejected as refusal:
            if refusal.code not in _GONE:
                raise
        return await use(await self._media_id(media, kind, refused=media_id))

    async def _media_id(self, media: OutgoingMedia, kind: MediaType, *, refused: str = "") -> str:
        upload = self._remember(kind, media.sha256)
        async with upload.lock:
            fresh = upload.good_until is not None and self._clock.now() < upload.good_until
            if not fresh or upload.media_id == refused:
                await self._upload(upload, media, kind)
            return upload.media_id

    async def _upload(self, upload: _Upload, media: OutgoingMedia, kind: MediaType) -> None:
        """Doing it twice harms nobody, so a broken upload may be repeated."""
        file = (file_name(media.name, kind), await media.read(), media.mime or "application/octet-stream")
        answer = await self._client.upload("media/upload", {"type": kind}, file)
        media_id = text(answer, "media_id")
        if not media_id:
            raise unanswered(effect=False)
        upload.media_id = media_id
        upload.good_until = self._clock.now() + MEDIA_LIFE - _MARGIN

    def _remember(self, kind: MediaType, sha256: str) -> _Upload:
        key = (kind, sha256)
        upload = self._known.setdefault(key, _Upload())
        self._known.move_to_end(key)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return upload


def checked(media: OutgoingMedia | None, limit: MediaLimit) -> OutgoingMedia:
    """The file, when the platform will take it. Raises ``Rejected`` before anything is transferred."""
    if media is None:
        raise Rejected("wechat_oa.incomplete", Sentence(zh="缺少要发送的文件。", en="The file to send is missing."))
    if media.size > limit.max_bytes:
        megabytes = limit.max_bytes // (1024 * 1024)
        raise Rejected(
            "wechat_oa.file_too_large",
            Sentence(
                zh=f"文件超过公众号的 {megabytes} MB 限制。请压缩后再发。",
                en=f"The file is over the account's limit of {megabytes} MB. Make it smaller, then send.",
            ),
        )
    if limit.mime_types and media.mime not in limit.mime_types:
        endings = "、".join(mime.partition("/")[2].upper() for mime in limit.mime_types)
        raise Rejected(
            "wechat_oa.wrong_type",
            Sentence(
                zh=f"公众号不接受这种格式，请换成 {endings}。",
                en=f"The account does not take this type; use one of {endings.replace('、', ', ')}.",
            ),
        )
    return media


def file_name(name: str, kind: MediaType) -> str:
    """A name must not break out of the header that carries it."""
    plain = "".join(sign for sign in name.replace('"', "'").replace("\\", "/") if sign.isprintable())
    return plain.rsplit("/", 1)[-1].strip()[-120:] or _NAMES[kind]
