"""The shortest way of a few ordinary messages: one look without locks, one statement that stores their webhooks and writes what they mean. Who
wrote a moment ago is not even looked up: what was seen last is remembered (:mod:`inbox.remembered`).

The usual way (``inbox.receive`` in a unit of work) locks first and decides then, which takes five round trips to the database, each of them
while everything else of the connection waits. Here everything is decided on what was seen, and the statement that writes makes sure that nothing of it has changed
since: it takes the connection's turn, locks the conversations, and finds each row still the one that was seen (PostgreSQL numbers
each writing of a row), accounts and people still known as they were, and no recall that came first. Otherwise it writes nothing, and the messages go the usual way.

What is decided is decided by the same functions as there. Whatever takes more than conversations and messages (somebody new, files, echoes,
recalls that came before, a conversation that is opened again, a campaign that waits for answers) goes the usual way as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import asyncpg

from inbox import arrivals, at_hand, familiar, lead_cards, rows
from inbox.arrivals import Arrival
from inbox.familiar import Familiar, Question
from inbox.remembered import Remembered
from inbox.rows import Conversation
from inbox.text import clean
from inbox.turns import Turns
from scrm.at_once import HEALTH, HELD, WAITING, Simple
from scrm.channel import MessageReceived
from scrm.db import Database, Tx
from scrm.normalise import LOCK_SPACE, Batch, Handler, Item
from scrm.services import Services, Work

LOOK = f"""
select f.*, exists (select from inbound_event where connection_id = $1 and dedupe_key = any($6::text[])) as stored
from ({familiar.FIND}) f
"""  # noqa: S608
WRITE = f"""
with held as materialized (
  select {HELD.format(space="$53", connection="$54")} as held
), turn as materialized (
  select held and not {WAITING.format(connection="$54")} as ours from held
), seen as materialized (
  select c.id from unnest($1::bigint[], $55::text[]) w (id, mark)
  cross join lateral (select id from conversation where id = w.id and xmin::text = w.mark offset 0 for update) c
  where (select ours from turn)
), people as materialized (
  select count(*) as known from unnest($59::text[], $60::text[], $61::text[], $62::bigint[], $63::bigint[], $64::text[])
    w (channel, account, contact, account_id, contact_id, facts)
  cross join lateral (select * from account where id = w.account_id offset 0) a
  cross join lateral (select * from contact where id = w.contact_id offset 0) k
  cross join lateral (select w.channel, w.account, w.contact, {familiar.PLACE}) p
  where {familiar.FACTS} = w.facts and (select ours from turn)
), recalled as materialized (
  select exists (
    select from unnest($37::bigint[], $47::text[]) w (conversation_id, platform_message_id) cross join lateral (
      select from early_recall e where e.conversation_id = w.conversation_id and e.platform_message_id = w.platform_message_id offset 0
    ) e
  ) as recalled
), good as materialized (
  select count(*) = cardinality($1::bigint[]) and (select known from people) = cardinality($1::bigint[])
    and not (select recalled from recalled) as good from seen
), health as (
  {HEALTH.format(now="$52", connection="$54")} and (select good from good)
), stored as (
  insert into inbound_event (connection_id, source, dedupe_key, body, received_at, state, attempts, handled_at)
  select $54, 'webhook', w.dedupe_key, w.body, $52, 'done', 1, $52
  from unnest($56::text[], $57::bytea[]) with ordinality w (dedupe_key, body, n) where (select good from good) order by w.n
  on conflict (connection_id, dedupe_key) do nothing returning id, dedupe_key
), number as materialized (
  select count(*) as stored from stored
), saved as (
  {rows.SAVE} and (select stored from number) > 0 returning c.id, c.xmin::text as mark
), written as (
  {arrivals.INTO}, s.id
  from {arrivals.VALUES} with ordinality w ({arrivals.NAMES}, n)
  join unnest($58::text[]) with ordinality k (dedupe_key, n) on k.n = w.n
  join stored s on s.dedupe_key = k.dedupe_key
  order by w.n
  returning id, conversation_id, seq
)
select w.id, w.conversation_id, w.seq, s.mark, 1 / (case when n.stored = cardinality($56::text[]) then 1 else 0 end) as whole
from written w join saved s on s.id = w.conversation_id, number n
"""  # noqa: S608
"""Nothing, when it is not the connection's turn or something has changed. A message that is there already makes it fail by its key, somebody
who stores one of several webhooks at this very moment by a division, since a statement has no other way to give itself up."""


class NotSoSimple(Exception):
    """Somebody needs the database."""


class _NoDatabase:
    """Stands where a handler that has something to write would find its transaction."""

    def __getattr__(self, name: str) -> Any:
        raise NotSoSimple(name)


class Shortest:
    """``planned_once``: connections whose plans are kept. ``others``: the handlers after the inbox's own; where one of them needs the database
    for a message, it goes the usual way."""

    def __init__(self, services: Services, planned_once: Database, others: Sequence[Handler]) -> None:
        self._services = services
        self._db = planned_once
        self._others = others
        self.remembered = Remembered(services.bus)

    async def take(self, simple: Simple) -> Work | None:
        work = Work(cast(Tx, _NoDatabase()), self._services.clock.now())
        said = _said(simple)
        events = [event for _, event in said]
        batch = Batch(simple.connection, [Item(0, n, work.now, event) for n, event in enumerate(events)])
        question = familiar.asked(batch, events) if said else None
        if question is None:
            return None
        try:
            for handler in self._others:
                await handler(work, batch)
            return await self._by_memory(work, simple, question, said) or await self._by_look(
                work, simple, question, said
            )
        except NotSoSimple:
            return None

    async def _by_memory(self, work: Work, simple: Simple, question: Question, said: Sequence[Said]) -> Work | None:
        found = self.remembered.answer(simple.connection.id, question)
        if found is None or not found.unheard:
            return None
        trial = Work(work.tx, work.now)
        try:
            if await self._taken(trial, simple, found, said):
                return _both(work, trial)
        except asyncpg.PostgresError:
            self.remembered.forget(simple.connection.id, question)
            raise
        self.remembered.forget(simple.connection.id, question)
        return None

    async def _by_look(self, work: Work, simple: Simple, question: Question, said: Sequence[Said]) -> Work | None:
        seen = await self._db.fetch(LOOK, *question.parameters, [one.dedupe_key for one in simple.fresh])
        found = None if any(row["stored"] for row in seen) else question.answered(seen)
        if found is None or not found.unheard:
            return None
        return work if await self._taken(work, simple, found, said) else None

    async def _taken(self, work: Work, simple: Simple, found: Familiar, said: Sequence[Said]) -> bool:
        fresh = await _numbered(work, found, said)
        if not fresh or not await self._write(work, simple, found, fresh):
            return False
        at_hand.tell(work, found.known, list(fresh))
        return True

    async def _write(self, work: Work, simple: Simple, found: Familiar, fresh: Mapping[Arrival, str]) -> bool:
        messages = list(fresh)
        known = {one.conversation.id: one for one in found.known}
        written_in = [known[conversation.id] for conversation in arrivals.conversations_of(messages)]
        written = await self._db.fetch(
            WRITE,
            *arrivals.columns_of(work, messages),
            LOCK_SPACE,
            simple.connection.id,
            [one.mark for one in written_in],
            [one.dedupe_key for one in simple.fresh],
            [one.body for one in simple.fresh],
            list(fresh.values()),
            *zip(*((*(one.row[name] for name in PEOPLE), one.row["facts"]) for one in written_in), strict=True),
        )
        if not written:
            return False
        self.remembered.keep(simple.connection.id, written_in, {row["conversation_id"]: row["mark"] for row in written})
        arrivals.note_written(work, messages, written)
        arrivals.count(messages)
        return True


PEOPLE = ("channel", "account", "contact", "account_id", "contact_id")
Said = tuple[str, MessageReceived]
"""A message with the key of its webhook."""


def _both(work: Work, more: Work) -> Work:
    """One to publish, of what two have to tell."""
    for topic, ids in more.rings.items():
        work.ring(topic, *ids)
    for topic, things in more.told.items():
        work.told[topic] += things
    return work


def _said(simple: Simple) -> list[Said]:
    """Nothing when there is more than messages in the webhooks, or one of them twice."""
    said = [
        (one.dedupe_key, event) for one, what in zip(simple.fresh, simple.parsed, strict=True) for event in what.events
    ]
    if len({one.dedupe_key for one in simple.fresh}) < len(simple.fresh):
        return []
    messages = [(key, event) for key, event in said if isinstance(event, MessageReceived)]
    return messages if len(messages) == len(said) else []


async def _numbered(work: Work, found: Familiar, said: Sequence[Said]) -> dict[Arrival, str]:
    """The messages with their numbers, each with the key of its webhook; nothing when one of them is there twice. Raises
    :class:`NotSoSimple` when more has to be written than these and their conversations."""
    keys = {Arrival(_conversation(found, event), event, None): key for key, event in said}
    fresh = arrivals.each_once(list(keys))
    if len(fresh) < len(keys):
        return {}
    turns = Turns()
    arrivals.number(work, fresh, turns, await arrivals.answers_under_way(work, arrivals.without_key(fresh)))
    await turns.record(work)
    await arrivals.note_media(work, fresh)
    await lead_cards.note_numbers(work, fresh)
    return {arrival: keys[arrival] for arrival in fresh}


def _conversation(found: Familiar, event: MessageReceived) -> Conversation:
    account_id = found.accounts[event.account.channel, clean(event.account.external_id)]
    return found.conversations[account_id, found.people[clean(event.contact.external_id)].contact_id, ""]
