"""What sleeps is woken once: by whichever process comes first, also when another one dies over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from inbox import snooze
from inbox.snooze import AT_ONCE, wake_due
from scrm.clock import ManualClock
from scrm.config import Settings
from scrm.services import Services
from tests.company import eventually
from tests.faults.machines import machine
from tests.flows.reads import broken_invariants
from tests.http.site import Site


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


async def sleeping(services: Services, number: int) -> int:
    """So many, all due in an hour and an agent's; returns the agent."""
    site = Site(services, "", [])
    agent = await site.agent("rep")
    account = await site.account(await site.connection())
    await services.db.execute(
        "insert into conversation (account_id, group_key, status, snoozed_until, assignee_id) "
        "select $1, 'g' || n, 'snoozed', $2::timestamptz, $3::bigint from generate_series(1, $4::int) n",
        account, services.clock.now() + timedelta(hours=1), agent, number,
    )  # fmt: skip
    return agent


async def figures(services: Services) -> dict[str, int]:
    row = await services.db.fetchrow(
        "select (select count(*) from conversation where status = 'snoozed') as asleep, "
        "(select count(*) from conversation where status = 'open' and snoozed_until is null) as awake, "
        "(select count(*) from conversation_event where kind = 'woke') as events, "
        "(select count(*) from notification where kind = 'woke') as notices"
    )
    assert row is not None
    return dict(row)


async def test_nothing_is_woken_before_its_time(one: Services, clock: ManualClock) -> None:
    await sleeping(one, 1)
    clock.advance(timedelta(minutes=59))
    assert await wake_due(one) is False
    assert await figures(one) == {"asleep": 1, "awake": 0, "events": 0, "notices": 0}
    clock.advance(timedelta(minutes=1))
    await wake_due(one)
    assert await figures(one) == {"asleep": 0, "awake": 1, "events": 1, "notices": 1}


async def test_what_a_dead_process_held_is_woken_by_the_next(one: Services, two: Services, clock: ManualClock) -> None:
    await sleeping(one, 3)
    clock.advance(timedelta(hours=2))
    url = one.settings.database.url
    assert url is not None
    dying = await asyncpg.connect(url.get_secret_value())
    await dying.execute("begin")
    held = await dying.fetch(snooze.DUE, clock.now(), AT_ONCE)
    assert len(held) == 3
    await dying.execute("update conversation set status = 'open' where status = 'snoozed'")
    # It is at work on them: nobody waits for it, and nobody does it a second time.
    assert await wake_due(two) is False
    assert (await figures(two))["asleep"] == 3
    dying.terminate()

    async def free() -> bool:
        return bool(
            await two.db.fetchval("select count(*) = 3 from (select from conversation for update skip locked) c")
        )

    await eventually(free)
    await wake_due(two)
    await wake_due(one)
    assert await figures(two) == {"asleep": 0, "awake": 3, "events": 3, "notices": 3}
    assert await broken_invariants(two.db) == []


async def test_many_at_once_by_two_processes_are_woken_once_each(
    one: Services, two: Services, clock: ManualClock
) -> None:
    await sleeping(one, AT_ONCE + 150)
    clock.advance(timedelta(hours=2))

    async def until_done(services: Services) -> None:
        while (await figures(services))["asleep"]:
            await wake_due(services)

    await asyncio.gather(*[until_done(services) for services in (one, two, one, two)])
    number = AT_ONCE + 150
    assert await figures(one) == {"asleep": 0, "awake": number, "events": number, "notices": number}
    assert await broken_invariants(one.db) == []
