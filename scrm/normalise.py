"""From stored events to rows: claim a batch, parse it, hand the events to the domains, mark it done, all in one transaction.

A batch belongs to one connection, and one worker at a time has a connection (an advisory lock that ends with the transaction),
so events keep their order and two workers never meet in the same conversation. Killing a worker undoes its batch; the next one
takes it again, and the unique keys of what the domains write make even a repeated batch harmless.

A poison event is found by halving the batch: the good ones are handled, the bad one is marked ``failed`` with its error, where
an administrator sees it and can run it again after the cause is mended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scrm.channel import Event, Ignored, PullRequested, Raw, Unrecognised
from scrm.clock import monotonic
from scrm.connections import Loaded
from scrm.db import LOST, RETRYABLE
from scrm.metrics import EVENT_BATCH_SECONDS, EVENTS
from scrm.services import Services, Work

log = logging.getLogger(__name__)

LOCK_SPACE = 7_226_002
"""The first key of the advisory locks, the second is the connection's id."""

LOCK = "select pg_try_advisory_xact_lock($1, $2), set_config('plan_cache_mode', 'force_generic_plan', true)"
"""The lock, and plans that are made once: for the small batches of a quiet hour, planning would cost as much as doing."""

FAILED_ERROR_LENGTH = 2000
LOOK_SECONDS = 0.5
"""How often every connection is looked at, rings or not: rings can be lost."""

# A walk over the index from one connection to the next, however many events wait.
WAITING = """
with recursive waiting as (
  (select connection_id from inbound_event where state = 'new' order by connection_id limit 1)
  union all select (select e.connection_id from inbound_event e where e.state = 'new'
    and e.connection_id > w.connection_id order by e.connection_id limit 1)
  from waiting w where w.connection_id is not null
) select connection_id from waiting where connection_id is not null
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One event and the stored row it came from. ``ordinal`` numbers the events of one row."""

    inbound_event_id: int
    ordinal: int
    received_at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Batch:
    connection: Loaded
    items: Sequence[Item]


Handler = Callable[[Work, Batch], Awaitable[None]]
"""A domain's part: writes what the batch means inside the given unit of work."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A stored event with what became of it."""

    id: int
    received_at: datetime
    events: Sequence[Event]
    error: str = ""

    @property
    def state(self) -> str:
        if self.error:
            return "failed"
        if any(isinstance(event, Unrecognised) for event in self.events):
            return "unrecognised"
        if all(isinstance(event, Ignored) for event in self.events):
            return "ignored"
        return "done"

    @property
    def note(self) -> str | None:
        if self.error:
            return self.error[:FAILED_ERROR_LENGTH]
        return next((event.why for event in self.events if isinstance(event, Ignored | Unrecognised)), None)


class Unhandled(Exception):
    """Something in a batch cannot be handled; nothing of the batch was kept."""


class Normaliser:
    """One round of :meth:`round` visits every connection that has new events: those that rang, and twice a second all."""

    def __init__(self, services: Services, handlers: Sequence[Handler], *, batch: int = 500) -> None:
        self._services = services
        self._handlers = handlers
        self._batch = batch
        self._rung: set[int] = set()
        self._turns: dict[int, asyncio.Lock] = {}
        self._look_at = 0.0
        services.bus.listen("inbound", self._rang)

    def _rang(self, ids: Sequence[int]) -> None:
        if ids:
            self._rung.update(ids)
        else:
            self._look_at = 0.0

    def turn(self, connection_id: int) -> asyncio.Lock:
        """Who works on a connection in this process. Between processes the database's lock decides, and who meets it goes on; here one
        waits, since the other is done in a moment and nobody would ring again."""
        return self._turns.setdefault(connection_id, asyncio.Lock())

    async def caught_up(self, connection_id: int) -> bool:
        """Handles what waits of a connection as far as this process was rung for it, a batch at most; the caller has the turn.
        False: there may be more."""
        if connection_id in self._rung:
            self._rung.discard(connection_id)
            if await self._one_batch_in_turn(connection_id):
                self._rung.add(connection_id)
                return False
        return True

    async def round(self) -> bool:
        """True when a connection may have more. A connection that another worker has is skipped."""
        more = False
        broken: Exception | None = None
        for connection_id in await self._waiting():
            try:
                if await self._one_batch(connection_id):
                    self._rung.add(connection_id)
                    more = True
            except LOST:
                raise
            except Exception as error:
                # A connection whose adapter is missing, say: its events wait, those of the others do not.
                broken = broken or error
        if broken is not None and not more:
            raise broken
        return more

    async def _waiting(self) -> list[int]:
        rung, self._rung = sorted(self._rung), set()
        if rung and monotonic() < self._look_at:
            return rung
        self._look_at = monotonic() + LOOK_SECONDS
        return [row["connection_id"] for row in await self._services.db.fetch(WAITING)]

    async def _one_batch(self, connection_id: int) -> bool:
        async with self.turn(connection_id):
            return await self._one_batch_in_turn(connection_id)

    async def _one_batch_in_turn(self, connection_id: int) -> bool:
        connection = await self._services.connections.get(connection_id)
        started = time.perf_counter()
        carefully = False
        for attempt in range(5):
            try:
                async with self._services.work() as work:
                    count = await self._claim_and_handle(work, connection, carefully)
                break
            except Unhandled:
                if attempt == 4:
                    raise
                carefully = True
            except RETRYABLE:
                if attempt == 4:
                    raise
                await asyncio.sleep(0.01 * (attempt + 1))
        if count:
            EVENT_BATCH_SECONDS.observe(time.perf_counter() - started)
        return count >= self._batch

    async def _claim_and_handle(self, work: Work, connection: Loaded, carefully: bool) -> int:
        """``carefully``: with a savepoint around each part, to find what is poison. Otherwise raises :class:`Unhandled`."""
        locked = await work.tx.fetchval(LOCK, LOCK_SPACE, connection.id)
        if not locked:
            return 0
        rows = await work.tx.fetch(
            "select id, source, body, received_at from inbound_event where connection_id = $1 and state = 'new' "
            "order by id limit $2",
            connection.id,
            self._batch,
        )
        if not rows:
            return 0
        parsed = [parse_row(connection, row["id"], row["source"], row["body"], row["received_at"]) for row in rows]
        finished = await (self._handle if carefully else self._handle_all)(work, connection, parsed)
        await _mark(work, connection.id, finished)
        return len(rows)

    async def _handle_all(self, work: Work, connection: Loaded, parsed: Sequence[Parsed]) -> list[Parsed]:
        good = [one for one in parsed if not one.error]
        try:
            if good:
                await self.hand_over(work, connection, good)
        except (*RETRYABLE, *LOST):
            raise
        except Exception as error:
            raise Unhandled from error
        return list(parsed)

    async def _handle(self, work: Work, connection: Loaded, parsed: Sequence[Parsed]) -> list[Parsed]:
        """Everything at once; when that fails, halves, down to the one event that cannot be handled."""
        good = [one for one in parsed if not one.error]
        if not good:
            return list(parsed)
        rings = {topic: set(ids) for topic, ids in work.rings.items()}
        try:
            async with work.tx.transaction():
                await self.hand_over(work, connection, good)
            return list(parsed)
        except (*RETRYABLE, *LOST):
            raise
        except Exception as error:
            work.rings.clear()
            for topic, ids in rings.items():
                work.ring(topic, *ids)
            if len(good) == 1:
                log.exception("event %s cannot be handled", good[0].id)
                poison = Parsed(good[0].id, good[0].received_at, good[0].events, f"{type(error).__name__}: {error}")
                return [poison if one is good[0] else one for one in parsed]
        middle = len(parsed) // 2
        first = await self._handle(work, connection, parsed[:middle])
        return first + await self._handle(work, connection, parsed[middle:])

    async def hand_over(self, work: Work, connection: Loaded, parsed: Sequence[Parsed]) -> None:
        """Gives the domains what was parsed. The caller holds the connection's lock."""
        items = [
            Item(one.id, ordinal, one.received_at, event) for one in parsed for ordinal, event in enumerate(one.events)
        ]
        await ring_streams(work, connection.id, [item.event for item in items if isinstance(item.event, PullRequested)])
        batch = Batch(connection, items)
        for handler in self._handlers:
            await handler(work, batch)


def parse_row(connection: Loaded, row_id: int, source: str, body: bytes, received_at: datetime) -> Parsed:
    """``parse`` is total by contract; an adapter that breaks it spoils one event, not the batch."""
    try:
        events = connection.adapter.parse(Raw(source=source, body=body, received_at=received_at))
    except Exception as error:
        log.exception("the adapter of connection %s broke on event %s", connection.id, row_id)
        return Parsed(row_id, received_at, (), f"parse: {type(error).__name__}: {error}")
    return Parsed(row_id, received_at, events or (Ignored("nothing in it"),))


async def _mark(work: Work, connection_id: int, parsed: Sequence[Parsed]) -> None:
    await work.tx.execute(
        "with health as (update connection_health set last_event_at = greatest(last_event_at, $6) where connection_id = $5) "
        "update inbound_event e set state = d.state, error = d.error, attempts = e.attempts + 1, handled_at = $4 "
        "from unnest($1::bigint[], $2::text[], $3::text[]) d (id, state, error) where e.id = d.id",
        [one.id for one in parsed],
        [one.state for one in parsed],
        [one.note.replace("\x00", "\ufffd") if one.note else None for one in parsed],
        work.now,
        connection_id,
        parsed[-1].received_at,
    )
    for state, number in Counter(one.state for one in parsed).items():
        EVENTS.labels(state).inc(number)


async def ring_streams(work: Work, connection_id: int, rung: Sequence[PullRequested]) -> None:
    """Marks streams as rung; the pullers take them from there."""
    if not rung:
        return
    newest = {ring.stream: ring.token for ring in rung}
    names = sorted(newest)
    await work.tx.execute(
        "insert into pull_stream (connection_id, stream, token, rings) "
        "select $1, w.stream, w.token, 1 from unnest($2::text[], $3::text[]) w (stream, token) "
        "on conflict (connection_id, stream) do update set rings = pull_stream.rings + 1, "
        "token = case when excluded.token <> '' then excluded.token else pull_stream.token end",
        connection_id,
        names,
        [newest[name] for name in names],
    )
    work.ring("pull", connection_id)


async def rerun(work: Work, *, ids: Sequence[int] = (), state: str = "") -> int:
    """Puts events back to be parsed again: those of ``ids``, or all of a state. What was written before is not doubled."""
    if ids:
        done = await work.tx.execute(
            "update inbound_event set state = 'new', error = null where id = any($1::bigint[]) and state <> 'new'",
            list(ids),
        )
    else:
        done = await work.tx.execute("update inbound_event set state = 'new', error = null where state = $1", state)
    work.ring("inbound")
    return int(done.split()[-1])
