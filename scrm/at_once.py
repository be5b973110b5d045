"""Understanding a few webhooks in the commit that stores them.

At a quiet pace the two steps of an event (stored and answered; then claimed, parsed, handled, marked) cost a customer's message two
commits and a dozen round trips before a rep sees it. Where one process does both and nothing else of the connection waits, they
are one unit of work: the event's row is written as done together with all that it means. Whatever is not that simple is stored as new, as ever:
many webhooks at once, kinds that are no plain messages, a connection that somebody works on, something that fails or takes long.

The simplest of all need no unit of work: a domain may know a way to store the webhooks and write what they mean in one statement
(:class:`Shortest`). It is asked first, and what it declines goes the way above.

Nothing is given up by it: there is no answer before the commit, and one that was undone leaves no trace, so the platform's
repetition finds everything as it was (``docs/decisions/0010-a-few-at-once.md``).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from scrm.channel import Ignored, MessageReceived, PullRequested
from scrm.clock import monotonic
from scrm.connections import Loaded
from scrm.metrics import EVENTS
from scrm.normalise import LOCK_SPACE, Normaliser, Parsed, parse_row
from scrm.services import Services, Work

log = logging.getLogger(__name__)

FEW = 8
TURN_SECONDS = 0.1
"""For the batch that the normaliser is at. Who waits longer is in a flood, where many at a time are cheaper."""
LONGEST_SECONDS = 0.5
"""Then they are stored and left to the normaliser; platforms wait for their answer."""
FLOOD_SECONDS = 1.0
"""So long it is not tried again."""
SIMPLE = (MessageReceived, PullRequested, Ignored)

HELD = "pg_try_advisory_xact_lock({space}, {connection}::int)"
WAITING = "exists (select from inbound_event where connection_id = {connection} and state = 'new')"
HEALTH = """update connection_health set last_event_at = {now} where connection_id = {connection}
    and (last_event_at is null or last_event_at < {now}::timestamptz - interval '1 second')"""
"""Of a connection: its turn, whether something of it waits, and that we heard of it. For statements that do what :data:`STORE` does."""
STORE = f"""
with held as materialized (
  select {HELD.format(space="$1", connection="$2")} as held, set_config('plan_cache_mode', 'force_generic_plan', true)
), turn as materialized (
  select held and not {WAITING.format(connection="$2")} as ours from held
), health as (
  {HEALTH.format(now="$7", connection="$2")} and (select ours from turn)
)
insert into inbound_event (connection_id, source, dedupe_key, body, received_at, state, error, attempts, handled_at)
select $2, 'webhook', w.dedupe_key, w.body, $7, case when t.ours then w.state else 'new' end, case when t.ours then w.note end,
  case when t.ours then 1 else 0 end, case when t.ours then $7::timestamptz end
from turn t, unnest($3::text[], $4::bytea[], $5::text[], $6::text[]) with ordinality w (dedupe_key, body, state, note, n)
order by w.n
on conflict (connection_id, dedupe_key) do nothing returning id, dedupe_key, received_at, state <> 'new' as ours
"""  # noqa: S608
"""As done when the connection's turn is free and nothing waits for it, as new otherwise. What the statement sees is a moment older
than its lock: something handled meanwhile looks as if it waited, and these are left to their turn."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A verified webhook, not stored yet."""

    dedupe_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Simple:
    """A few webhooks of one connection that are not stored yet, with what they say."""

    connection: Loaded
    fresh: Sequence[Fresh]
    parsed: Sequence[Parsed]


class Shortest(Protocol):
    """Stores webhooks as done and writes all that they mean in one statement, under the conditions of :data:`STORE`, when they are as simple
    as that takes."""

    async def take(self, simple: Simple) -> Work | None:
        """The caller has the connection's turn in this process. Returns what to publish, with everything committed; None: nothing was
        written, or so much that a repetition finds it. Raises what the database says; nothing of that was written either."""
        ...


class AtOnce:
    """``normaliser`` is the one that works in this process: the two take turns on a connection."""

    def __init__(self, services: Services, normaliser: Normaliser, shortest: Shortest | None = None) -> None:
        self._services = services
        self._normaliser = normaliser
        self._shortest = shortest
        self._flood_until = 0.0

    async def take(self, connection_id: int, fresh: Sequence[Fresh]) -> bool:
        """True: they are durable, and understood or rung for. False: nothing was stored."""
        if monotonic() < self._flood_until:
            return False
        connection = await self._services.connections.get(connection_id)
        parsed = [parse_row(connection, 0, "webhook", one.body, self._services.clock.now()) for one in fresh]
        if any(one.error for one in parsed):
            return False
        if not all(isinstance(event, SIMPLE) for one in parsed for event in one.events):
            return False
        turn = self._normaliser.turn(connection_id)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.acquire()
        except TimeoutError:
            self._flood_until = monotonic() + FLOOD_SECONDS
            return False
        try:
            return await self._in_turn(connection, fresh, parsed)
        finally:
            turn.release()

    async def _in_turn(self, connection: Loaded, fresh: Sequence[Fresh], parsed: Sequence[Parsed]) -> bool:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                if not await self._normaliser.caught_up(connection.id):
                    self._flood_until = monotonic() + FLOOD_SECONDS
                    return False
                if await self._take_shortest(Simple(connection, fresh, parsed)):
                    return True
                async with self._services.work() as work:
                    await self._store_and_handle(work, connection, fresh, parsed)
        except Exception as error:
            # To be stored may succeed all the same; the normaliser finds out what is wrong with which of them.
            log.info("webhooks of connection %s are left to their turn: %s", connection.id, type(error).__name__)
            return False
        return True

    async def _take_shortest(self, simple: Simple) -> bool:
        if self._shortest is None:
            return False
        try:
            work = await self._shortest.take(simple)
        except asyncpg.PostgresError as error:
            log.info("webhooks of connection %s go the longer way: %s", simple.connection.id, type(error).__name__)
            return False
        if work is None:
            return False
        _count(simple.parsed)
        await self._services.publish(work)
        return True

    async def _store_and_handle(
        self, work: Work, connection: Loaded, fresh: Sequence[Fresh], parsed: Sequence[Parsed]
    ) -> None:
        rows = await work.tx.fetch(
            STORE,
            LOCK_SPACE,
            connection.id,
            [one.dedupe_key for one in fresh],
            [one.body for one in fresh],
            [one.state for one in parsed],
            [one.note for one in parsed],
            work.now,
        )
        if not rows:
            return
        if not rows[0]["ours"]:
            work.ring("inbound", connection.id)
            return
        by_key = {one.dedupe_key: what for one, what in zip(reversed(fresh), reversed(parsed), strict=True)}
        stored = [Parsed(row["id"], row["received_at"], by_key[row["dedupe_key"]].events) for row in rows]
        await self._normaliser.hand_over(work, connection, stored)
        _count(stored)


def _count(stored: Sequence[Parsed]) -> None:
    for state, number in Counter(one.state for one in stored).items():
        EVENTS.labels(state).inc(number)
