"""``/webhooks/{provider}/{connection_key}``: what platforms post to, day and night."""

from __future__ import annotations

from aiohttp import web

from scrm.channel import WebhookRequest
from scrm.connections import Connections
from scrm.errors import ApiError, TooLarge
from scrm.inbound import Intake, accept
from scrm.metrics import WEBHOOKS


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
    """Raises :class:`TooLarge` before the whole of it was read."""
    if request.content_length is not None and request.content_length > max_bytes:
        raise TooLarge(f"A callback may have {max_bytes} bytes.")
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"A callback may have {max_bytes} bytes.") from error
