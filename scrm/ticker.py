"""Clock moments become jobs. Every process may tick: the job's key names the moment, and one insert wins.

APScheduler only ticks here. It forgets everything on a restart and that is fine: what is due lives in rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from scrm import jobs
from scrm.db import LOST
from scrm.services import Services

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Puts a job of ``kind`` every ``seconds``, aligned to the epoch so that all processes mean the same moment."""

    kind: str
    seconds: int


class Ticker:
    def __init__(self, services: Services, ticks: Mapping[str, int]) -> None:
        """``ticks``: seconds by job kind."""
        self._services = services
        self._ticks = [Tick(kind, seconds) for kind, seconds in ticks.items()]
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._putting: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        for tick in self._ticks:
            # However late: a moment that was slept through is still worth one job.
            self._scheduler.add_job(
                self.put, "interval", args=[tick], seconds=tick.seconds, misfire_grace_time=None, coalesce=True
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """Ticks no more; what is being put is put to its end."""
        if self._scheduler.running:
            self._scheduler.remove_all_jobs()
            if self._putting:
                await asyncio.wait(self._putting, timeout=STOP_SECONDS)
            self._scheduler.shutdown(wait=False)

    async def put(self, tick: Tick) -> None:
        """Puts the job of the current moment, once among all processes."""
        running = asyncio.current_task()
        if running is not None:
            self._putting.add(running)
            running.add_done_callback(self._putting.discard)
        moment = int(self._services.clock.now().timestamp()) // tick.seconds
        try:
            async with self._services.work() as work:
                await jobs.put(work, tick.kind, [f"{tick.seconds}:{moment}"], [{}])
        except LOST as error:
            log.warning("a tick of %s was lost, the database is away: %s", tick.kind, error)
