"""Files that WeCom already has: one upload per file, used by every message until WeCom deletes it (wecom.md section 14)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.wecom.capabilities import CUSTOMER_SERVICE
from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.kf_bodies import MEDIA_LIFE
from adapters.wecom.values import text
from scrm.channel import Kind, OutgoingMedia, Sentence
from scrm.clock import Clock
from scrm.errors import Rejected

_MARGIN = timedelta(hours=1)
_MOST_REMEMBERED = 2000
_SMALLEST = 6
"""WeCom takes files of more than five bytes."""
_NAMES = {Kind.IMAGE: "image.jpg", Kind.VOICE: "voice.amr", Kind.VIDEO: "video.mp4", Kind.FILE: "file"}


@dataclass(slots=True)
class _Upload:
    """The lock makes concurrent messages with the same file wait for one upload."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    media_id: str = ""
    good_until: datetime | None = None


class Uploads:
    """Remembered in memory only: a lost entry costs one more upload."""

    def __init__(self, client: WeComClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: OrderedDict[tuple[Kind, str], _Upload] = OrderedDict()

    async def media_id(self, media: OutgoingMedia, kind: Kind, *, refused: str = "") -> str:
        """The id of ``media`` at WeCom, uploaded now unless it is still there. ``refused``: this id was just refused."""
        check_size(media, kind, CUSTOMER_SERVICE.media[kind].max_bytes)
        upload = self._remember(kind, media.sha256)
        async with upload.lock:
            fresh = upload.good_until is not None and self._clock.now() < upload.good_until
            if not fresh or upload.media_id == refused:
                await self._upload(upload, media, kind)
            return upload.media_id

    async def _upload(self, upload: _Upload, media: OutgoingMedia, kind: Kind) -> None:
        """``media/upload``, platform page 90253. Doing it twice harms nobody, so a broken upload may be repeated."""
        file = (file_name(media.name, kind), await media.read(), media.mime or "application/octet-stream")
        answer = await self._client.upload("media/upload", {"type": str(kind)}, file)
        media_id = text(answer, "media_id")
        if not media_id:
            raise unanswered(effect=False)
        upload.media_id = media_id
        upload.good_until = self._clock.now() + MEDIA_LIFE - _MARGIN

    def _remember(self, kind: Kind, sha256: str) -> _Upload:
        key = (kind, sha256)
        upload = self._known.setdefault(key, _Upload())
        self._known.move_to_end(key)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return upload


def check_size(media: OutgoingMedia, kind: Kind, limit: int) -> None:
    if media.size > limit:
        megabytes = limit // (1024 * 1024)
        raise Rejected(
            "wecom.file_too_large",
            Sentence(
                f"文件超过企业微信的 {megabytes} MB 限制。请压缩后再发。",
                f"The file is over WeCom's limit of {megabytes} MB. Make it smaller, then send.",
            ),
        )
    if media.size < _SMALLEST:
        raise Rejected(
            "wecom.file_too_small",
            Sentence("文件太小或为空。请换一个文件。", "The file is empty or nearly so. Choose another one."),
        )


def file_name(name: str, kind: Kind) -> str:
    """What the customer will see; a name must not break out of the header that carries it."""
    plain = "".join(sign for sign in name.replace('"', "'").replace("\\", "/") if sign.isprintable())
    return plain.rsplit("/", 1)[-1].strip()[-120:] or _NAMES[kind]
