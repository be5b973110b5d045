"""Small values shared by all processes, made by one caller while the others wait: access tokens and the like."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable

import redis.asyncio as redis_async

from scrm.bus import ANSWER_SECONDS, AWAY
from scrm.clock import monotonic

log = logging.getLogger(__name__)

Make = Callable[[], Awaitable[tuple[str, float]]]

FREE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
"""Gives a lock back only while it is still ours."""


class MemoryCache:
    """For one process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get_or_make(self, key: str, make: Make, *, not_value: str | None = None) -> str:
        async with self._locks[key]:
            held = self._values.get(key)
            if held is not None and held[1] > monotonic() and held[0] != not_value:
                return held[0]
            value, life = await make()
            self._values[key] = (value, monotonic() + life)
            return value


class RedisCache:
    """For several processes. While Redis is away each process keeps its own values."""

    LOCK_MS = 15_000

    def __init__(self, client: redis_async.Redis) -> None:
        self._client = client
        self._local = MemoryCache()
        self._free = client.register_script(FREE)

    async def get_or_make(self, key: str, make: Make, *, not_value: str | None = None) -> str:
        async def shared() -> tuple[str, float]:
            return await self._get_or_make(key, make, not_value)

        # Within the process one caller asks Redis; a short local life keeps the hot path off the network.
        return await self._local.get_or_make(key, shared, not_value=not_value)

    async def _get_or_make(self, key: str, make: Make, not_value: str | None) -> tuple[str, float]:
        name, lock, mine = f"scrm:cache:{key}", f"scrm:lock:{key}", secrets.token_hex(8)
        try:
            deadline = monotonic() + self.LOCK_MS / 1000
            while True:
                async with asyncio.timeout(ANSWER_SECONDS):
                    held = await self._client.get(name)
                text = held.decode() if isinstance(held, bytes) else held
                if text is not None and text != not_value:
                    return text, 5.0
                async with asyncio.timeout(ANSWER_SECONDS):
                    ours = await self._client.set(lock, mine, nx=True, px=self.LOCK_MS)
                if ours:
                    break
                if monotonic() > deadline:
                    break
                await asyncio.sleep(0.05)
        except AWAY as error:
            log.warning("Redis is away; this process makes its own %s: %s", key.split(":")[0], error)
            return await make()
        try:
            value, life = await make()
        finally:
            await self._quietly(self._free(keys=[lock], args=[mine]))
        await self._quietly(self._client.set(name, value, px=max(int(life * 1000), 1)))
        return value, min(life, 5.0)

    async def _quietly(self, call: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await call
        except AWAY as error:
            log.debug("Redis is away: %s", error)
