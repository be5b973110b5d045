"""The bus rings; the database tells. A ring says "something about these ids changed": whoever listens reads the database.
What is true for seconds only (who is typing) has no row: it is *said*, a small payload that may be lost like a ring.

Rings are published after the commit and may be lost, merged or repeated; listeners also look by themselves now and then. With
one process the bus is memory; with several it is Redis, whose absence costs latency and never data.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson
import redis.asyncio as redis_async
from redis.exceptions import RedisError

from scrm.tasks import end

log = logging.getLogger(__name__)

AWAY = (RedisError, OSError, TimeoutError, RuntimeError)
"""Redis does not answer. RuntimeError is what the event loop says of a connection that was closed under the client's hands."""
ANSWER_SECONDS = 2.0
"""A Redis that is slower than this is away: nobody should wait for it."""

Listener = Callable[[Sequence[int]], None]
"""Called in the event loop with the ids of one ring; must return at once."""
Hearer = Callable[[Mapping[str, Any]], None]
"""Called in the event loop with what was said, which JSON can carry; must return at once and not change it."""


class Bus(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` for each ring of ``topic``, from this process too; returns the function that ends it."""
        ...

    async def ring(self, topic: str, ids: Sequence[int]) -> None:
        """Never raises: a lost ring only costs a moment."""
        ...

    def hear(self, topic: str, hearer: Hearer) -> Callable[[], None]:
        """Calls ``hearer`` for each payload said on ``topic``, from this process too; returns the function that ends it."""
        ...

    async def say(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Tells every process something small that no row holds. Never raises: it may be lost."""
        ...


class MemoryBus:
    """For one process."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._hearers: dict[str, list[Hearer]] = defaultdict(list)

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        self._listeners.clear()
        self._hearers.clear()

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        self._listeners[topic].append(listener)
        return lambda: self._forget(topic, listener)

    async def ring(self, topic: str, ids: Sequence[int]) -> None:
        self._deliver(topic, ids)

    def hear(self, topic: str, hearer: Hearer) -> Callable[[], None]:
        self._hearers[topic].append(hearer)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._hearers[topic].remove(hearer)

        return stop

    async def say(self, topic: str, payload: Mapping[str, Any]) -> None:
        self._tell(topic, payload)

    def _forget(self, topic: str, listener: Listener) -> None:
        with contextlib.suppress(ValueError):
            self._listeners[topic].remove(listener)

    def _deliver(self, topic: str, ids: Sequence[int]) -> None:
        for listener in tuple(self._listeners.get(topic, ())):
            try:
                listener(ids)
            except Exception:
                log.exception("a listener of %s failed", topic)

    def _tell(self, topic: str, payload: Mapping[str, Any]) -> None:
        for hearer in tuple(self._hearers.get(topic, ())):
            try:
                hearer(payload)
            except Exception:
                log.exception("a hearer of %s failed", topic)


class RedisBus(MemoryBus):
    """For several processes. Own rings are delivered locally at once and skipped when they come back, so a process never
    depends on Redis to hear itself."""

    CHANNEL = "scrm:bus"

    def __init__(self, client: redis_async.Redis) -> None:
        super().__init__()
        self._client = client
        self._name = f"{id(self):x}-{asyncio.get_running_loop().time():.6f}"
        self._reader: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    async def start(self) -> None:
        import os
        import secrets

        self._name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._reader = asyncio.create_task(self._read(), name="bus")

    async def stop(self) -> None:
        await end([self._reader])
        await super().stop()

    async def ring(self, topic: str, ids: Sequence[int]) -> None:
        self._deliver(topic, ids)
        await self._publish(topic, list(ids))

    async def say(self, topic: str, payload: Mapping[str, Any]) -> None:
        self._tell(topic, payload)
        await self._publish(topic, dict(payload))

    async def _publish(self, topic: str, content: list[int] | dict[str, Any]) -> None:
        try:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes when the answer does.
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._client.publish(self.CHANNEL, orjson.dumps([self._name, topic, content]))
        except AWAY as error:
            log.debug("a ring of %s did not reach Redis: %s", topic, error)

    async def _read(self) -> None:
        pause = 0.2
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(self.CHANNEL)
                    self.connected.set()
                    pause = 0.2
                    # What was rung while nobody listened is unknown: tell everyone to look.
                    for topic in tuple(self._listeners):
                        self._deliver(topic, ())
                    async for item in channel.listen():
                        if item["type"] == "message":
                            self._heard(item["data"])
            except AWAY as error:
                self.connected.clear()
                log.warning("Redis is away, other processes will be heard later: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    def _heard(self, data: bytes) -> None:
        try:
            sender, topic, content = orjson.loads(data)
        except (ValueError, TypeError):
            log.warning("something that is no ring came over Redis")
            return
        if sender == self._name:
            return
        if isinstance(content, dict):
            self._tell(topic, content)
        else:
            self._deliver(topic, content)
