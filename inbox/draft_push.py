"""Drafts, told to the other tabs and devices of whoever types them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from aiohttp import web

from inbox.drafts import BY_IDS, DraftView, draft_view
from scrm.answering import to_json
from scrm.db import LOST
from scrm.live import Hub, frame
from scrm.permissions import INBOX_READ
from scrm.services import Services
from scrm.tasks import end
from scrm.views import View

log = logging.getLogger(__name__)

APART_SECONDS = 0.05


class DraftPush(View):
    type: Literal["draft"] = "draft"
    draft: DraftView


class DraftPusher:
    """Runs as long as the server does: ``app.cleanup_ctx.append(DraftPusher(services, app[HUB]).running)``. A lost ring costs
    nothing that lasts: a page reads all drafts when it (re)connects."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._changed: set[int] = set()
        self._wake = asyncio.Event()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        unlisten: Callable[[], None] = self._services.bus.listen("draft", self._rang)
        task = asyncio.create_task(self._run(), name="draft-push")
        yield
        unlisten()
        await end([task])

    def _rang(self, ids: Sequence[int]) -> None:
        self._changed.update(ids)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = list(self._changed), set()
            try:
                await self._tell(changed)
            except LOST as error:
                log.warning("the database is away, drafts are not pushed: %s", type(error).__name__)
            except Exception:
                log.exception("drafts could not be pushed")
            await asyncio.sleep(APART_SECONDS)

    async def _tell(self, ids: Sequence[int]) -> None:
        readers = {one.principal.agent_id for one in self._hub.sockets if one.principal.may(INBOX_READ)}
        if not readers or not ids:
            return
        for row in await self._services.db.fetch(BY_IDS, list(ids)):
            if row["agent_id"] not in readers:
                continue
            framed = frame(to_json(DraftPush(draft=draft_view(row))))
            for socket in tuple(self._hub.sockets):
                if socket.principal.agent_id == row["agent_id"] and socket.principal.may(INBOX_READ):
                    socket.send(framed)
