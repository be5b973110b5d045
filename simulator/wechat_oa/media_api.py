"""Temporary media (section 6): three days, each kind with its size and types."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import BodyPartReader, web

from simulator.wechat_oa.api import Answer, Call, Endpoint, Endpoints
from simulator.wechat_oa.errors import Refused
from simulator.wechat_oa.platform import Platform
from simulator.wechat_oa.state import Account, Media, new_id

MEGABYTE = 1024 * 1024
LIMITS = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "thumb": 64 * 1024}
FORMATS = {
    "image": ("image/png", "image/jpeg", "image/gif", "image/bmp"),
    "voice": ("audio/amr", "audio/mpeg"),
    "video": ("video/mp4",),
    "thumb": ("image/jpeg",),
}
FILES = "/files/{media_id}"


def sniff(content: bytes) -> str:
    """The MIME type by the first bytes, of the types that the platform takes."""
    signs = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"BM": "image/bmp",
        b"#!AMR": "audio/amr",
        b"ID3": "audio/mpeg",
        b"\xff\xfb": "audio/mpeg",
    }
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return next((mime for sign, mime in signs.items() if content.startswith(sign)), "application/octet-stream")


def keep(account: Account, kind: str, name: str, content: bytes, now: float) -> Media:
    """Stores a file without any check: what people send has been checked by their client."""
    media = Media(new_id(), kind, name, sniff(content), content, now)
    account.media[media.media_id] = media
    return media


def find(call: Call, media_id: object, *kinds: str) -> Media:
    """Refused with 40007 when it is unknown, too old or of another kind."""
    media = call.account.media.get(str(media_id))
    if media is None or call.now >= media.created_at + call.platform.settings.media_life:
        raise Refused(40007)
    if kinds and media.kind not in kinds:
        raise Refused(40007)
    return media


async def upload(call: Call) -> Answer:
    kind = call.query.get("type", "")
    if kind not in LIMITS:
        raise Refused(40004)
    name, content = await _file(call.request, LIMITS[kind])
    if sniff(content) not in FORMATS[kind]:
        raise Refused(40005)
    life = call.platform.settings.media_life
    for old in [one.media_id for one in call.account.media.values() if call.now >= one.created_at + life]:
        del call.account.media[old]
    media = keep(call.account, kind, name, content, call.now)
    return {"type": kind, "media_id": media.media_id, "created_at": call.now}


def get(call: Call) -> Answer:
    """The file; for a video only where it lies."""
    media = find(call, call.parameter("media_id", missing=41006))
    if media.kind == "video":
        return {"video_url": f"{call.platform.base_url}/files/{media.media_id}"}
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(media.name or 'file')}"}
    return web.Response(body=media.content, content_type=media.mime, headers=headers)


ENDPOINTS: Endpoints = {
    "media/upload": Endpoint("POST", upload, takes_json=False),
    "media/get": Endpoint("GET", get),
}


def file_route(platform: Platform) -> web.RouteDef:
    """Where videos lie."""

    async def answer(request: web.Request) -> web.Response:
        media_id = request.match_info["media_id"]
        for account in platform.world.accounts.values():
            if (media := account.media.get(media_id)) is not None:
                return web.Response(body=media.content, content_type=media.mime)
        return web.Response(status=404)

    return web.get(FILES, answer)


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
    content = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        content += chunk
        if len(content) > limit:
            raise Refused(45001)
    if not content:
        raise Refused(40006)
    return bytes(content)
