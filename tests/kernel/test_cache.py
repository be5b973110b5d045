"""One contract, both caches: a value is made once, others wait, a refused value is made again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis_async

from scrm.cache import MemoryCache, RedisCache
from scrm.channel import SharedCache
from tests.conftest import RedisServer


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[SharedCache]:
    if request.param == "memory":
        yield MemoryCache()
        return
    client = redis_async.Redis.from_url(request.getfixturevalue("redis_url"))
    yield RedisCache(client)
    await client.aclose()


class Maker:
    def __init__(self, life: float = 60) -> None:
        self.calls = 0
        self._life = life

    async def __call__(self) -> tuple[str, float]:
        self.calls += 1
        await asyncio.sleep(0.01)
        return f"value-{self.calls}", self._life


async def test_many_callers_one_maker(cache: SharedCache) -> None:
    make = Maker()
    found = await asyncio.gather(*[cache.get_or_make("token", make) for _ in range(50)])
    assert set(found) == {"value-1"}
    assert make.calls == 1


async def test_a_refused_value_is_made_again_once(cache: SharedCache) -> None:
    make = Maker()
    first = await cache.get_or_make("token", make)
    found = await asyncio.gather(*[cache.get_or_make("token", make, not_value=first) for _ in range(20)])
    assert set(found) == {"value-2"}
    assert make.calls == 2


async def test_keys_are_apart(cache: SharedCache) -> None:
    one, two = Maker(), Maker()
    await asyncio.gather(cache.get_or_make("a", one), cache.get_or_make("b", two))
    assert (one.calls, two.calls) == (1, 1)


async def test_a_failing_maker_leaves_nothing_behind(cache: SharedCache) -> None:
    async def fail() -> tuple[str, float]:
        raise ValueError("the platform said no")

    with pytest.raises(ValueError, match="said no"):
        await cache.get_or_make("token", fail)
    assert await cache.get_or_make("token", Maker()) == "value-1"


async def test_two_processes_share_a_value(redis_url: str) -> None:
    clients = [redis_async.Redis.from_url(redis_url) for _ in range(2)]
    one, two = RedisCache(clients[0]), RedisCache(clients[1])
    make = Maker()
    found = await asyncio.gather(one.get_or_make("token", make), two.get_or_make("token", make))
    assert set(found) == {"value-1"}
    assert make.calls == 1
    for client in clients:
        await client.aclose()


async def test_without_redis_each_process_helps_itself(redis_server: RedisServer) -> None:
    client = redis_async.Redis.from_url(redis_server.url, socket_connect_timeout=1)
    cache = RedisCache(client)
    redis_server.stop()
    make = Maker()
    assert await cache.get_or_make("token", make) == "value-1"
    await client.aclose()
