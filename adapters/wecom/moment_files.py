"""Files of moments at WeCom: they go another way than those of messages, and have a cache of their own (wecom.md section 14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from adapters.wecom.capabilities import CUSTOMER_SERVICE
from adapters.wecom.client import WeComClient
from adapters.wecom.errors import unanswered
from adapters.wecom.kf_bodies import MEDIA_LIFE
from adapters.wecom.lengths import check_characters
from adapters.wecom.uploads import check_size, file_name
from adapters.wecom.values import text
from scrm.channel import JsonObject, Kind, OutgoingMedia, Sentence, SharedCache
from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.errors import Rejected

PICTURES = 9
KINDS: frozenset[AttachmentKind] = frozenset({AttachmentKind.IMAGE, AttachmentKind.VIDEO, AttachmentKind.LINK})
_TITLE = 64
_MARGIN = timedelta(hours=2)
_FOR_MOMENTS = "1"
_FILES: Mapping[AttachmentKind, Kind] = {
    AttachmentKind.IMAGE: Kind.IMAGE,
    AttachmentKind.VIDEO: Kind.VIDEO,
    AttachmentKind.LINK: Kind.IMAGE,
}
_COMBINATION = Sentence(
    f"朋友圈的附件只能是最多 {PICTURES} 张图片、一个视频或一个链接，三选一。请修改后再试。",
    f"A moment takes up to {PICTURES} pictures, or one video, or one link, and nothing else. Change the attachments.",
)
_NO_FILE = Sentence(
    "朋友圈的附件缺少文件。图片和视频要有文件，链接要有封面图。",
    "A file of the moment is missing: pictures and videos need their file, a link needs a cover picture.",
)
_NO_LINK = Sentence("朋友圈的链接缺少标题或网址。", "The link of the moment lacks its title or its address.")


class MomentFiles:
    def __init__(self, client: WeComClient, cache: SharedCache, corp_id: str) -> None:
        self._client = client
        self._cache = cache
        self._prefix = f"wecom:moment:{corp_id}"

    async def attachments(self, parts: Sequence[GreetingPart], refused: Mapping[str, str]) -> list[JsonObject]:
        """As the call takes them, with their files uploaded. ``refused``: ids that WeCom has just refused, by :func:`ids_by_file`."""
        check(parts)
        return [await self._attachment(part, refused) for part in parts]

    async def _attachment(self, part: GreetingPart, refused: Mapping[str, str]) -> JsonObject:
        assert part.media is not None
        body: JsonObject = {"media_id": await self._media_id(part.media, part.kind, refused)}
        if part.kind is AttachmentKind.LINK:
            body = {"title": text(part.content, "title"), "url": text(part.content, "url"), **body}
        return {"msgtype": str(part.kind), str(part.kind): body}

    async def _media_id(self, media: OutgoingMedia, kind: AttachmentKind, refused: Mapping[str, str]) -> str:
        """``media/upload_attachment``, platform page 95098. Doing it twice harms nobody."""
        file_kind = _FILES[kind]
        check_size(media, file_kind, CUSTOMER_SERVICE.media[file_kind].max_bytes)

        async def upload() -> tuple[str, float]:
            file = (file_name(media.name, file_kind), await media.read(), media.mime or "application/octet-stream")
            query = {"media_type": str(file_kind), "attachment_type": _FOR_MOMENTS}
            media_id = text(await self._client.upload("media/upload_attachment", query, file), "media_id")
            if not media_id:
                raise unanswered(effect=False)
            return media_id, (MEDIA_LIFE - _MARGIN).total_seconds()

        key = f"{file_kind}:{media.sha256}"
        return await self._cache.get_or_make(f"{self._prefix}:{key}", upload, not_value=refused.get(key))


def check(parts: Sequence[GreetingPart]) -> None:
    """Refuses what no moment can have, before anything is uploaded."""
    kinds = {part.kind for part in parts}
    most = PICTURES if kinds == {AttachmentKind.IMAGE} else 1
    if not kinds <= KINDS or len(kinds) > 1 or len(parts) > most:
        raise Rejected("wecom.moment_attachments", _COMBINATION)
    for part in parts:
        if part.media is None:
            raise Rejected("wecom.moment_file_missing", _NO_FILE)
        if part.kind is AttachmentKind.LINK:
            if not text(part.content, "title") or not text(part.content, "url"):
                raise Rejected("wecom.moment_link_incomplete", _NO_LINK)
            check_characters(text(part.content, "title"), _TITLE, name="link title", zh="链接标题")


def ids_by_file(parts: Sequence[GreetingPart], attachments: Sequence[JsonObject]) -> dict[str, str]:
    return {
        f"{_FILES[part.kind]}:{part.media.sha256}": attachment[attachment["msgtype"]]["media_id"]
        for part, attachment in zip(parts, attachments, strict=True)
        if part.media is not None
    }
