"""A small web server that keeps the webhooks posted to it, as the service would get them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from scrm.channel import Adapter, Challenge, WebhookRequest

PATIENCE_SECONDS = 10.0


class Receiver:
    """``adapter`` answers the address checks. ``status`` is answered to events."""

    def __init__(self) -> None:
        self.requests: list[WebhookRequest] = []
        self.adapter: Adapter | None = None
        self.status = 200
        self.url = ""
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        taken = WebhookRequest("POST", dict(request.query), headers, await request.read())
        if b'"verify_webhook"' in taken.body and self.adapter is not None:
            answer = self.adapter.verify(taken)
            assert isinstance(answer, Challenge)
            return web.Response(body=answer.answer, content_type=answer.content_type)
        async with self._arrived:
            self.requests.append(taken)
            self._arrived.notify_all()
        return web.Response(status=self.status)

    async def wait_for(self, wanted: Callable[[WebhookRequest], bool], count: int = 1) -> list[WebhookRequest]:
        """The first ``count`` requests that are wanted, once they are there. Raises ``TimeoutError``."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: len(self.matching(wanted)) >= count)
        return self.matching(wanted)[:count]

    def matching(self, wanted: Callable[[WebhookRequest], bool]) -> list[WebhookRequest]:
        return [request for request in self.requests if wanted(request)]
