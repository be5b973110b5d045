"""A small web server that keeps the pushes posted to it, as the service would get them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from scrm.channel import Adapter, Challenge, WebhookRequest
from scrm.errors import BadRequest, BadSignature

PATIENCE_SECONDS = 30.0


class Receiver:
    """``adapter`` answers the address checks and, as the service does, what is genuine."""

    def __init__(self) -> None:
        self.requests: list[WebhookRequest] = []
        self.adapter: Adapter | None = None
        self.url = ""
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        method = "GET" if request.method == "GET" else "POST"
        taken = WebhookRequest(method, dict(request.query), headers, await request.read())
        assert self.adapter is not None
        if method == "POST":
            async with self._arrived:
                self.requests.append(taken)
                self._arrived.notify_all()
        try:
            answer = self.adapter.verify(taken)
        except (BadSignature, BadRequest) as error:
            return web.Response(status=403, text=str(error))
        assert isinstance(answer, Challenge) is (method == "GET")
        return web.Response(body=answer.answer, content_type=answer.content_type)

    async def wait_for(self, wanted: Callable[[WebhookRequest], bool], count: int = 1) -> list[WebhookRequest]:
        """The first ``count`` requests that are wanted, once they are there. Raises ``TimeoutError``."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: len(self.matching(wanted)) >= count)
        return self.matching(wanted)[:count]

    def matching(self, wanted: Callable[[WebhookRequest], bool]) -> list[WebhookRequest]:
        return [request for request in self.requests if wanted(request)]
