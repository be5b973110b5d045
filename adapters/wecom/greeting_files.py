"""Files of greetings at WeCom, uploaded once for all processes and long before they are needed (wecom.md section 14)."""

from __future__ import annotations

from datetime import timedelta

from adapters.wecom.capabilities import CUSTOMER_SERVICE, MEGABYTE
from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.kf_bodies import MEDIA_LIFE
from adapters.wecom.uploads import check_size, file_name
from adapters.wecom.values import text
from scrm.channel import Kind, OutgoingMedia, Sentence, SharedCache
from scrm.errors import Rejected

_MARGIN = timedelta(hours=2)
_PICTURE_LIFE = timedelta(days=30).total_seconds()
"""Addresses of pictures are permanent, their number is not: a thousand a day."""
_LARGEST_PICTURE = 2 * MEGABYTE


class GreetingFiles:
    def __init__(self, client: WeComClient, cache: SharedCache, corp_id: str) -> None:
        self._client = client
        self._cache = cache
        self._prefix = f"wecom:greeting:{corp_id}"

    async def media_id(self, media: OutgoingMedia, kind: Kind, *, refused: str = "") -> str:
        """``media/upload``, platform page 90253. ``refused``: WeCom has just said that it no longer knows this id."""
        check_size(media, kind, CUSTOMER_SERVICE.media[kind].max_bytes)

        async def upload() -> tuple[str, float]:
            file = (file_name(media.name, kind), await media.read(), media.mime or "application/octet-stream")
            answer = await self._client.upload("media/upload", {"type": str(kind)}, file)
            return _told(text(answer, "media_id")), (MEDIA_LIFE - _MARGIN).total_seconds()

        key = f"{self._prefix}:{kind}:{media.sha256}"
        return await self._cache.get_or_make(key, upload, not_value=refused or None)

    async def address(self, media: OutgoingMedia) -> str:
        """``media/uploadimg``, platform page 90256: the cover of a link is an address, not an id."""
        if media.size > _LARGEST_PICTURE:
            raise Rejected(
                "wecom.cover_too_large",
                Sentence(
                    "链接的封面图超过企业微信的 2 MB 限制。请压缩后再保存。",
                    "The cover of the link is over WeCom's limit of 2 MB. Make it smaller.",
                ),
            )
        check_size(media, Kind.IMAGE, _LARGEST_PICTURE)

        async def upload() -> tuple[str, float]:
            file = (file_name(media.name, Kind.IMAGE), await media.read(), media.mime or "image/png")
            return _told(text(await self._client.upload("media/uploadimg", {}, file), "url")), _PICTURE_LIFE

        return await self._cache.get_or_make(f"{self._prefix}:address:{media.sha256}", upload)


def _told(value: str) -> str:
    if not value:
        raise unanswered(effect=False)
    return value
