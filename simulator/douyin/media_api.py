"""Pictures up, files down. Platform reference, 6.3 and 6.4."""

from __future__ import annotations

import hashlib
import secrets
import struct

from aiohttp import BodyPartReader, web

from simulator.douyin.api import Answer, Call, Endpoint
from simulator.douyin.errors import Refused
from simulator.douyin.platform import Platform
from simulator.douyin.state import Picture, opaque_id

MOST_BYTES = 10 * 1024 * 1024
SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"BM", "image/bmp"),
)
FILES = "/im_open/media/"


def picture_type(content: bytes) -> str:
    """The type by what is inside; empty for what is none of the four."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for mark, mime in SIGNATURES if content.startswith(mark)), "")


async def upload(call: Call) -> Answer:
    if not call.request.content_type.startswith("multipart/"):
        raise Refused(28001007, "send multipart/form-data")
    content = await image_field(call.request)
    mime = picture_type(content)
    if len(content) > MOST_BYTES or not mime:
        raise Refused(28001007, "a picture is JPEG, PNG, BMP or WebP of at most 10 MB")
    image_id = opaque_id()
    call.platform.world.pictures[image_id] = Picture(call.app.client_key, mime, content)
    width, height = struct.unpack(">II", content[16:24]) if mime == "image/png" and len(content) >= 24 else (0, 0)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"image_id": image_id, "width": width, "height": height, "md5": digest}


async def image_field(request: web.Request) -> bytes:
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "image":
            content = bytearray()
            while chunk := await part.read_chunk():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise Refused(28001007, "a picture has at most 10 MB")
            return bytes(content)
    raise Refused(28001007, "the field image is missing")


def resources(call: Call) -> Answer:
    """The temporary address of a file from the customer's phone."""
    platform = call.platform
    message = platform.world.messages.get(call.asked("message_id"))
    if message is None or message.to_id != call.account.open_id:
        raise Refused(28003082)
    if message.conversation_id != call.asked("conversation_id"):
        raise Refused(28003082)
    if message.kind not in ("user_local_image", "user_local_video") or not message.file:
        raise Refused(28001007, "there is no such file")
    key = secrets.token_urlsafe(24)
    platform.world.file_keys[key] = (message.message_id, platform.now + platform.settings.media_url_life)
    url = f"http://{call.request.host}{FILES}?secret={key}"
    return {"data": {"media_type": message.kind.removeprefix("user_local_"), "url": url}}


def file_route(platform: Platform) -> web.RouteDef:
    """Where the temporary addresses lead. Not an API call: no envelope, real HTTP statuses."""

    async def get(request: web.Request) -> web.Response:
        message_id, until = platform.world.file_keys.get(request.query.get("secret", ""), ("", 0.0))
        message = platform.world.messages.get(message_id)
        if message is None or not message.file or until <= platform.now:
            raise web.HTTPForbidden(text="the address has expired")
        return web.Response(body=message.file, content_type=message.mime or "application/octet-stream")

    return web.get(FILES, get)


ENDPOINTS = (
    Endpoint("POST", "/tool/imagex/client_upload/", "app", upload, "tool.image.upload"),
    Endpoint("GET", "/api/im/message/resources/", "account", resources, "im.direct_message"),
)
