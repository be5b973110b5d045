"""Files to those who may have them: bytes that strangers chose.

Nothing of a stranger is ever run on our origin: types that a browser could run are handed out as plain bytes to save, the rest
under a policy that allows nothing; and what a type claims is never guessed at by the browser.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from scrm.answering import error_answer
from scrm.blobs import FALLBACK_MIME
from scrm.db import Row
from scrm.errors import NotFound
from scrm.http import Raw, Request

log = logging.getLogger(__name__)

PIECE = 256 << 10
LONGEST_NAME = 150
SHOWN = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif", "application/pdf"}
    | {"audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/ogg", "audio/wav", "audio/x-wav", "audio/webm"}
    | {"video/mp4", "video/webm", "video/quicktime", "video/ogg"}
)
"""Types that a browser shows and never runs."""
NOTHING = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; frame-ancestors 'self'"
RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")


async def hand_out(request: Request, found: Row | Mapping[str, Any], *, download: bool = False) -> Raw:
    """A file with ``sha256``, ``name``, ``mime`` and ``size``, or the asked range of it. Who may have it was decided before."""
    headers = _headers(found, download=download)
    if request.raw.headers.get("If-None-Match") == headers["ETag"]:
        return Raw(web.Response(status=304, headers=headers))
    size: int = found["size"]
    asked = RANGE.match(request.raw.headers.get("Range", ""))
    if request.raw.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
        asked = None
    first, last = _span(asked, size)
    if first > last and size > 0:
        sizes = {"Content-Range": f"bytes */{size}"}
        return Raw(error_answer(416, "no_such_range", f"The file has {size} bytes.", headers=sizes))
    partial = asked is not None and asked[0] != "bytes=-" and size > 0
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.content_length = last - first + 1
    return Raw(await _stream(request, response, found["sha256"], first, last + 1))


def safe_name(name: str) -> str:
    """A file name that is harmless on every system: no folders, no control or direction characters, not too long."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(one for one in name if unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .")
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = (
            f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) <= 10 else name[:LONGEST_NAME]
        )
    return name or "file"


def _headers(found: Row | Mapping[str, Any], *, download: bool) -> dict[str, str]:
    mime = found["mime"] if found["mime"] in SHOWN else FALLBACK_MIME
    inline = mime in SHOWN and not download
    name = safe_name(found["name"])
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    # A browser's reader of PDF files does not work inside a sandbox; it is one of its own.
    policy = NOTHING if mime == "application/pdf" else f"{NOTHING}; sandbox"
    return {
        "Content-Type": mime,
        "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Accept-Ranges": "bytes",
        # Asked again each time: permissions change and messages are recalled.
        "Cache-Control": "private, no-cache",
        "ETag": f'"{found["sha256"][:32]}"',
    }


def _span(asked: re.Match[str] | None, size: int) -> tuple[int, int]:
    """First and last byte; the first greater than the last: there is no such range."""
    if asked is None or asked[0] == "bytes=-":
        return 0, size - 1
    if not asked[1]:
        length = int(asked[2])
        return (max(size - length, 0), size - 1) if length else (size, size - 1)
    last = min(int(asked[2]), size - 1) if asked[2] else size - 1
    return int(asked[1]), last


async def _stream(
    request: Request, response: web.StreamResponse, sha256: str, start: int, end: int
) -> web.StreamResponse:
    blobs = request.services.blobs
    try:
        # Before the headers: a file that is gone is still a 404.
        piece = await blobs.read_range(sha256, start, min(PIECE, end - start))
    except FileNotFoundError as error:
        raise NotFound("This file is no longer in the store.", code="file_gone") from error
    await response.prepare(request.raw)
    try:
        while piece:
            await response.write(piece)
            start += len(piece)
            piece = await blobs.read_range(sha256, start, min(PIECE, end - start))
        await response.write_eof()
    except ConnectionError:
        log.debug("the reader of a file went away")
    except Exception as error:
        # The headers are out: cutting the connection is the only honest way to say that the rest is missing.
        log.error("a file could not be read to its end: %s", type(error).__name__)
        if request.raw.transport is not None:
            request.raw.transport.abort()
    return response
