"""Rings the bell in the browsers of those who have a new notice, or read some in another tab."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

import orjson
from aiohttp import web

from inbox.notifications import NEWEST, NotificationQuery, notification_page
from scrm.answering import to_json
from scrm.db import LOST
from scrm.live import Hub, frame
from scrm.permissions import Principal
from scrm.services import Services
from scrm.tasks import end

log = logging.getLogger(__name__)


class Bell:
    """Runs as long as the server does. A ring that is lost is made up for when the browser connects again, or with the next."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._rung: set[int] = set()
        self._everybody = False
        self._wake = asyncio.Event()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        unlisten: Callable[[], None] = self._services.bus.listen("notification", self._rang)
        task = asyncio.create_task(self._run(), name="inbox-bell")
        yield
        unlisten()
        await end([task])

    def _rang(self, agent_ids: Sequence[int]) -> None:
        self._everybody |= not agent_ids
        self._rung.update(agent_ids)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            rung, everybody = self._rung, self._everybody
            self._rung, self._everybody = set(), False
            try:
                for socket_principal in self._here(rung, everybody):
                    await self._tell(socket_principal)
            except LOST as error:
                log.warning("the database is away, notices wait: %s", type(error).__name__)
                await self._later(rung, everybody)
            except Exception:
                log.exception("notices could not be told")
                await self._later(rung, everybody)

    async def _later(self, rung: set[int], everybody: bool) -> None:
        await asyncio.sleep(1)
        self._rang(sorted(rung)) if rung else None
        if everybody:
            self._rang(())

    def _here(self, rung: set[int], everybody: bool) -> list[Principal]:
        """One per set of rights: a token of the same agent may see less."""
        found = {one.principal for one in self._hub.sockets if everybody or one.principal.agent_id in rung}
        return list({(one.agent_id, one.permissions, one.reach, one.team_ids): one for one in found}.values())

    async def _tell(self, principal: Principal) -> None:
        page = await notification_page(self._services.db, principal, NotificationQuery(limit=NEWEST))
        framed = frame(orjson.dumps({"type": "notifications", "page": orjson.Fragment(to_json(page))}))
        for socket in tuple(self._hub.sockets):
            held = socket.principal
            if held.agent_id == principal.agent_id and (held.permissions, held.reach, held.team_ids) == (
                principal.permissions,
                principal.reach,
                principal.team_ids,
            ):
                socket.send(framed)
