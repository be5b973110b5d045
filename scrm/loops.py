"""The shape of every background loop: do a round while there is work, then sleep until a ring or the next look."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Awaitable, Callable

from scrm.bus import Bus
from scrm.db import LOST
from scrm.metrics import LOOP_FAILURES
from scrm.tasks import end

log = logging.getLogger(__name__)

LONGEST_REST = 10.0
_phases = (n * 0.618034 % 1 for n in itertools.count(1))
"""Where in its time between two looks the next loop begins, spread as evenly as any number of them can be. Started together, dozens of
loops that look once a second would look all at the same moment, and who posts a message then would wait for all of them."""


class Loop:
    """Calls ``round`` until it returns False (nothing left), then waits for a ring of one of ``topics`` or ``look`` seconds.

    A round that fails is logged and tried again after a growing pause; the loop itself never ends by an error.
    ``share`` below 1: at most this share of the time is spent in rounds. For what may be late and becomes less work by waiting.
    """

    def __init__(
        self,
        name: str,
        round_: Callable[[], Awaitable[bool]],
        *,
        bus: Bus | None = None,
        topics: tuple[str, ...] = (),
        look: float = 1.0,
        share: float = 1.0,
    ) -> None:
        self.name = name
        self._rest = 1 / share - 1
        self._round = round_
        self._bus = bus
        self._topics = topics
        self._look = look
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unlisten: list[Callable[[], None]] = []
        self._phase = next(_phases)

    def start(self) -> None:
        if self._bus is not None:
            self._unlisten = [self._bus.listen(topic, lambda _: self._wake.set()) for topic in self._topics]
        self._task = asyncio.create_task(self._run(), name=self.name)

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        for unlisten in self._unlisten:
            unlisten()
        await end([self._task])

    async def _run(self) -> None:
        pause = 0.2
        rest = 0.0
        wait = self._look * self._phase
        while True:
            self._wake.clear()
            try:
                begun = time.monotonic()
                more = await self._round()
                rest += (time.monotonic() - begun) * self._rest
                pause = 0.2
            except asyncio.CancelledError:
                raise
            except Exception as error:
                LOOP_FAILURES.labels(self.name).inc()
                if isinstance(error, LOST):
                    log.warning("%s waits for the database: %s", self.name, error)
                else:
                    log.exception("a round of %s failed", self.name)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            if more:
                # Much left to do is no reason to take a second at once from those who are served meanwhile.
                await asyncio.sleep(min(rest, LONGEST_REST))
                rest = 0.0
                continue
            if rest > self._look:
                await asyncio.sleep(min(rest, LONGEST_REST))
            rest = 0.0
            with contextlib.suppress(TimeoutError):
                # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the wake-up.
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            wait = self._look
