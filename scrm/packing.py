"""JSON answers, compressed for those who can read that."""

from __future__ import annotations

import gzip

from aiohttp import web

WORTH_IT = 1200
"""Octets; a smaller answer fits into one packet as it is."""
LEVEL = 1
"""Most of what compressing brings, for a third of the time."""
SECRETIVE = ("/api/session", "/api/me", "/api/tokens")
"""Answers that hold keys of the asker. Compressed, their length would tell a listener who makes the browser ask again and again
how much of a guess is right (BREACH)."""


def pack(request: web.Request, path: str, response: web.StreamResponse) -> web.StreamResponse:
    """``path`` is that of the route. Answers that are no JSON, small, secretive or asked for plainly stay as they are."""
    if response.content_type != "application/json" or path.startswith(SECRETIVE):
        return response
    response.headers["Vary"] = "Accept-Encoding"
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return response
    if len(response.body) < WORTH_IT or not accepts_gzip(request.headers.get("Accept-Encoding", "")):
        return response
    response.body = gzip.compress(response.body, LEVEL, mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    return response


def accepts_gzip(header: str) -> bool:
    """``gzip;q=0`` is a refusal."""
    for part in header.lower().split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
