"""Webhooks in: verify, store durably, answer. Understanding comes later (``scrm.normalise``).

Commits are grouped: requests that arrive while a commit is under way share the next one. A request is answered only after the
commit that holds its event, so what was acknowledged is never lost; the unique key makes repetitions harmless.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import Counter

from scrm.at_once import FEW, AtOnce, Fresh
from scrm.bus import Bus
from scrm.channel import Challenge, Verified, WebhookRequest
from scrm.connections import Connections
from scrm.db import Database
from scrm.errors import Unavailable
from scrm.metrics import WEBHOOK_BATCH, WEBHOOKS
from scrm.tasks import end

MOST_WAITING = 20_000
"""Webhooks that may wait for a commit in one process. A database that hangs must not fill the memory; the platforms repeat."""
LONGEST_KEY = 200
"""Keys above this are hashed: an index row has its limits, and senders choose their keys."""

STORE = """
insert into inbound_event (connection_id, source, dedupe_key, body)
select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[])
on conflict (connection_id, dedupe_key) do nothing
"""
STORE_URGENT = """
with stored as (
  insert into inbound_event (connection_id, source, dedupe_key, body)
  select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[])
  on conflict (connection_id, dedupe_key) do nothing returning id, connection_id, dedupe_key
)
insert into urgent_event (inbound_event_id, connection_id)
select s.id, s.connection_id from stored s
join unnest($1::bigint[], $3::text[], $5::boolean[]) w (connection_id, dedupe_key, urgent)
  on w.urgent and w.connection_id = s.connection_id and w.dedupe_key = s.dedupe_key
on conflict do nothing
"""
"""The same for a batch with urgent events among them, which :mod:`scrm.urgent` looks at before all others."""


@dataclass(slots=True)
class Waiting:
    connection_id: int
    dedupe_key: str
    body: bytes
    urgent: bool
    stored: asyncio.Future[None]


class Intake:
    """Groups the commits of a process. ``flushers`` commits may be under way at once.

    With ``at_once`` the first flusher has a few webhooks understood in the commit that stores them; the others store what is more."""

    def __init__(
        self, db: Database, bus: Bus, *, at_once: AtOnce | None = None, batch: int = 500, flushers: int = 2
    ) -> None:
        self._db = db
        self._at_once = at_once
        self._bus = bus
        self._batch = batch
        self._waiting: deque[Waiting] = deque()
        self._work = asyncio.Semaphore(0)
        self._flushers = flushers
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._flush(first=n == 0), name=f"intake-{n}") for n in range(self._flushers)
        ]

    async def stop(self) -> None:
        await end(self._tasks)
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.stored.done():
                waiting.stored.set_exception(Unavailable("The service is stopping; send it again."))

    async def store(self, connection_id: int, verified: Verified) -> None:
        """Returns when the event is durable. Raises :class:`Unavailable` when it is not."""
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable("Too many events wait to be stored; send it again.")
        stored = asyncio.get_running_loop().create_future()
        waiting = Waiting(connection_id, bounded_key(verified.dedupe_key), verified.raw, verified.urgent, stored)
        self._waiting.append(waiting)
        self._wake.set()
        await stored

    async def _flush(self, *, first: bool) -> None:
        while True:
            if not self._waiting or (not first and self._are_few()):
                self._wake.clear()
                await self._wake.wait()
                # One turn of the loop later: what arrived together is stored together.
                await asyncio.sleep(0)
                continue
            at_once = first and self._are_few()
            batch = self._of_one_connection() if at_once else self._next()
            try:
                rung = at_once and await self._take_at_once(batch)
                if not rung:
                    await self._store(batch)
            except asyncio.CancelledError:
                self._answer(batch, Unavailable("The service is stopping; send it again."))
                raise
            except Exception as error:
                self._answer(
                    batch, Unavailable(f"The event could not be stored; send it again. ({type(error).__name__})")
                )
                continue
            WEBHOOK_BATCH.observe(len(batch))
            self._answer(batch, None)
            if rung:
                continue
            urgent = {one.connection_id for one in batch if one.urgent}
            if urgent:
                await self._bus.ring("urgent", sorted(urgent))
            await self._bus.ring("inbound", sorted({one.connection_id for one in batch}))

    def _are_few(self) -> bool:
        """So few that they are understood at once, one connection after the other."""
        return self._at_once is not None and len(self._waiting) <= FEW

    def _next(self) -> list[Waiting]:
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch))]

    def _of_one_connection(self) -> list[Waiting]:
        """Those of the connection that waits longest; the others keep their places."""
        connection_id = self._waiting[0].connection_id
        taken = [one for one in self._waiting if one.connection_id == connection_id]
        others = [one for one in self._waiting if one.connection_id != connection_id]
        self._waiting.clear()
        self._waiting.extend(others)
        return taken

    async def _take_at_once(self, batch: Sequence[Waiting]) -> bool:
        if self._at_once is None or any(one.urgent for one in batch):
            return False
        fresh = [Fresh(one.dedupe_key, one.body) for one in batch]
        return await self._at_once.take(batch[0].connection_id, fresh)

    async def _store(self, batch: list[Waiting]) -> None:
        urgent = [one.urgent for one in batch]
        await self._db.execute(
            STORE_URGENT if any(urgent) else STORE,
            [one.connection_id for one in batch],
            ["webhook"] * len(batch),
            [one.dedupe_key for one in batch],
            [one.body for one in batch],
            *([urgent] if any(urgent) else []),
        )

    def _answer(self, batch: list[Waiting], error: Exception | None) -> None:
        for waiting in batch:
            if waiting.stored.done():
                continue
            if error is None:
                waiting.stored.set_result(None)
            else:
                waiting.stored.set_exception(error)


def bounded_key(key: str) -> str:
    """A dedupe key that fits the index, whatever the sender wrote."""
    if len(key) <= LONGEST_KEY and key.isascii() and "\x00" not in key:
        return key
    key = key.replace("\x00", "\ufffd").encode(errors="replace").decode()
    if len(key) <= LONGEST_KEY:
        return key
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


async def accept(
    connections: Connections, intake: Intake, provider: str, key: str, request: WebhookRequest
) -> Verified | Challenge:
    """Raises :class:`~scrm.errors.NotFound`, :class:`~scrm.errors.BadSignature`, :class:`~scrm.errors.BadRequest`,
    :class:`Unavailable`; returns what to answer."""
    loaded = await connections.by_key(provider, key)
    outcome = loaded.adapter.verify(request)
    if isinstance(outcome, Verified):
        await intake.store(loaded.id, outcome)
        _counter(provider, "stored").inc()
    else:
        _counter(provider, "challenge").inc()
    return outcome


@lru_cache(maxsize=256)
def _counter(provider: str, outcome: str) -> Counter:
    return WEBHOOKS.labels(provider, outcome)
