"""Nothing is passed over, in whatever order what was written is committed."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from audit.following import next_stretch, safe_ceiling
from scrm.services import Services
from scrm.trail import RECORD

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LINE = (AT, None, "session.opened", "", None, "", {})


async def ceiling(services: Services) -> int:
    async with services.work() as work:
        return await safe_ceiling(work.tx, "audit_event")


async def newest(services: Services) -> int:
    return int(await services.db.fetchval("select coalesce(max(id), 0) from audit_event"))


async def test_an_id_is_passed_when_every_smaller_one_is_written_or_given_up(services: Services) -> None:
    async with services.db.pool.acquire() as slow, services.db.pool.acquire() as lost:
        first, second = slow.transaction(), lost.transaction()
        await first.start()
        await slow.execute(RECORD, *LINE)
        await second.start()
        await lost.execute(RECORD, *LINE)
        await services.db.execute(RECORD, *LINE)
        top = await newest(services)
        below = await ceiling(services)
        assert below < top
        assert await ceiling(services) == below
        await second.rollback()
        assert await ceiling(services) == below
        await first.commit()
    assert await ceiling(services) == top


async def test_a_writer_with_an_id_and_no_number_of_its_own_yet_is_waited_for(services: Services) -> None:
    """Between the id of a row and the row a writer has no number by which it could be told from one that comes later."""
    await services.db.execute(RECORD, *LINE)
    async with services.db.pool.acquire() as slow:
        before = slow.transaction()
        await before.start()
        await slow.execute("lock table audit_event in row exclusive mode")
        drawn = await slow.fetchval("select nextval(pg_get_serial_sequence('audit_event', 'id'))")
        assert await slow.fetchval("select pg_current_xact_id_if_assigned()") is None
        await services.db.execute(RECORD, *LINE)
        assert await newest(services) > drawn
        for _ in range(3):
            assert await ceiling(services) < drawn
        await slow.execute(
            "insert into audit_event (id, at, action) overriding system value values ($1, now(), 'session.opened')",
            drawn,
        )
        await before.commit()
    assert await ceiling(services) == await newest(services)


async def test_nobody_waits_for_a_reader_that_takes_long_over_its_rows(services: Services) -> None:
    await services.db.execute(RECORD, *LINE)
    before = await ceiling(services)
    await services.db.execute(RECORD, *LINE)
    async with services.work() as slow, services.work() as other:
        assert await safe_ceiling(slow.tx, "audit_event") > before
        await other.tx.execute("set local lock_timeout = '1s'")
        assert await safe_ceiling(other.tx, "audit_event") == before


async def test_readers_get_every_row_once(services: Services) -> None:
    chance = random.Random(7)
    open_ones: list[tuple[Any, Any]] = []
    read: list[int] = []

    async def look() -> None:
        async with services.work() as work:
            stretch = await next_stretch(work, "a reader", "audit_event", at_once=7)
            if stretch is not None:
                rows = await work.tx.fetch(
                    "select id from audit_event where id > $1 and id <= $2 order by id", stretch.after, stretch.until
                )
                read.extend(row["id"] for row in rows)

    for _ in range(150):
        if len(open_ones) < 5 and chance.random() < 0.6:
            connection = await services.db.pool.acquire()
            transaction = connection.transaction()
            await transaction.start()
            for _ in range(chance.randint(1, 3)):
                await connection.execute(RECORD, *LINE)
            open_ones.append((connection, transaction))
        elif open_ones:
            connection, transaction = open_ones.pop(chance.randrange(len(open_ones)))
            await (transaction.commit() if chance.random() < 0.8 else transaction.rollback())
            await services.db.pool.release(connection)
        await look()
    for connection, transaction in open_ones:
        await transaction.commit()
        await services.db.pool.release(connection)
    for _ in range(200):
        await look()
    there = [row["id"] for row in await services.db.fetch("select id from audit_event order by id")]
    assert len(there) > 50
    assert read == there


async def test_a_reader_that_begins_now_does_not_begin_behind_what_is_still_being_written(services: Services) -> None:
    async def look() -> int:
        async with services.work() as work:
            stretch = await next_stretch(work, "a reader", "audit_event", at_once=100, from_now=True)
            return stretch.until - stretch.after if stretch is not None else 0

    place = "select last_id from reading_place where name = 'a reader'"
    async with services.db.pool.acquire() as slow:
        writing = slow.transaction()
        await writing.start()
        await slow.execute(RECORD, *LINE)
        await services.db.execute(RECORD, *LINE)
        for _ in range(2):
            assert await look() == 0
            assert await services.db.fetchval(place) is None
        await writing.commit()
    assert await look() == 0
    assert await services.db.fetchval(place) == await newest(services)
    await services.db.execute(RECORD, *LINE)
    assert await look() == 1


async def test_what_is_undone_comes_again(services: Services) -> None:
    await services.db.execute(RECORD, *LINE)

    async def look(*, fails: bool) -> int | None:
        try:
            async with services.work() as work:
                stretch = await next_stretch(work, "a reader", "audit_event", at_once=100)
                if fails:
                    raise LookupError
                return stretch.until if stretch is not None else None
        except LookupError:
            return None

    assert await look(fails=False) is None
    assert await look(fails=True) is None
    assert await look(fails=False) == await newest(services)
    assert await look(fails=False) is None
