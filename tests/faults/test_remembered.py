"""Who writes again is not looked up again, unless anything of them is another than it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from inbox import familiar
from inbox.remembered import Remembered
from inbox.rows import COLUMNS, Conversation, conversation_from
from inbox.shortest import LOOK, WRITE
from scrm.bus import MemoryBus
from scrm.channel import AccountRef, ContactRef, Kind, MessageReceived, Raw
from scrm.normalise import Batch, Item
from tests.company import Company
from tests.faults.place import Place, body, place_of
from tests.flows.reads import broken_invariants

SAID = "select seq, text, recalled_at is not null as recalled from message order by conversation_id, seq"
ROW = f"select {COLUMNS}, xmin::text as mark from conversation"
EARLY = """
insert into early_recall (conversation_id, platform_message_id, recalled_at, recalled_by)
select id, '@said-周航-2', now(), 'customer' from conversation
"""
EARLIER = """
insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, platform_message_id, sent_at)
select id, last_seq, version, 'in', 'text', '第2句', 'received', 'customer', '@said-周航-2', now() from conversation
"""


@asynccontextmanager
async def asked_of(greeted: Company) -> AsyncIterator[tuple[Place, list[str]]]:
    """Somebody has written a second time; with what the shortest way asks the database from now on."""
    async with place_of(greeted) as place:
        await place.store("one", body=body(1, "第1句"))
        asked: list[str] = []
        async with place.planned_once.pool.acquire() as connection:
            connection.add_query_logger(lambda record: asked.append(record.query))
        yield place, asked


async def test_one_statement_is_all(greeted: Company) -> None:
    async with asked_of(greeted) as (place, asked):
        for n in range(2, 6):
            await place.store(f"key-{n}", body=body(n, f"第{n}句"))
        assert asked == [WRITE] * 4
        assert [row["text"] for row in await place.services.db.fetch(SAID)] == [
            "你好",
            *(f"第{n}句" for n in range(1, 6)),
        ]
        assert {state[1:] for state in await place.states()} == {("done", 1, True)}
        assert await broken_invariants(place.services.db) == []


async def test_what_is_remembered_is_what_was_written(greeted: Company) -> None:
    async with asked_of(greeted) as (place, _):
        for n in range(2, 5):
            await place.store(f"key-{n}", body=body(n, f"第{n}句 ' \\ 😀"))
            row = await place.services.db.fetchrow(ROW)
            assert row is not None
            known = await remembered(place, n + 1)
            assert (known.conversation, known.mark) == (conversation_from(row), row["mark"])


async def remembered(place: Place, n: int) -> familiar.Known:
    assert place.shortest is not None
    connection = await place.services.connections.get(place.connection_id)
    events = list(connection.adapter.parse(Raw("webhook", body(n, "later"), place.services.clock.now())))
    asked = familiar.asked(Batch(connection, [Item(0, 0, place.services.clock.now(), one) for one in events]), events)
    assert asked is not None
    found = place.shortest.remembered.answer(place.connection_id, asked)
    assert found is not None
    return found.known[0]


CHANGES = {
    "read by a rep": "update conversation set unread = 0, read_seq = last_seq, version = version + 1",
    "only touched": "update conversation set status = status",
    "account in a team": "update account set team_id = (select id from team limit 1)",
    "account renamed": "update account set name = '新名'",
    "contact renamed": "update contact set name = '新名'",
    "contact has a picture": "update contact set avatar = 'https://example.com/new.png'",
    "contact has a union id": "update contact set union_id = 'u-new'",
    "another customer": "with made as (insert into customer (name) values ('别人') returning id) update contact set customer_id = (select id from made)",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changed_without_a_ring_is_looked_up(greeted: Company, change: str) -> None:
    async with asked_of(greeted) as (place, asked):
        await place.services.db.execute("insert into team (name) values ('一组')")
        assert await place.services.db.execute(CHANGES[change]) != "UPDATE 0"
        before = await place.services.db.fetchrow(ROW)
        assert before is not None
        await place.store("two", body=body(2, "第2句"))
        assert asked[:2] == [WRITE, LOOK]
        assert [(row["seq"], row["text"]) for row in await place.services.db.fetch(SAID)][-1] == (3, "第2句")
        after = await place.services.db.fetchrow(ROW)
        assert after is not None
        assert (after["version"], after["unread"]) == (before["version"] + 1, before["unread"] + 1)
        assert await broken_invariants(place.services.db) == []
        await place.store("three", body=body(3, "第3句"))
        assert asked[-1] == WRITE
        assert asked.count(LOOK) == 1, "it is remembered again"


async def test_a_ring_of_others_makes_it_forget(greeted: Company) -> None:
    async with asked_of(greeted) as (place, asked):
        conversation_id = await place.services.db.fetchval("select id from conversation")
        await place.services.bus.ring("conversation", [conversation_id + 1])
        await place.store("two", body=body(2, "第2句"))
        assert asked == [WRITE], "somebody else's"
        await place.services.bus.ring("conversation", [conversation_id])
        await place.store("three", body=body(3, "第3句"))
        assert asked == [WRITE, LOOK, WRITE]
        await place.services.bus.ring("conversation", [])
        await place.store("four", body=body(4, "第4句"))
        assert asked == [WRITE, LOOK, WRITE, LOOK, WRITE], "rings were lost"


async def test_a_recall_that_came_first_and_told_nobody(greeted: Company) -> None:
    async with asked_of(greeted) as (place, _):
        await place.services.db.execute(EARLY)
        await place.store("two", body=body(2, "第2句"))
        assert [row["recalled"] for row in await place.services.db.fetch(SAID)] == [False, False, True]
        assert await place.services.db.fetchval("select count(*) from early_recall") == 0


async def test_a_message_that_is_there_under_another_key(greeted: Company) -> None:
    async with asked_of(greeted) as (place, _):
        await place.store("two", body=body(2, "第2句"))
        await place.store("again", body=body(2, "第2句"))
        await place.store("two", body=body(2, "第2句"))
        await place.store("three", body=body(3, "第3句"))
        while await place.normaliser.round():
            pass
        found = [(row["seq"], row["text"]) for row in await place.services.db.fetch(SAID)]
        assert found == [(1, "你好"), (2, "第1句"), (3, "第2句"), (4, "第3句")]
        assert {state[1] for state in await place.states()} == {"done"}
        assert await broken_invariants(place.services.db) == []


async def test_a_conversation_that_is_gone(greeted: Company) -> None:
    async with asked_of(greeted) as (place, _):
        await place.services.db.execute("delete from conversation")
        await place.store("two", body=body(2, "第2句"))
        assert [(row["seq"], row["text"]) for row in await place.services.db.fetch(SAID)] == [(1, "第2句")]
        assert await broken_invariants(place.services.db) == []


def test_no_more_is_kept_than_there_is_room_for() -> None:
    kept = Remembered(MemoryBus(), most=2)
    for n in (1, 2, 1, 3):
        kept.keep(7, [known(n)], {n: str(n)})
    assert [answered(kept, n) for n in (1, 2, 3)] == [True, False, True]
    kept.forget(7, question(3))
    assert [answered(kept, n) for n in (1, 3)] == [True, False]


def known(n: int) -> familiar.Known:
    facts: dict[str, Any] = {
        "channel": "douyin.im", "account": "shop", "contact": f"person-{n}", "account_name": "", "account_avatar": "",
        "contact_name": "", "contact_avatar": "", "union_id": "", "customer_id": n,
    }  # fmt: skip
    values: dict[str, Any] = {**dict.fromkeys(Conversation.columns()), "id": n, "account_id": 1, "contact_id": n}
    return familiar.Known(Conversation(**values), 0, facts, str(n))


def question(n: int) -> familiar.Question:
    account, contact = AccountRef("douyin.im", "shop"), ContactRef(f"person-{n}")
    message = MessageReceived(account, contact, "m", "in", Kind.TEXT, "", datetime.now(UTC))
    return familiar.Question(7, {("douyin.im", "shop", f"person-{n}"): message}, [message])


def answered(kept: Remembered, n: int) -> bool:
    return kept.answer(7, question(n)) is not None
