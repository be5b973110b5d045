"""Jobs whose runner dies, jobs that fail, and many who want to do the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from scrm import jobs
from scrm.clock import ManualClock
from scrm.config import Settings
from scrm.jobs import MOST_ATTEMPTS, Job, JobRunner
from scrm.services import Services
from scrm.ticker import Tick, Ticker
from tests.faults.machines import machine

KIND = "test"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def one(settings: Settings, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    async with machine(settings, tmp_path, clock) as made:
        yield made


@pytest.fixture
async def two(settings: Settings, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    async with machine(settings, tmp_path, clock) as made:
        yield made


async def put(services: Services, *keys: str) -> None:
    async with services.work() as work:
        await jobs.put(work, KIND, keys, [{} for _ in keys])


async def state(services: Services) -> tuple[str, int, str | None]:
    row = await services.db.fetchrow("select state, attempts, error from job")
    assert row is not None
    return row["state"], row["attempts"], row["error"]


async def test_a_dead_runners_job_is_taken_over(one: Services, two: Services, clock: ManualClock) -> None:
    """The first never comes back from it; the second waits for the lease and no longer, and its word is what counts."""
    started, done = asyncio.Event(), Counter[str]()

    async def hangs(_: Services, job: Job) -> None:
        started.set()
        await asyncio.Event().wait()

    async def works(_: Services, job: Job) -> None:
        done[job.dedupe_key] += 1

    await put(one, "a")
    dying = asyncio.create_task(JobRunner(one, {KIND: hangs}).round())
    await started.wait()
    dying.cancel()  # as a kill: nothing is written
    await asyncio.gather(dying, return_exceptions=True)
    second = JobRunner(two, {KIND: works})
    assert await second.round() is False, "its lease still runs"
    clock.advance(timedelta(seconds=one.settings.worker.lease_seconds + 1))
    assert await second.round() is True
    assert (done["a"], await state(two)) == (1, ("done", 2, None))
    assert await second.round() is False


async def test_who_lost_the_lease_has_nothing_to_say(one: Services, two: Services, clock: ManualClock) -> None:
    """A runner that was only slow comes back after another one has taken the job: its failure is not the job's."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Services, job: Job) -> None:
        begun.set()
        await go_on.wait()
        raise RuntimeError("late and wrong")

    async def works(_: Services, job: Job) -> None:
        return None

    await put(one, "a")
    late = asyncio.create_task(JobRunner(one, {KIND: slow}).round())
    await begun.wait()
    clock.advance(timedelta(seconds=one.settings.worker.lease_seconds + 1))
    assert await JobRunner(two, {KIND: works}).round() is True
    go_on.set()
    await late
    assert await state(two) == ("done", 2, None)


async def test_no_job_runs_twice_at_once(one: Services, two: Services) -> None:
    runs, running = Counter[str](), Counter[str]()

    async def handler(_: Services, job: Job) -> None:
        running[job.dedupe_key] += 1
        assert running[job.dedupe_key] == 1
        await asyncio.sleep(0)
        runs[job.dedupe_key] += 1

    async def drain(services: Services) -> None:
        runner = JobRunner(services, {KIND: handler})
        while await runner.round():
            pass

    await put(one, *[str(n) for n in range(100)])
    await asyncio.gather(*[drain(services) for services in (one, two) for _ in range(4)])
    assert runs == Counter({str(n): 1 for n in range(100)})


async def test_a_job_that_kills_its_runners_is_given_up(one: Services, clock: ManualClock) -> None:
    """A file that makes the process run out of memory must not end every process for ever."""
    runs = 0

    async def deadly(_: Services, job: Job) -> None:
        nonlocal runs
        runs += 1
        raise asyncio.CancelledError

    await put(one, "a")
    runner = JobRunner(one, {KIND: deadly})
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(asyncio.CancelledError):
            await runner.round()
        clock.advance(timedelta(seconds=one.settings.worker.lease_seconds + 1))
    assert await runner.round() is True
    found, _, error = await state(one)
    assert (found, runs) == ("failed", MOST_ATTEMPTS)
    assert error is not None
    assert "ended before" in error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ConnectionResetError(), TimeoutError()])
async def test_a_full_disk_fails_the_job_visibly(one: Services, clock: ManualClock, error: Exception) -> None:
    """These look like a lost database, which a job waits out; but the database is there, and somebody has to act."""

    async def fails(_: Services, job: Job) -> None:
        raise error

    await put(one, "a")
    runner = JobRunner(one, {KIND: fails})
    for _ in range(MOST_ATTEMPTS):
        assert await runner.round() is True
        clock.advance(timedelta(hours=1))
    found, attempts, said = await state(one)
    assert (found, attempts) == ("failed", MOST_ATTEMPTS)
    assert said is not None
    assert type(error).__name__ in said


async def test_clocks_that_differ_make_one_job_a_moment(settings: Settings, tmp_path: Path) -> None:
    """Two tickers, one 0.4 s ahead: each moment is one job, whoever comes first and however often."""
    early, late = ManualClock(), ManualClock()
    early.advance(timedelta(seconds=0.4))
    async with machine(settings, tmp_path, early) as first, machine(settings, tmp_path, late) as second:
        tick = Tick(KIND, 10)
        tickers = [(early, Ticker(first, {KIND: 10})), (late, Ticker(second, {KIND: 10}))]
        moments = set()
        for _ in range(60):
            for clock, ticker in tickers:
                moments.add(int(clock.now().timestamp()) // 10)
                await asyncio.gather(ticker.put(tick), ticker.put(tick))
                clock.advance(timedelta(seconds=1))
        keys = [row["dedupe_key"] for row in await first.db.fetch("select dedupe_key from job order by id")]
    assert sorted(keys) == sorted(f"10:{moment}" for moment in moments)
    assert len(moments) in (6, 7, 8)


async def test_a_finished_jobs_key_is_not_taken_again(one: Services) -> None:
    done = 0

    async def works(_: Services, job: Job) -> None:
        nonlocal done
        done += 1

    runner = JobRunner(one, {KIND: works})
    for _ in range(3):
        await put(one, "a")
        while await runner.round():
            pass
    assert done == 1
