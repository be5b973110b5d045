"""Tells open pages that somebody's tasks changed, with how many are late and due today: the page reads again what it shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Literal

from aiohttp import web

from customers.tasks.queries import TaskCounts, count_tasks
from scrm.answering import to_json
from scrm.db import LOST
from scrm.live import Hub, frame
from scrm.permissions import CUSTOMERS_READ
from scrm.services import Services
from scrm.tasks import end
from scrm.views import View

log = logging.getLogger(__name__)
CALM_SECONDS = 0.2


class TasksPush(View):
    type: Literal["tasks"] = "tasks"
    counts: TaskCounts


class TaskPusher:
    """Runs as long as the server does. A ring that is lost is made up for when the browser connects again, or with the next."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._rung: set[int] = set()
        self._wake = asyncio.Event()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        unlisten = self._services.bus.listen("task", self._rang)
        task = asyncio.create_task(self._run(), name="task-push")
        yield
        unlisten()
        await end([task])

    def _rang(self, agent_ids: Sequence[int]) -> None:
        self._rung.update(agent_ids)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            rung, self._rung = self._rung, set()
            try:
                await self._tell(rung)
            except LOST as away:
                log.warning("tasks wait for the database: %s", type(away).__name__)
                await asyncio.sleep(1)
                self._rang(sorted(rung))
            except Exception:
                log.exception("changed tasks could not be told")
            await asyncio.sleep(CALM_SECONDS)

    async def _tell(self, agent_ids: set[int]) -> None:
        now = self._services.clock.now()
        listening = {socket.principal.agent_id for socket in self._hub.sockets if socket.principal.may(CUSTOMERS_READ)}
        for agent_id in listening & agent_ids:
            counts = await count_tasks(self._services.db, agent_id, now)
            framed = frame(to_json(TasksPush(counts=counts)))
            for socket in tuple(self._hub.sockets):
                if socket.principal.agent_id == agent_id and socket.principal.may(CUSTOMERS_READ):
                    socket.send(framed)
