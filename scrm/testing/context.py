"""An :class:`~scrm.channel.AdapterContext` in memory, for tests of adapters."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from scrm.channel import AdapterContext, JsonObject, OutgoingMedia
from scrm.clock import Clock, SystemClock


class MemoryCache:
    """A :class:`~scrm.channel.SharedCache` for one event loop. Lives are counted on ``clock``."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._values: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get_or_make(
        self, key: str, make: Callable[[], Awaitable[tuple[str, float]]], *, not_value: str | None = None
    ) -> str:
        async with self._locks.setdefault(key, asyncio.Lock()):
            value, until = self._values.get(key, ("", 0.0))
            now = self._clock.now().timestamp()
            if until > now and value != not_value:
                return value
            value, life = await make()
            self._values[key] = (value, now + life)
            return value


@dataclass
class MemoryState:
    """A connection's durable state. Two adapters that share one are two processes of one connection."""

    value: JsonObject = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> JsonObject:
        return self.value

    async def save(self, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
        async with self.lock:
            self.value = change(self.value)
            return self.value


def memory_context(
    http: aiohttp.ClientSession,
    clock: Clock | None = None,
    state: MemoryState | None = None,
    cache: MemoryCache | None = None,
) -> AdapterContext:
    clock, state = clock or SystemClock(), state or MemoryState()
    return AdapterContext(http, clock, cache or MemoryCache(clock), state.load, state.save)


def outgoing_media(content: bytes, name: str, mime: str) -> OutgoingMedia:
    """A file to send that is held in memory."""

    async def read() -> bytes:
        return content

    return OutgoingMedia(hashlib.sha256(content).hexdigest(), name, mime, len(content), read)
