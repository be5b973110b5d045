"""A server that gives prepared answers and keeps what it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

TOKEN: dict[str, Any] = {"/cgi-bin/stable_token": {"access_token": "88_T1", "expires_in": 7200}}


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class ScriptedPlatform:
    """``answers`` maps paths to bodies (objects or bytes)."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers: dict[str, Any] = {**TOKEN, **(answers or {})}
        self.asked: list[Asked] = []
        self.base_url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def last(self, path: str) -> Asked:
        return [asked for asked in self.asked if asked.path == path][-1]

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(Asked(request.path, dict(request.query), body, request.content_type))
        answer = self.answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        data = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        return web.Response(body=data, content_type="application/json")
