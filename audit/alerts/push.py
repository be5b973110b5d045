"""Tells browsers how many alerts wait for them, and which moved. Rings gather: a look back over a million messages is not a million frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import orjson
from aiohttp import web

from audit.alerts.queries import alert_counts
from scrm.db import LOST
from scrm.live import Hub, frame
from scrm.permissions import AUDIT_READ, Principal, Scope
from scrm.services import Services
from scrm.tasks import end

log = logging.getLogger(__name__)

APART_SECONDS = 1.0


class AlertPusher:
    """Runs as long as the server does. A ring that is lost is made up for by the next, or when the page asks."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._wake = asyncio.Event()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        unlisten = self._services.bus.listen("alert", self._rang)
        task = asyncio.create_task(self._run(), name="alert-push")
        yield
        unlisten()
        await end([task])

    def _rang(self, _: Sequence[int]) -> None:
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                for principal in self._here():
                    await self._tell(principal)
            except LOST as error:
                log.warning("the database is away, counts of alerts wait: %s", type(error).__name__)
                self._wake.set()
            except Exception:
                log.exception("counts of alerts could not be told")
            await asyncio.sleep(APART_SECONDS)

    def _here(self) -> list[Principal]:
        """One per set of rights."""
        found = {one.principal for one in self._hub.sockets if one.principal.may(AUDIT_READ)}
        return list({_rights(one): one for one in found}.values())

    async def _tell(self, principal: Principal) -> None:
        counts = await alert_counts(self._services.db, Scope.of(principal))
        framed = frame(orjson.dumps({"type": "alerts", "counts": counts.model_dump()}))
        for socket in tuple(self._hub.sockets):
            if _rights(socket.principal) == _rights(principal) and socket.principal.may(AUDIT_READ):
                socket.send(framed)


def _rights(one: Principal) -> tuple[object, ...]:
    return one.agent_id, one.permissions, one.reach, one.team_ids
