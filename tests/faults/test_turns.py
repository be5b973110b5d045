"""Routers, clocks and counting in several processes at once, and killed in the middle: everything happens exactly once."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path

from customers.reports import sums
from customers.rules import watch
from inbox import rules, sla
from inbox.figures import fold
from inbox.figures_command import check_figures
from inbox.routing import Router
from inbox.rulebook import FLOW, FlowSettings
from scrm.clock import ManualClock
from scrm.config import Settings
from scrm.people import create_agent
from scrm.permissions import OF_ROLE, Principal
from scrm.services import Services
from tests.faults.machines import machine

WAITING, REPS, CAPACITY = 300, 4, 50


async def _scene(services: Services) -> None:
    db, now = services.db, services.clock.now()
    connection = await db.fetchval(
        "insert into connection (provider, key, name, secrets) values ('wecom', 'abcdefgh12', 'x', '') returning id"
    )
    account = await db.fetchval(
        "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_kf', 'kf1', '售前') returning id",
        connection,
    )
    customer = await db.fetchval("insert into customer (name) values ('客户') returning id")
    await db.execute(
        "with people as (insert into contact (connection_id, external_id, customer_id) select $1, 'wm' || n, $2 "
        "from generate_series(1, $5::int) n returning id) "
        "insert into conversation (account_id, contact_id, route_state, waiting_since, last_message_at, unread, last_seq) "
        "select $3, id, 'due', $4, $4, 0, 0 from people",
        connection, customer, account, now, WAITING,
    )  # fmt: skip
    async with services.work() as work:
        await FLOW.save(work, FlowSettings(capacity=CAPACITY, absent_minutes=0), by=None)
        agents = [
            await create_agent(work, login=f"rep{n}", name=f"rep{n}", role="rep", password="a long password 1")
            for n in range(REPS)
        ]
        boss = Principal(agents[0], "rep0", "rep0", "admin", OF_ROLE["admin"], "all", "zh-CN", (), None, None)
        await rules.create(work, boss, "assignment", "轮流", True, {"action": "round_robin", "otherwise": "queue"})
        await rules.create(work, boss, "sla", "一分钟", True, {"first_seconds": 60, "warn_seconds": 30})


async def _run(machines: list[Services]) -> None:
    """All loops of all processes at once; some are cut off in the middle, as a kill does."""
    chance = random.Random(3)

    async def one(services: Services) -> None:
        router = Router(services)
        for _ in range(6):
            for act in (router.round, lambda: sla.look(services), lambda: fold(services)):
                task = asyncio.ensure_future(act())
                if chance.random() < 0.4:
                    await asyncio.sleep(chance.uniform(0, 0.02))
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(one(services) for services in machines))
    for services in machines:
        while await Router(services).round():
            pass
        while await sla.look(services):
            pass
        while await fold(services):
            pass


async def test_several_processes_decide_once_and_kill_nothing(settings: Settings, tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        machine(settings, tmp_path, clock) as first,
        machine(settings, tmp_path, clock) as second,
        machine(settings, tmp_path, clock) as third,
    ):
        machines = [first, second, third]
        await _scene(first)
        await _run(machines)
        db = first.db
        shares = await db.fetch(
            "select assignee_id, count(*) as n from conversation where assignee_id is not null group by 1"
        )
        assert sorted(row["n"] for row in shares) == [CAPACITY] * REPS
        assert (
            await db.fetchval("select count(*) from conversation where route_state = 'queued'")
            == WAITING - REPS * CAPACITY
        )
        assert await _twice(first, "assigned") == 0
        assert await db.fetchval("select count(*) from conversation_event where kind = 'sla_started'") == WAITING
        clock.advance(timedelta(seconds=31))
        await _run(machines)
        assert await db.fetchval("select count(*) from notification where kind = 'sla_warning'") == REPS * CAPACITY
        clock.advance(timedelta(seconds=30))
        await _run(machines)
        assert await db.fetchval("select count(*) from conversation_event where kind = 'sla_breached'") == WAITING
        assert await _twice(first, "sla_breached") == 0
        # Somebody has room again: the queue moves, and nobody is moved twice.
        await db.execute(
            "update conversation set status = 'closed' where assignee_id = (select min(assignee_id) from conversation)"
        )
        await _run(machines)
        assert (
            await db.fetchval("select count(*) from conversation where route_state = 'queued'")
            == WAITING - (REPS + 1) * CAPACITY
        )
        assert await _twice(first, "assigned") == 0
        while await watch.round_of(first) or await sums.fold(first):
            pass
        report = await check_figures(first, None, None)
        assert (report.differences, report.uncounted) == ([], 0)
        assert await db.fetchval("select sum(sla_breached) from figure_day") == WAITING


async def _twice(services: Services, kind: str) -> int:
    found: int = await services.db.fetchval(
        "select count(*) from (select conversation_id from conversation_event where kind = $1 group by 1 having count(*) > 1) t",
        kind,
    )
    return found
