"""The two pools: what is asked of the driver once is known at once, all connections are there when the service is, and what nobody waits for
has connections of its own that go after the others."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack

import asyncpg

from scrm.app import running
from scrm.config import Settings
from scrm.db import LISTS, Database
from scrm.gentle import NICENESS
from scrm.services import Services
from tests.company import eventually

ALL_LISTS = "select " + ", ".join(f"array[]::{name}[] = ${n}::{name}[]" for n, name in enumerate(LISTS, 1))


async def asked(connection: object) -> list[str]:
    """What is really asked of the database when a statement has lists of all kinds."""
    said: list[str] = []

    def note(query: object) -> None:
        said.append(str(getattr(query, "query", "")))

    connection.add_query_logger(note)  # type: ignore[attr-defined]
    await connection.fetch(ALL_LISTS, *[[] for _ in LISTS])  # type: ignore[attr-defined]
    return said


async def test_what_a_list_is_was_learnt_when_the_connection_was_opened(database_url: str) -> None:
    bare = await asyncpg.create_pool(database_url, min_size=1, max_size=1)
    db = await Database.open(database_url, size=1)
    try:
        for pool, asks in ((bare, True), (db.pool, False)):
            async with pool.acquire() as connection:
                assert any("typeinfo" in one for one in await asked(connection)) is asks
    finally:
        await bare.close()
        await db.close()


async def test_all_connections_are_opened_when_that_is_asked(database_url: str) -> None:
    db = await Database.open(database_url, size=5)
    try:
        assert db.pool.get_size() == 1
        await db.warm()
        assert (db.pool.get_size(), db.pool.get_idle_size()) == (5, 5)
    finally:
        await db.close()


async def test_what_nobody_waits_for_goes_after_the_others(database_url: str) -> None:
    ahead, behind = await Database.open(database_url, size=1), await Database.open(database_url, size=1, behind=True)
    try:
        pids = [await one.fetchval("select pg_backend_pid()") for one in (ahead, behind)]
        before, after = (os.getpriority(os.PRIO_PROCESS, pid) for pid in pids)
        assert after == max(before, NICENESS)
        # And does not take the place of whoever wakes it.
        assert os.sched_getscheduler(pids[1]) == os.SCHED_BATCH
    finally:
        await ahead.close()
        await behind.close()


async def test_plans_are_made_once_where_that_is_asked(database_url: str) -> None:
    for once, mode in ((False, "auto"), (True, "force_generic_plan")):
        db = await Database.open(database_url, size=1, planned_once=once)
        try:
            assert await db.fetchval("select current_setting('plan_cache_mode')") == mode
        finally:
            await db.close()


async def test_background_work_goes_on_while_requests_hold_all_their_connections(
    services: Services, settings: Settings
) -> None:
    stir = """
    with made as (insert into customer (name) values ('陈晓') returning id)
    insert into customer_stir (customer_id) select id from made
    """
    master = await asyncpg.connect(services.db.url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(master.close)
        await stack.enter_async_context(running(services, "worker"))
        for _ in range(services.db.pool.get_max_size()):
            await stack.enter_async_context(services.db.pool.acquire())
        await master.execute(stir)
        await eventually(lambda: master.fetchval("select not exists (select from customer_stir)"), seconds=30)
