"""What goes wrong meanwhile. Each of these runs until it has done its ``times`` and somebody sets ``enough``.

Moments are random, but counted in webhooks that the service has accepted and not in seconds: on a slow machine a process would
otherwise be killed before it has done anything, and such a run proves nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos.processes import Server
from tests.chaos.site import Site

PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Pace:
    """``times`` at least, about every ``every`` accepted webhooks, of which ``accepted`` says how many there were."""

    times: int
    every: float
    accepted: Callable[[], int]
    seed: int


class Mayhem:
    """Does a bad thing again and again."""

    what = ""

    def __init__(self, pace: Pace) -> None:
        self.done: Counter[str] = Counter()
        self.enough = asyncio.Event()
        self._pace = pace
        self._random = random.Random(pace.seed)

    @property
    def did_its_part(self) -> bool:
        return sum(self.done.values()) >= self._pace.times

    async def run(self) -> None:
        while not (self.did_its_part and self.enough.is_set()):
            await self._moment()
            self.done[await self._harm()] += 1

    async def _moment(self) -> None:
        """Somewhere between at once and twice the usual distance; when nothing is accepted, after a while all the same."""
        loop = asyncio.get_running_loop()
        until = self._pace.accepted() + self._random.uniform(0, 2 * self._pace.every)
        deadline = loop.time() + PATIENCE_SECONDS
        while self._pace.accepted() < until and loop.time() < deadline and not self._ended():
            await asyncio.sleep(0.005)

    def _ended(self) -> bool:
        return self.did_its_part and self.enough.is_set()

    async def _harm(self) -> str:
        """Does it once, and waits until it can be done again; returns to whom."""
        raise NotImplementedError


class Killing(Mayhem):
    """SIGKILL for a random one of ``servers`` while it is running; now and then also while it is starting, which does not count."""

    what = "SIGKILL"

    def __init__(self, servers: Sequence[Server], pace: Pace) -> None:
        super().__init__(pace)
        self._servers = servers

    async def _harm(self) -> str:
        victim = self._random.choice(self._servers)
        await victim.wait_up()
        victim.kill()
        if self._random.random() < 0.15:
            await asyncio.sleep(self._random.uniform(0.2, 1.5))
            victim.kill()
        await victim.wait_up()
        return victim.role


class DatabaseRestarts(Mayhem):
    """The server is stopped without a checkpoint and recovers from its log, as after a power cut."""

    what = "PostgreSQL restart"

    def __init__(self, site: Site, pace: Pace) -> None:
        super().__init__(pace)
        self._site = site

    async def _harm(self) -> str:
        mode = self._random.choice(("immediate", "immediate", "fast"))
        await self._site.restart_database(mode)
        return mode


class RedisAway(Mayhem):
    """Redis dies with all it knows, is away for a while, and comes back empty."""

    what = "Redis stop and start"

    def __init__(self, site: Site, pace: Pace, *, away: float = 2.5) -> None:
        super().__init__(pace)
        self._site = site
        self._away = away

    async def _harm(self) -> str:
        redis = self._site.redis
        assert redis is not None, "this scenario has no Redis"
        await asyncio.to_thread(redis.stop)
        await asyncio.sleep(self._random.uniform(0.2, self._away))
        await asyncio.to_thread(redis.start)
        return "stop"
