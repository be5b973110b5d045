"""Reminders: told exactly once by any number of workers that may die at any moment; what is late is told together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from customers.tasks.reminders import remind_due
from scrm.people import create_agent
from scrm.services import Services, Work


async def agent(services: Services, login: str) -> int:
    async with services.work() as work:
        return await create_agent(work, login=login, name=login, role="rep", password="a long password 1")


async def plan(services: Services, agent_id: int, remind_at: datetime, count: int = 1) -> list[int]:
    rows = await services.db.fetch(
        "insert into task (agent_id, text, due_at, remind_before, remind_at, created_by, created_at, updated_at) "
        "select $1, 'x', $2, 10, $3, $1, $3, $3 from generate_series(1, $4) returning id",
        agent_id, remind_at + timedelta(minutes=10), remind_at, count,
    )  # fmt: skip
    return [row["id"] for row in rows]


class Killed(Exception):
    """A process that ends here."""


class Mortal(Services):
    """Its units of work end with the process."""

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        async with self.db.transaction() as tx:
            yield Work(tx, self.clock.now())
            raise Killed


async def test_two_workers_that_die_tell_each_task_once(services: Services) -> None:
    now = datetime.now(UTC)
    people = [await agent(services, f"rep{n}") for n in range(12)]
    tasks = {
        task for n, one in enumerate(people) for task in await plan(services, one, now - timedelta(seconds=n), count=5)
    }
    rounds = 0

    async def worker(name: int) -> None:
        nonlocal rounds
        while await services.db.fetchval("select exists (select from task where remind_at <= now())"):
            rounds += 1
            if (rounds + name) % 3 == 0:
                with suppress(Killed):
                    await dies_before_commit(services)
            else:
                await remind_due(services)

    await asyncio.gather(worker(0), worker(1))
    told = await services.db.fetch("select task_id, agent_id from notification where kind = 'task_due'")
    assert Counter(row["task_id"] for row in told) == Counter(tasks)
    assert await services.db.fetchval("select count(*) from task where reminded_at is null") == 0


async def dies_before_commit(services: Services) -> None:
    """A round whose process ends after everything is written and before it is committed."""
    await remind_due(Mortal(**{one.name: getattr(services, one.name) for one in fields(services)}))


@pytest.mark.parametrize("count", [2, 40])
async def test_what_is_late_after_a_downtime_is_told_in_one_notice(services: Services, count: int) -> None:
    now = datetime.now(UTC)
    me = await agent(services, "rep")
    await plan(services, me, now - timedelta(hours=3), count)
    (fresh,) = await plan(services, me, now - timedelta(seconds=5))
    await asyncio.gather(*(remind_due(services) for _ in range(4)))
    told = await services.db.fetch("select task_id, data from notification where agent_id = $1 order by id", me)
    assert [(row["task_id"], row["data"].get("count")) for row in told] == [(None, count), (fresh, None)]


async def test_who_is_locked_out_is_told_nothing_and_whoever_takes_over_is(services: Services) -> None:
    now = datetime.now(UTC)
    gone, taker = await agent(services, "gone"), await agent(services, "taker")
    (task,) = await plan(services, gone, now - timedelta(seconds=1))
    await services.db.execute("update agent set disabled_at = now() where id = $1", gone)
    await remind_due(services)
    assert await services.db.fetchval("select count(*) from notification") == 0
    await services.db.execute("update task set agent_id = $1 where id = $2", taker, task)
    await remind_due(services)
    assert await services.db.fetchval("select agent_id from notification") == taker


async def test_done_and_deleted_are_not_reminded_of(services: Services) -> None:
    now = datetime.now(UTC)
    me = await agent(services, "rep")
    done, hidden = await plan(services, me, now - timedelta(seconds=1), 2)
    await services.db.execute("update task set state = 'done' where id = $1", done)
    whose = await services.db.fetchval("insert into customer (name, deleted_at) values ('x', now()) returning id")
    await services.db.execute("update task set customer_id = $1 where id = $2", whose, hidden)
    await remind_due(services)
    assert await services.db.fetchval("select count(*) from notification") == 0
