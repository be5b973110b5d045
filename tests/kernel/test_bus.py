"""One contract, both buses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import redis.asyncio as redis_async

from scrm.bus import Bus, MemoryBus, RedisBus
from tests.company import eventually
from tests.conftest import RedisServer


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        made: Bus = MemoryBus()
        await made.start()
        yield made
        await made.stop()
        return
    client = redis_async.Redis.from_url(request.getfixturevalue("redis_url"))
    shared = RedisBus(client)
    await shared.start()
    await asyncio.wait_for(shared.connected.wait(), 10)
    yield shared
    await shared.stop()
    await client.aclose()


async def test_a_ring_reaches_its_topic_only(bus: Bus) -> None:
    heard: list[tuple[str, list[int]]] = []
    bus.listen("conversation", lambda ids: heard.append(("conversation", list(ids))))
    bus.listen("job", lambda ids: heard.append(("job", list(ids))))
    await bus.ring("conversation", [1, 2])
    assert heard == [("conversation", [1, 2])]


async def test_who_stopped_listening_hears_nothing(bus: Bus) -> None:
    heard: list[Sequence[int]] = []
    stop = bus.listen("job", heard.append)
    stop()
    stop()
    await bus.ring("job", [1])
    assert heard == []


async def test_a_broken_listener_does_not_silence_the_others(bus: Bus) -> None:
    heard: list[list[int]] = []

    def broken(ids: Sequence[int]) -> None:
        raise RuntimeError("a bug")

    bus.listen("job", broken)
    bus.listen("job", lambda ids: heard.append(list(ids)))
    await bus.ring("job", [7])
    assert heard == [[7]]


async def test_what_is_said_reaches_its_topic_and_no_listener(bus: Bus) -> None:
    heard: list[object] = []
    rung: list[object] = []
    stop = bus.hear("presence", heard.append)
    bus.hear("other", rung.append)
    bus.listen("presence", rung.append)
    await bus.say("presence", {"who": 3, "typing": "reply"})
    assert heard == [{"who": 3, "typing": "reply"}]
    stop()
    stop()
    await bus.say("presence", {"who": 4})
    assert len(heard) == 1
    assert rung == []


async def test_a_broken_hearer_does_not_silence_the_others(bus: Bus) -> None:
    heard: list[object] = []

    def broken(_: object) -> None:
        raise RuntimeError("a bug")

    bus.hear("presence", broken)
    bus.hear("presence", heard.append)
    await bus.say("presence", {"n": 1})
    assert heard == [{"n": 1}]


async def two_processes(url: str) -> tuple[RedisBus, RedisBus, list[redis_async.Redis]]:
    clients = [redis_async.Redis.from_url(url), redis_async.Redis.from_url(url)]
    one, two = RedisBus(clients[0]), RedisBus(clients[1])
    for each in (one, two):
        await each.start()
        await asyncio.wait_for(each.connected.wait(), 10)
    return one, two, clients


async def test_another_process_hears_once_and_the_ringer_once(redis_url: str) -> None:
    one, two, clients = await two_processes(redis_url)
    mine: list[list[int]] = []
    theirs: list[list[int]] = []
    one.listen("conversation", lambda ids: mine.append(list(ids)))
    two.listen("conversation", lambda ids: theirs.append(list(ids)))
    await one.ring("conversation", [5])
    await one.ring("conversation", [6])

    async def both() -> bool:
        return theirs == [[5], [6]]

    await eventually(both)
    assert mine == [[5], [6]]
    said: dict[str, list[object]] = {"mine": [], "theirs": []}
    one.hear("presence", said["mine"].append)
    two.hear("presence", said["theirs"].append)
    await one.say("presence", {"中": [1, None]})

    async def heard_there() -> bool:
        return said["theirs"] == [{"中": [1, None]}]

    await eventually(heard_there)
    assert said["mine"] == [{"中": [1, None]}]
    assert theirs == [[5], [6]]
    for each in (one, two):
        await each.stop()
    for client in clients:
        await client.aclose()


async def test_redis_away_and_back(redis_server: RedisServer) -> None:
    """Rings are local meanwhile; when Redis is back, everybody is told to look (an empty ring)."""
    one, two, clients = await two_processes(redis_server.url)
    heard: list[list[int]] = []
    own: list[list[int]] = []
    two.listen("conversation", lambda ids: heard.append(list(ids)))
    one.listen("conversation", lambda ids: own.append(list(ids)))
    redis_server.stop()
    await one.ring("conversation", [1])
    assert own == [[1]]
    redis_server.start()

    async def told_to_look() -> bool:
        return [] in heard

    await eventually(told_to_look, seconds=20)

    async def reconnected() -> bool:
        await one.ring("conversation", [2])
        return [2] in heard

    await eventually(reconnected, seconds=20)
    for each in (one, two):
        await each.stop()
    for client in clients:
        await client.aclose()
