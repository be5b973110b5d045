"""Background tasks end, also those that lose the first request to."""

from __future__ import annotations

import asyncio
import contextlib

from scrm import tasks


async def test_a_task_that_swallows_its_cancellation_is_asked_again() -> None:
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await tasks.end([task])
    assert task.done()
    assert swallowed == 2


async def test_ended_failed_and_missing_tasks_are_no_trouble() -> None:
    async def fails() -> None:
        raise ValueError

    task = asyncio.create_task(fails())
    with contextlib.suppress(ValueError):
        await task
    await tasks.end([None, task])


async def test_whoever_is_cancelled_while_ending_others_is_cancelled() -> None:
    stubborn = asyncio.create_task(_deaf_for(3))
    await asyncio.sleep(0)
    ending = asyncio.create_task(tasks.end([stubborn]))
    await asyncio.sleep(0)
    ending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ending
    assert ending.cancelled()
    await tasks.end([stubborn])


async def _deaf_for(times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
