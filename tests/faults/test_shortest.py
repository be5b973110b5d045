"""A few ordinary messages in one statement: taken when nothing has changed since they were looked at, and the usual way otherwise."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from inbox import rows
from inbox.receive import receive
from scrm.channel import AccountRef, ContactRef, MessageRecalled, Verified
from scrm.normalise import LOCK_SPACE, Batch, Handler, Item
from scrm.services import Work
from tests.company import Company
from tests.faults.place import Place, body, place_of
from tests.flows.reads import broken_invariants

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
WHO = """
select c.id, a.channel, a.external_id as account, k.external_id as contact
from conversation c join account a on a.id = c.account_id join contact k on k.id = c.contact_id
"""
ELSEWHERE = "insert into inbound_event (connection_id, source, dedupe_key, body) values ($1, 'webhook', 'b', $2)"
SAID = "select seq, text, platform_message_id, recalled_at is not null as recalled from message order by conversation_id, seq"


async def refuse(work: Work, batch: Batch) -> None:
    raise ValueError("the usual way")


@asynccontextmanager
async def only_the_shortest(greeted: Company, others: Sequence[Handler] = ()) -> AsyncIterator[Place]:
    """On the usual way everything fails, and is left as new."""
    async with place_of(greeted, [refuse], others=others) as made:
        yield made


async def said(place: Place) -> list[tuple[int, str]]:
    return [(row["seq"], row["text"]) for row in await place.services.db.fetch(SAID)]


async def blocked(place: Place) -> None:
    async with asyncio.timeout(10):
        while not await place.services.db.fetchval(WAITING):
            await asyncio.sleep(0.002)


async def test_ordinary_messages_take_it(greeted: Company) -> None:
    async with only_the_shortest(greeted) as place:
        await place.store("second", body=body(1, "在吗"))
        several = [Verified(body(n, f"第{n}句"), f"said-{n}") for n in range(2, 6)]
        await asyncio.gather(*(place.intake.store(place.connection_id, one) for one in several))
        assert {state[1:] for state in await place.states()} == {("done", 1, True)}
        assert await said(place) == [(1, "你好"), (2, "在吗"), *((n + 1, f"第{n}句") for n in range(2, 6))]
        linked = "select count(*) from message m join inbound_event e on e.id = m.inbound_event_id"
        assert await place.services.db.fetchval(linked) == 5
        assert await broken_invariants(place.services.db) == []


@pytest.mark.parametrize("what", ["new", "picture", "renamed", "twice", "heard", "closed"])
async def test_whatever_is_more_goes_the_usual_way(greeted: Company, what: str) -> None:
    async with only_the_shortest(greeted) as place:
        message = body(1, "在吗")
        if what == "new":
            message = body(1, "在吗", who="别人")
        elif what == "picture":
            message = body(1, "", kind="image", resource_url="https://example.com/a.jpg", resource_type="image")
        elif what == "renamed":
            people = [{"open_id": "周航", "nick_name": "周船", "avatar": ""}]
            message = body(1, "在吗", user_infos=people)
        elif what == "heard":
            message = body(0, "你好")
        elif what == "closed":
            await place.services.db.execute("update conversation set status = 'closed', closed_at = now()")
        keys = ["one", "one"] if what == "twice" else ["one"]
        await asyncio.gather(*(place.intake.store(place.connection_id, Verified(message, key)) for key in keys))
        assert [state[:2] for state in await place.states()] == [("one", "new")]
        assert await said(place) == [(1, "你好")]


async def test_a_handler_that_needs_the_database(greeted: Company) -> None:
    async def asks(work: Work, batch: Batch) -> None:
        await work.tx.fetchval("select 1")

    async with only_the_shortest(greeted, [asks]) as place:
        await place.store("second", body=body(1, "在吗"))
        assert [state[:2] for state in await place.states()] == [("second", "new")]


async def test_a_connection_that_another_process_works_on(greeted: Company) -> None:
    async with place_of(greeted) as place:
        async with place.services.db.transaction() as other:
            await other.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, place.connection_id)
            await place.store("second", body=body(1, "在吗"))
            assert await place.states() == [("second", "new", 0, False)]
        assert await said(place) == [(1, "你好")]


async def test_it_passes_nothing_that_waits(greeted: Company) -> None:
    async with place_of(greeted) as place:
        await place.services.db.execute(ELSEWHERE, place.connection_id, body(1, "第1句"))
        await place.store("c", body=body(2, "第2句"))
        assert [state[:2] for state in await place.states()] == [("b", "new"), ("c", "new")]
        while await place.normaliser.round():
            pass
        assert await said(place) == [(1, "你好"), (2, "第1句"), (3, "第2句")]


async def test_a_conversation_that_changed_meanwhile(greeted: Company) -> None:
    """It was looked at; somebody else writes it before we do: what was decided is decided again."""
    async with place_of(greeted) as place:
        version = await place.services.db.fetchval("select version from conversation")
        async with place.services.db.transaction() as other:
            await other.execute("update conversation set version = version + 1, unread = 0, read_seq = last_seq")
            storing = asyncio.create_task(place.store("second", body=body(1, "在吗")))
            await blocked(place)
        await storing
        while await place.normaliser.round():
            pass
        assert await said(place) == [(1, "你好"), (2, "在吗")]
        row = await place.services.db.fetchrow("select version, unread, read_seq, last_seq from conversation")
        assert row is not None
        assert (row["version"], row["unread"], row["read_seq"], row["last_seq"]) == (version + 2, 1, 1, 2)
        assert await broken_invariants(place.services.db) == []


async def test_a_conversation_that_was_only_held(greeted: Company) -> None:
    async with only_the_shortest(greeted) as place:
        async with place.services.db.transaction() as other:
            await other.execute("select from conversation for update")
            storing = asyncio.create_task(place.store("second", body=body(1, "在吗")))
            await blocked(place)
        await storing
        assert await said(place) == [(1, "你好"), (2, "在吗")]


async def test_a_recall_that_comes_between_look_and_writing(greeted: Company) -> None:
    """Another process understood it while we decided: the message is there, and recalled."""
    async with place_of(greeted) as place:
        who = await place.services.db.fetchrow(WHO)
        assert who is not None
        connection = await place.services.connections.get(place.connection_id)
        async with place.services.work() as other:
            # What a recall takes first is held before it says what it does.
            await rows.lock(other, [who["id"]])
            storing = asyncio.create_task(place.store("second", body=body(1, "说错了")))
            await blocked(place)
            event = MessageRecalled(
                AccountRef(who["channel"], who["account"]),
                ContactRef(who["contact"]),
                "@said-周航-1",
                "customer",
                other.now,
            )
            await receive(other, Batch(connection, [Item(0, 0, other.now, event)]))
        await storing
        while await place.normaliser.round():
            pass
        found = await place.services.db.fetch(SAID)
        assert [(row["text"], row["recalled"]) for row in found] == [("你好", False), ("说错了", True)]
        assert await place.services.db.fetchval("select count(*) from early_recall") == 0


async def test_one_that_another_process_stores_at_this_moment(greeted: Company) -> None:
    """Of two that are written together one is being stored as new elsewhere: nothing is written of either, and both are done in the end."""
    async with place_of(greeted) as place:
        async with place.services.db.transaction() as other:
            await other.execute(ELSEWHERE, place.connection_id, body(2, "第2句"))
            both = [Verified(body(1, "第1句"), "a"), Verified(body(2, "第2句"), "b")]
            storing = asyncio.gather(*(place.intake.store(place.connection_id, one) for one in both))
            await blocked(place)
        await storing
        while await place.normaliser.round():
            pass
        assert {state[:2] for state in await place.states()} == {("a", "done"), ("b", "done")}
        assert sorted(text for _, text in await said(place)) == ["你好", "第1句", "第2句"]
        assert await broken_invariants(place.services.db) == []


async def test_two_processes_and_a_rep_in_the_same_conversations(greeted: Company) -> None:
    chance = random.Random(11)
    people = ["周航", "林岚", "何川"]

    async def posts(place: Place, numbers: Sequence[int]) -> None:
        for n in numbers:
            await place.store(f"key-{n}", body=body(n, f"第{n}句", who=people[n % 3]))

    async def reads(place: Place) -> None:
        while True:
            async with place.services.work() as work:
                found = await rows.lock(work, [row["id"] for row in await work.tx.fetch("select id from conversation")])
                for one in found.values():
                    one.read_seq, one.unread = one.last_seq, 0
                    one.next_version()
                await rows.save(work, found.values())
            await asyncio.sleep(chance.random() / 100)

    async with place_of(greeted) as one, place_of(greeted) as two:
        numbers = list(range(1, 151))
        again = chance.sample(numbers, 60)
        reading = asyncio.create_task(reads(one))
        halves = [numbers[::2], numbers[1::2], again]
        await asyncio.gather(
            posts(one, halves[0]), posts(two, halves[1]), posts(two, again[:30]), posts(one, again[30:])
        )
        for place in (one, two):
            while await place.normaliser.round():
                pass
        reading.cancel()
        found = [text for _, text in await said(one)]
        assert sorted(found) == sorted(["你好", *(f"第{n}句" for n in numbers)])
        assert {state[1] for state in await one.states()} == {"done"}
        assert await broken_invariants(one.services.db) == []
