"""Background loops: they go on while there is work, keep to their share of the time, and outlive their errors."""

from __future__ import annotations

import asyncio
import itertools
import time

from scrm.bus import MemoryBus
from scrm.loops import Loop

ROUND = 0.02


async def test_a_loop_with_a_share_rests_between_rounds_though_there_is_much_to_do() -> None:
    begun: list[float] = []
    enough = asyncio.Event()

    async def round_() -> bool:
        begun.append(time.monotonic())
        await asyncio.sleep(ROUND)
        if len(begun) == 4:
            enough.set()
        return True

    loop = Loop("modest", round_, share=0.25)
    loop.start()
    await asyncio.wait_for(enough.wait(), 20)
    await loop.stop()
    # A quarter of the time: each round is followed by three times as long without one.
    assert all(later - before >= 4 * ROUND * 0.9 for before, later in itertools.pairwise(begun))


async def test_a_loop_without_a_share_goes_on_at_once_and_ends_between_two_rounds() -> None:
    rounds = 0
    done = asyncio.Event()

    async def round_() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 1000:
            done.set()
        return rounds < 1000

    loop = Loop("eager", round_, look=3600)
    loop.start()
    await asyncio.wait_for(done.wait(), 20)
    await loop.stop()
    assert rounds == 1000


async def test_a_ring_wakes_a_loop_that_waits_and_an_error_does_not_end_it() -> None:
    bus = MemoryBus()
    rounds: asyncio.Queue[int] = asyncio.Queue()
    number = 0

    async def round_() -> bool:
        nonlocal number
        number += 1
        rounds.put_nowait(number)
        if number == 1:
            raise ValueError("the first one fails")
        return False

    loop = Loop("woken", round_, bus=bus, topics=("work",), look=3600)
    loop.start()
    assert [await asyncio.wait_for(rounds.get(), 20) for _ in range(2)] == [1, 2]
    while rounds.empty():
        await bus.ring("work", [1])
        await asyncio.sleep(0.01)
    assert await rounds.get() == 3
    await loop.stop()
