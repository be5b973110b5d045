"""A few webhooks are understood in the commit that stores them, and left to their turn whenever that is not so simple."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inbox.receive import receive
from scrm.config import Settings
from scrm.normalise import LOCK_SPACE, Batch
from scrm.services import Work
from tests.company import Company, company
from tests.faults.place import Place, place_of
from tests.faults.posting import douyin_body
from tests.flows.reads import broken_invariants


@pytest.fixture
async def idle(settings: Settings) -> AsyncIterator[Company]:
    """Nobody works but the test."""
    async with company(settings, role="web") as made:
        yield made


@pytest.fixture
async def place(idle: Company) -> AsyncIterator[Place]:
    async with place_of(idle) as made:
        yield made


async def test_a_message_is_there_when_its_webhook_is_answered(place: Place) -> None:
    await place.store("one")
    assert await place.states() == [("one", "done", 1, True)]
    assert len(await place.said()) == 1
    assert place.rung == []
    health = "select last_event_at is not null from connection_health where connection_id = $1"
    assert await place.services.db.fetchval(health, place.connection_id)
    assert await broken_invariants(place.services.db) == []


async def test_what_comes_twice_is_kept_once(place: Place) -> None:
    body = douyin_body()
    await place.store("one", "one", body=body)
    await place.store("one", body=body)
    await place.store("other", body=body)
    assert [state[:2] for state in await place.states()] == [("one", "done"), ("other", "done")]
    assert len(await place.said()) == 1


async def test_nothing_passes_what_waits(place: Place) -> None:
    """Another process stored one, and its worker has not come to it."""
    await place.services.db.execute(
        "insert into inbound_event (connection_id, source, dedupe_key, body) values ($1, 'webhook', 'first', $2)",
        place.connection_id,
        douyin_body(),
    )
    await place.store("second")
    assert [state[:2] for state in await place.states()] == [("first", "new"), ("second", "new")]
    assert place.rung == [place.connection_id]
    await place.normaliser.round()
    assert [state[:2] for state in await place.states()] == [("first", "done"), ("second", "done")]


async def test_what_this_process_was_rung_for_comes_first(place: Place) -> None:
    await place.services.db.execute(
        "insert into inbound_event (connection_id, source, dedupe_key, body) values ($1, 'webhook', 'first', $2)",
        place.connection_id,
        douyin_body(),
    )
    await place.services.bus.ring("inbound", [place.connection_id])
    await place.store("second")
    assert [state[:2] for state in await place.states()] == [("first", "done"), ("second", "done")]
    assert len(await place.said()) == 2


async def test_a_connection_that_another_process_works_on(place: Place) -> None:
    async with place.services.db.transaction() as other:
        await other.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, place.connection_id)
        await place.store("one")
        assert [state[:2] for state in await place.states()] == [("one", "new")]
    assert place.rung == [place.connection_id]


async def test_a_conversation_that_somebody_holds_does_not_hold_the_answer(place: Place) -> None:
    body = douyin_body()
    await place.store("one", body=body)
    async with place.services.db.transaction() as other:
        await other.execute("select from conversation for update")
        again = body.replace(b"@message-", b"@next-")
        await place.store("two", body=again)
        assert [state[:2] for state in await place.states()] == [("one", "done"), ("two", "new")]
    await place.normaliser.round()
    assert [state[:2] for state in await place.states()] == [("one", "done"), ("two", "done")]
    assert len(await place.said()) == 2
    assert await broken_invariants(place.services.db) == []


async def test_what_cannot_be_handled_is_stored_and_waits_for_its_turn(idle: Company) -> None:
    """The unit of work is undone whole: no half of a message stays."""
    broken = True

    async def handler(work: Work, batch: Batch) -> None:
        await receive(work, batch)
        if broken:
            raise ValueError("poison")

    async with place_of(idle, [handler], others=None) as place:
        await place.store("one")
        assert [state[:2] for state in await place.states()] == [("one", "new")]
        assert await place.said() == []
        assert place.rung == [place.connection_id]
        broken = False
        await place.normaliser.round()
        assert [state[:2] for state in await place.states()] == [("one", "done")]
        assert len(await place.said()) == 1


async def test_other_kinds_are_left_to_their_turn(place: Place) -> None:
    await place.store("odd", body=douyin_body(event="something_new"))
    await place.store("broken", body=b"{")
    assert [state[1] for state in await place.states()] == ["new", "new"]


async def test_a_flood_is_stored_first(place: Place) -> None:
    await place.store(*(f"key-{n}" for n in range(60)))
    states = [state[1] for state in await place.states()]
    assert len(states) == 60
    assert "new" in states
    while await place.normaliser.round():
        pass
    assert {state[1] for state in await place.states()} == {"done"}
    assert len(await place.said()) == 60
    assert await broken_invariants(place.services.db) == []
