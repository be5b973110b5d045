"""The picture of a code, fetched from the platform and handed on from our own address: it can be saved and printed there, and
whoever looks at the page does not have to reach the platform."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from scrm.blobs import sniff
from scrm.db import Database
from scrm.errors import Conflict, NotFound, Unavailable

LARGEST = 2 << 20
SECONDS = 8.0
KINDS = {"image/png": "png", "image/jpeg": "jpg"}


async def picture(db: Database, code_id: int, *, download: bool) -> web.Response:
    """Raises :class:`NotFound`, :class:`Conflict` while there is none, :class:`Unavailable` when the platform does not give it."""
    row = await db.fetchrow("select name, picture from contact_code where id = $1", code_id)
    if row is None:
        raise NotFound("There is no such code.")
    if not row["picture"].startswith(("http://", "https://")):
        raise Conflict("This code has no picture yet. Try it in a moment.", code="no_picture")
    body = await _fetch(row["picture"])
    mime = sniff(body[:4096], "code", "")
    if mime not in KINDS:
        raise Unavailable("The platform did not answer with a picture. Try it later.")
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    if download:
        headers["Content-Disposition"] = f'attachment; filename="code-{code_id}.{KINDS[mime]}"'
    return web.Response(body=body, content_type=mime, headers=headers)


async def _fetch(address: str) -> bytes:
    """The address came from the platform itself, over our own call; it is not followed elsewhere."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(address, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise Unavailable("The platform does not give the picture now. Try it later.")
            return await answer.content.read(LARGEST)
    except (TimeoutError, aiohttp.ClientError) as error:
        raise Unavailable("The platform does not give the picture now. Try it later.") from error
