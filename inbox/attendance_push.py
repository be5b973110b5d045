"""Who is at work, told to the pages of colleagues; and which pages are open, told to the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Literal

from aiohttp import web

from inbox import attendance
from scrm.answering import to_json
from scrm.db import LOST, Database
from scrm.live import Hub, frame
from scrm.permissions import AGENTS_READ
from scrm.services import Services
from scrm.tasks import end
from scrm.views import View

log = logging.getLogger(__name__)
SEEN_SECONDS = 20.0


class AttendanceView(View):
    """``away_reason``: why somebody is away who did not say so. ``capacity`` 0: the company's."""

    agent_id: int
    status: attendance.Status
    away_reason: Literal["", "absent", "signed_out"]
    status_at: datetime
    capacity: int


class AttendanceList(View):
    agents: list[AttendanceView]


class AttendancePush(View):
    type: Literal["attendance"] = "attendance"
    agents: list[AttendanceView]


async def read(db: Database) -> list[AttendanceView]:
    rows = await db.fetch(attendance.STATUSES)
    return [
        AttendanceView(
            agent_id=row["id"], status=row["status"], away_reason=row["away_reason"], status_at=row["status_at"],
            capacity=row["capacity"],
        )
        for row in rows
        if not row["disabled"]
    ]  # fmt: skip


class AttendancePusher:
    """Runs as long as the server does."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._changed = asyncio.Event()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unlisten: list[Callable[[], None]] = []

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        self._unlisten = [self._services.bus.listen("agent", lambda _: self._changed.set())]
        self._hub.on_change.append(self._arrived.set)
        self._tasks = [
            asyncio.create_task(self._tell(), name="attendance-push"),
            asyncio.create_task(self._note(), name="attendance-seen"),
        ]
        yield
        for unlisten in self._unlisten:
            unlisten()
        self._hub.on_change.remove(self._arrived.set)
        await end(self._tasks)

    async def _tell(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                framed = frame(to_json(AttendancePush(agents=await read(self._services.db))))
            except LOST as away:
                log.warning("attendance waits for the database: %s", type(away).__name__)
                await asyncio.sleep(1)
                self._changed.set()
                continue
            for socket in tuple(self._hub.sockets):
                if socket.principal.may(AGENTS_READ):
                    socket.send(framed)
            await asyncio.sleep(0.2)

    async def _note(self) -> None:
        """Pages that are open, every now and then and when one opens."""
        while True:
            here = sorted({socket.principal.agent_id for socket in self._hub.sockets})
            if here:
                try:
                    await attendance.seen(self._services, here, every=SEEN_SECONDS / 2)
                except LOST as away:
                    log.warning("attendance waits for the database: %s", type(away).__name__)
            self._arrived.clear()
            try:
                async with asyncio.timeout(SEEN_SECONDS):
                    await self._arrived.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(0.5)
