"""Work that nobody waits for: it gives way, to other processes and inside of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scrm.gentle import NICENESS, SLICE, for_each, go_after_others


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process with a session of its own."""
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process.pid
        process.kill()


def test_a_process_goes_after_others_in_every_way_the_machine_knows(sleeper: int) -> None:
    go_after_others(sleeper)
    assert os.getpriority(os.PRIO_PROCESS, sleeper) == max(os.getpriority(os.PRIO_PROCESS, 0), NICENESS)
    assert os.sched_getscheduler(sleeper) == os.SCHED_BATCH
    group = Path(f"/proc/{sleeper}/autogroup")
    if group.exists() and os.geteuid() == 0:
        assert group.read_text().strip().endswith(f"nice {NICENESS}")
    facts = Path(f"/proc/{sleeper}/sched")
    slices = [line for line in facts.read_text().splitlines() if line.startswith("se.slice")] if facts.exists() else []
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if slices and release >= (6, 12):
        assert int(slices[0].split(":")[1]) == SLICE


def test_who_is_last_already_stays_last(sleeper: int) -> None:
    os.setpriority(os.PRIO_PROCESS, sleeper, 19)
    go_after_others(sleeper)
    assert os.getpriority(os.PRIO_PROCESS, sleeper) == 19
    assert os.sched_getscheduler(sleeper) == os.SCHED_BATCH


def test_a_session_of_others_is_left_alone() -> None:
    """A process that is one of many in its session does not make the others wait."""
    group = Path("/proc/self/autogroup")
    if not group.exists():
        pytest.skip("this kernel knows no groups of sessions")
    before = group.read_text()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        go_after_others(process.pid)
        process.kill()
    assert group.read_text() == before


async def test_others_are_served_while_much_is_computed() -> None:
    served = 0

    async def others() -> None:
        nonlocal served
        while True:
            await asyncio.sleep(0)
            served += 1

    async with asyncio.TaskGroup() as group:
        task = group.create_task(others())
        assert await for_each(range(40), _slowly) == [n * 2 for n in range(40)]
        task.cancel()
    assert served > 20, "forty pieces of a millisecond, and a turn of the others between any two"


def _slowly(number: int) -> int:
    until = time.perf_counter() + 0.001
    while time.perf_counter() < until:
        pass
    return number * 2


async def test_what_cannot_be_computed_says_so() -> None:
    with pytest.raises(ZeroDivisionError):
        await for_each([1, 0], lambda number: 1 // number)
    assert await for_each([], _slowly) == []
