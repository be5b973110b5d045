"""``/webhooks/{provider}/{connection_key}``: what platforms post to, day and night."""

from __future__ import annotations

import asyncio

from aiohttp import web

from scrm.channel import WebhookRequest
from scrm.connections import Connections
from scrm.errors import ApiError, TooLarge, TooSlow, UnsupportedEncoding
from scrm.inbound import Intake, accept
from scrm.metrics import WEBHOOKS

BODY_SECONDS = 10.0
"""Platforms give up after five; who is slower than this only keeps a connection busy."""


def add_webhooks(app: web.Application, connections: Connections, intake: Intake, *, max_bytes: int) -> None:
    async def webhook(request: web.Request) -> web.Response:
        provider, key = request.match_info["provider"], request.match_info["key"]
        try:
            body = await _body(request, max_bytes)
            received = WebhookRequest(
                method="GET" if request.method == "GET" else "POST",
                query=request.query,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            )
            outcome = await accept(connections, intake, provider, key, received)
        except ApiError as error:
            # Strangers choose the address: only platforms that exist become a label.
            WEBHOOKS.labels(provider if provider in connections.providers() else "unknown", error.code).inc()
            raise
        return web.Response(body=outcome.answer, content_type=outcome.content_type)

    app.router.add_get("/webhooks/{provider}/{key}", webhook, allow_head=False)
    app.router.add_post("/webhooks/{provider}/{key}", webhook)


async def _body(request: web.Request, max_bytes: int) -> bytes:
    """The bytes as they were sent, which is what platforms sign. Raises :class:`TooLarge` before the whole of it was read,
    :class:`TooSlow`, and :class:`UnsupportedEncoding` for a compressed body: no platform sends one, and unpacking what
    strangers packed is how a small request takes a large amount of memory."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedEncoding("Send the body as it is, without Content-Encoding.")
    if request.content_length is not None and request.content_length > max_bytes:
        raise TooLarge(f"A callback may have {max_bytes} bytes.")
    try:
        if request.content.is_eof():
            # It came whole with its head, as nearly all do: nothing to wait for.
            return await request.read()
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"A callback may have {max_bytes} bytes.") from error
    except TimeoutError as error:
        raise TooSlow(f"The body did not come within {BODY_SECONDS:g} seconds.") from error
