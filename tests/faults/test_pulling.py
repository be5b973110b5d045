"""Streams read by cursor: nothing is skipped, whoever dies at whatever moment."""

from __future__ import annotations

import asyncio
import base64
import random
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from scrm.channel import PullRequested
from scrm.clock import ManualClock
from scrm.config import Settings
from scrm.db import Row
from scrm.normalise import ring_streams
from scrm.pulling import Puller, StreamFinder
from scrm.services import Services
from simulator.faults import Fault
from tests.company import Company, company
from tests.faults.machines import machine, until

SYNC = "/cgi-bin/kf/sync_msg"


class Pullers:
    """A company in which nobody pulls but the test, on two machines with one clock."""

    def __init__(self, shop: Company, clock: ManualClock, one: Services, two: Services) -> None:
        self.shop, self.clock, self.one, self.two = shop, clock, one, two

    async def stream(self) -> Row:
        row = await self.one.db.fetchrow("select * from pull_stream")
        assert row is not None
        return row

    async def kept(self) -> int:
        return int(await self.one.db.fetchval("select count(*) from inbound_event where source <> 'webhook'"))

    async def ring(self) -> None:
        row = await self.stream()
        async with self.one.work() as work:
            await ring_streams(work, row["connection_id"], [PullRequested(row["stream"], "")])

    def say(self, count: int) -> None:
        who = self.shop.customer("买家")
        self.shop.wecom.control.customers_say(self.shop.kf, [[who, f"第{n}句"] for n in range(count)])

    def lease_is_over(self) -> None:
        self.clock.advance(timedelta(seconds=self.one.settings.worker.lease_seconds + 1))


@pytest.fixture
async def pullers(settings: Settings, tmp_path: Path) -> AsyncIterator[Pullers]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(company(settings, role="web"))
        one = await stack.enter_async_context(machine(shop.services.settings, tmp_path, clock))
        two = await stack.enter_async_context(machine(shop.services.settings, tmp_path, clock))
        await StreamFinder(one).round()
        await one.db.execute("update pull_stream set due_at = $1", clock.now())
        yield Pullers(shop, clock, one, two)


async def in_the_middle(pullers: Pullers, seconds: float = 60.0) -> asyncio.Task[bool]:
    """A pull whose question has reached the platform and is not answered yet."""
    fault = pullers.shop.wecom.faults.add(Fault("delay", SYNC, seconds=seconds))
    task = asyncio.create_task(Puller(pullers.one).round())
    await until(lambda: fault.hits == 1)
    return task


async def test_a_ring_during_a_pull_is_not_lost(pullers: Pullers) -> None:
    """The pull may have looked just before the message came; so it answers only the rings that were there when it began."""
    await pullers.ring()
    pull = await in_the_middle(pullers, seconds=0.5)
    await pullers.ring()
    assert await pull is True
    row = await pullers.stream()
    assert (row["rings"], row["answered"]) == (2, 1)
    pullers.say(3)
    assert await Puller(pullers.two).round() is True
    row = await pullers.stream()
    assert (row["rings"], row["answered"], await pullers.kept()) == (2, 2, 3)
    assert await Puller(pullers.two).round() is False


async def test_a_killed_pullers_lease_runs_out(pullers: Pullers) -> None:
    pullers.say(5)
    pull = await in_the_middle(pullers)
    pull.cancel()
    await asyncio.gather(pull, return_exceptions=True)
    pullers.shop.wecom.faults.clear()
    assert await Puller(pullers.two).round() is False, "the dead one's lease still runs"
    pullers.lease_is_over()
    assert await Puller(pullers.two).round() is True
    assert await pullers.kept() == 5


async def test_a_puller_that_was_only_slow_changes_nothing(pullers: Pullers) -> None:
    """Its lease ran out and another one pulled: the late answer moves neither cursor nor rows."""
    pullers.say(5)
    late = await in_the_middle(pullers, seconds=1.0)
    pullers.lease_is_over()
    assert await Puller(pullers.two).round() is True
    pullers.say(4)
    before = await pullers.stream()
    await late
    after = await pullers.stream()
    assert (after["cursor"], after["answered"], await pullers.kept()) == (before["cursor"], before["answered"], 5)
    await pullers.ring()
    assert await Puller(pullers.two).round() is True
    assert await pullers.kept() == 9


async def test_two_pullers_share_no_stream(pullers: Pullers) -> None:
    pullers.say(30)
    await pullers.ring()
    pullers.shop.wecom.faults.add(Fault("delay", SYNC, seconds=0.2, times=None))
    rounds = await asyncio.gather(*[Puller(machine).round() for machine in (pullers.one, pullers.two) * 3])
    assert sorted(rounds) == [False] * 5 + [True]
    assert await pullers.kept() == 30


@pytest.mark.parametrize("seed", range(3))
async def test_the_cursor_is_never_ahead_of_the_rows(pullers: Pullers, seed: int) -> None:
    """Pages of seven, pullers killed at random moments: at every look the cursor stands exactly behind what is kept."""
    chance = random.Random(seed)
    pullers.shop.wecom.control.empty_pages(pullers.shop.kf, 0, page_cap=7)
    pullers.say(200)
    pullers.shop.wecom.faults.add(Fault("delay", SYNC, seconds=0.002, times=None))
    kills = 0
    while await pullers.kept() < 200:
        pull = asyncio.create_task(Puller(chance.choice((pullers.one, pullers.two))).round())
        await asyncio.wait([pull], timeout=chance.uniform(0, 0.05))
        kills += not pull.done()
        pull.cancel()
        await asyncio.gather(pull, return_exceptions=True)
        row = await pullers.one.db.fetchrow(
            "select cursor, (select count(*) from inbound_event where source = s.stream) as kept from pull_stream s"
        )
        assert row is not None
        assert position(row["cursor"]) == row["kept"]
        pullers.lease_is_over()
        await pullers.ring()
    assert await pullers.kept() == 200
    assert kills > 2


def position(cursor: str) -> int:
    """Of the simulated platform: how many items are behind it."""
    if not cursor:
        return 0
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return int(struct.unpack(">Q", raw[:8])[0])
