"""Media (chapter 14): temporary files for three days, permanent pictures."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import BodyPartReader, web

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.moment_media import check_for_moments
from simulator.wecom.settings import DAY, Settings
from simulator.wecom.state import Corp, Media, World, new_id

MEGABYTE = 1024 * 1024
UPLOAD_LIMITS = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
_SMALLEST = 6
"""Every file must have more than five bytes."""
_UPLOADIMG_LIMIT = 2 * MEGABYTE
_UPLOADIMG_PER_DAY = 1000


def sniff(content: bytes) -> str:
    """The MIME type by the first bytes, of the types that WeCom tells apart."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"#!AMR"):
        return "audio/amr"
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return "application/octet-stream"


_ATTACHMENTS = (("image", "1"), ("video", "1"), ("image", "2"))
_FORMATS = {"image": ("image/png", "image/jpeg"), "voice": ("audio/amr",), "video": ("video/mp4",)}


def keep(corp: Corp, kind: str, name: str, content: bytes, now: int) -> Media:
    """Stores a temporary file without any check: what customers send has been checked by their client."""
    media = Media(new_id("", 44), kind, name, sniff(content), content, now)
    corp.media[media.media_id] = media
    return media


class PublicAddress:
    """Where this simulator is reached; known once it listens, and different after the next start."""

    base = ""

    def of(self, address: str) -> str:
        """A stored address as the world sees it: a path is on this server."""
        return self.base + address if address.startswith("/") else address


class MediaApi:
    def __init__(self, world: World, settings: Settings, public: PublicAddress) -> None:
        self._world = world
        self._settings = settings
        self._public = public

    @property
    def endpoints(self) -> Endpoints:
        return {
            "media/upload": Endpoint("POST", self.upload, takes_json=False),
            "media/upload_attachment": Endpoint("POST", self.upload_attachment, takes_json=False),
            "media/uploadimg": Endpoint("POST", self.upload_image, takes_json=False),
            "media/get": Endpoint("GET", self.get),
        }

    def find(self, corp: Corp, media_id: str, now: int, kind: str = "") -> Media:
        """Refused with 40007 when unknown, expired or of another kind."""
        media = corp.media.get(media_id)
        if media is None or now >= media.created_at + self._settings.media_life or (kind and media.kind != kind):
            raise Refused(40007)
        return media

    async def upload(self, call: Call) -> Answer:
        kind = call.query.get("type", "")
        if kind not in UPLOAD_LIMITS:
            raise Refused(40005)
        name, content = await _file(call.request, UPLOAD_LIMITS[kind])
        if kind in _FORMATS and sniff(content) not in _FORMATS[kind]:
            raise Refused(40004)
        self._forget_expired(call.corp, call.now)
        media = keep(call.corp, kind, name, content, call.now)
        return {"errmsg": "", "type": kind, "media_id": media.media_id, "created_at": str(call.now)}

    async def upload_attachment(self, call: Call) -> Answer:
        """For moments (1) and the product album (2). ``created_at`` is a number here (chapter 14)."""
        kind, scene = call.query.get("media_type", ""), call.query.get("attachment_type", "")
        if (kind, scene) not in _ATTACHMENTS:
            raise Refused(40005)
        name, content = await _file(call.request, UPLOAD_LIMITS[kind])
        if sniff(content) not in _FORMATS[kind]:
            raise Refused(40004)
        check_for_moments(content)
        self._forget_expired(call.corp, call.now)
        media = keep(call.corp, kind, name, content, call.now)
        media.for_moments = scene == "1"
        return {"errmsg": "", "type": kind, "media_id": media.media_id, "created_at": call.now}

    async def upload_image(self, call: Call) -> Answer:
        name, content = await _file(call.request, _UPLOADIMG_LIMIT)
        if sniff(content) not in _FORMATS["image"]:
            raise Refused(40004)
        day = str(call.now // DAY)
        used = call.corp.images_uploaded.get(day, 0)
        if used >= _UPLOADIMG_PER_DAY:
            raise Refused(45009)
        call.corp.images_uploaded = {day: used + 1}
        key = new_id("", 32)
        self._world.pictures[key] = Media(key, "image", name, sniff(content), content, call.now)
        return {"errmsg": "", "url": self._public.of(f"/pictures/uploaded/{key}")}

    def get(self, call: Call) -> Answer:
        media = self.find(call.corp, call.parameter("media_id", missing=41006), call.now)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(media.name)}", "Accept-Ranges": "bytes"}
        try:
            wanted = call.request.http_range
        except ValueError:
            raise Refused(830002, "bad Range") from None
        if wanted.start is None and wanted.stop is None:
            return web.Response(body=media.content, content_type=media.mime, headers=headers)
        start, stop, _ = wanted.indices(len(media.content))
        if start >= stop:
            raise Refused(830002, "bad Range")
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(media.content)}"
        return web.Response(status=206, body=media.content[start:stop], content_type=media.mime, headers=headers)

    def _forget_expired(self, corp: Corp, now: int) -> None:
        for media_id in [m.media_id for m in corp.media.values() if now >= m.created_at + self._settings.media_life]:
            del corp.media[media_id]


async def _file(request: web.Request, limit: int) -> tuple[str, bytes]:
    """The part named ``media``; its name and bytes. Reads no more than the limit."""
    if not request.content_type.startswith("multipart/"):
        raise Refused(41005)
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.name == "media":
                return part.filename or "", await _bounded(part, limit)
    except ValueError:
        raise Refused(41005, "broken multipart body") from None
    raise Refused(41005)


async def _bounded(part: BodyPartReader, limit: int) -> bytes:
    if not part.filename:
        raise Refused(41005, "filename missing")
    content = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        content += chunk
        if len(content) > limit:
            raise Refused(45001)
    if not content:
        raise Refused(44001)
    if len(content) < _SMALLEST:
        raise Refused(40006)
    return bytes(content)
