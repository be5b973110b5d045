"""The shortest way of a few ordinary messages: one look without locks, one statement that stores their webhooks and writes what they mean.

The usual way (``inbox.receive`` in a unit of work) locks first and decides then, which takes five round trips to the database, each of them
while everything else of the connection waits. Here everything is decided on what was seen, and the statement that writes makes sure that nothing of it has changed
since: it takes the connection's turn, locks the conversations, and finds each row still the one that was seen (PostgreSQL numbers
each writing of a row). Otherwise it writes nothing, and the messages go the usual way.

What is decided is decided by the same functions as there. Whatever takes more than conversations and messages (somebody new, files, echoes,
recalls that came before, a conversation that is opened again, a campaign that waits for answers) goes the usual way as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from inbox import arrivals, at_hand, familiar, lead_cards, rows
from inbox.arrivals import Arrival
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
), good as materialized (
  select count(*) = cardinality($1::bigint[]) as good from seen
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
  {rows.SAVE} and (select stored from number) > 0
), written as (
  {arrivals.INTO}, s.id
  from {arrivals.VALUES} with ordinality w ({arrivals.NAMES}, n)
  join unnest($58::text[]) with ordinality k (dedupe_key, n) on k.n = w.n
  join stored s on s.dedupe_key = k.dedupe_key
  order by w.n
  returning id, conversation_id, seq
)
select w.id, w.conversation_id, w.seq, 1 / (case when n.stored = cardinality($56::text[]) then 1 else 0 end) as whole
from written w, number n
"""  # noqa: S608
"""Nothing, when it is not the connection's turn or something has changed. Somebody who stores one of several webhooks at this very moment makes
it fail as a whole (by a division, since a statement has no other way to give itself up)."""


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
            seen = await self._db.fetch(LOOK, *question.parameters, [one.dedupe_key for one in simple.fresh])
            found = None if any(row["stored"] for row in seen) else question.answered(seen)
            if found is None or not found.unheard:
                return None
            fresh = await _numbered(work, found, said)
        except NotSoSimple:
            return None
        if not fresh or not await self._write(work, simple, found, fresh):
            return None
        at_hand.tell(work, found.known, list(fresh))
        return work

    async def _write(self, work: Work, simple: Simple, found: familiar.Familiar, fresh: Mapping[Arrival, str]) -> bool:
        messages = list(fresh)
        marks = {one.conversation.id: one.row["mark"] for one in found.known}
        written = await self._db.fetch(
            WRITE,
            *arrivals.columns_of(work, messages),
            LOCK_SPACE,
            simple.connection.id,
            [marks[conversation.id] for conversation in arrivals.conversations_of(messages)],
            [one.dedupe_key for one in simple.fresh],
            [one.body for one in simple.fresh],
            list(fresh.values()),
        )
        if not written:
            return False
        arrivals.note_written(work, messages, written)
        arrivals.count(messages)
        return True


Said = tuple[str, MessageReceived]
"""A message with the key of its webhook."""


def _said(simple: Simple) -> list[Said]:
    """Nothing when there is more than messages in the webhooks, or one of them twice."""
    said = [
        (one.dedupe_key, event) for one, what in zip(simple.fresh, simple.parsed, strict=True) for event in what.events
    ]
    if len({one.dedupe_key for one in simple.fresh}) < len(simple.fresh):
        return []
    messages = [(key, event) for key, event in said if isinstance(event, MessageReceived)]
    return messages if len(messages) == len(said) else []


async def _numbered(work: Work, found: familiar.Familiar, said: Sequence[Said]) -> dict[Arrival, str]:
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


def _conversation(found: familiar.Familiar, event: MessageReceived) -> Conversation:
    account_id = found.accounts[event.account.channel, clean(event.account.external_id)]
    return found.conversations[account_id, found.people[clean(event.contact.external_id)].contact_id, ""]
