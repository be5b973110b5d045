"""Messages that arrived, as rows: duplicates dropped, own echoes matched, numbers given, files noted.

All set-based: a batch costs a handful of statements, however many messages it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inbox import rows, windows
from inbox.rows import Conversation
from inbox.text import clean, clean_json, preview
from inbox.turns import Turns
from scrm import jobs
from scrm.channel import MessageReceived, SenderKind
from scrm.db import Row
from scrm.metrics import MESSAGES
from scrm.services import Work

FETCH_MEDIA = "fetch_media"
ARCHIVED = "archive"
"""In the handle of a file that lies in an archive: fetched by whoever reads the archive, not by a job of ours."""


@dataclass(slots=True, eq=False)
class Arrival:
    """A received message and where it belongs."""

    conversation: Conversation
    event: MessageReceived
    inbound_event_id: int | None
    id: int = 0
    """Of its row, once it is written; 0: it was there already."""
    seq: int = 0
    version: int = 0
    recalled: Row | None = None


async def write(work: Work, arrivals: Sequence[Arrival], *, unheard: bool = False, quiet: bool = False) -> None:
    """Adds the messages that are not there yet to their (locked) conversations, and saves these. ``unheard``: none of them is there, or
    was recalled, which the caller has looked up under the same locks. ``quiet``: nobody here has to answer them, they only stand there."""
    fresh = each_once(arrivals) if unheard else await _without_known(work, arrivals)
    fresh = await _without_own_echoes(work, fresh)
    if not fresh:
        return
    await _forget_early_recalls(work, [arrival for arrival in fresh if arrival.recalled is not None])
    turns = Turns()
    number(work, fresh, None if quiet else turns, await answers_under_way(work, without_key(fresh)))
    await turns.record(work)
    await _insert(work, fresh)
    await note_media(work, fresh)
    count(fresh)


def without_key(arrivals: Sequence[Arrival]) -> set[int]:
    """The conversations of messages that open a window which counts by time and not by key."""
    return {one.conversation.id for one in arrivals if one.event.window and not one.event.window.key}


def number(work: Work, fresh: list[Arrival], turns: Turns | None, under_way: Mapping[int, int]) -> None:
    """Gives new messages their places in (locked) conversations, and tells these what it means. Changes the order of ``fresh``: platforms
    deliver out of order; within a batch the platform's own time decides."""
    fresh.sort(key=lambda arrival: arrival.event.sent_at)
    for arrival in fresh:
        _number(arrival, work, turns, under_way.get(arrival.conversation.id, 0))


def count(written: Sequence[Arrival]) -> None:
    MESSAGES.labels("in").inc(sum(arrival.event.direction == "in" for arrival in written))
    MESSAGES.labels("out").inc(sum(arrival.event.direction == "out" for arrival in written))


HEARD_OF = """
select m.conversation_id, m.platform_message_id, m.id, m.state, null::timestamptz as recalled_at, null as recalled_by
from unnest($1::bigint[], $2::text[]) w (conversation_id, platform_message_id) cross join lateral (
  select m.id, m.conversation_id, m.platform_message_id, m.state from message m
  where m.conversation_id = w.conversation_id and m.platform_message_id = w.platform_message_id offset 0
) m
union all
select e.conversation_id, e.platform_message_id, null, null, e.recalled_at, e.recalled_by
from early_recall e join unnest($1::bigint[], $2::text[]) w (conversation_id, platform_message_id)
  on e.conversation_id = w.conversation_id and e.platform_message_id = w.platform_message_id
"""
"""Of some messages, those that are there, and those that are not but were recalled."""


def _by_message(arrivals: Sequence[Arrival]) -> dict[tuple[int, str], Arrival]:
    first: dict[tuple[int, str], Arrival] = {}
    for arrival in arrivals:
        first.setdefault((arrival.conversation.id, clean(arrival.event.message_id)), arrival)
    return first


def each_once(arrivals: Sequence[Arrival]) -> list[Arrival]:
    return list(_by_message(arrivals).values())


async def _without_known(work: Work, arrivals: Sequence[Arrival]) -> list[Arrival]:
    first = _by_message(arrivals)
    heard_of = await work.tx.fetch(
        HEARD_OF, [conversation_id for conversation_id, _ in first], [message_id for _, message_id in first]
    )
    for row in heard_of:
        key = row["conversation_id"], row["platform_message_id"]
        if row["id"] is None:
            if key in first:
                first[key].recalled = row
            continue
        arrival = first.pop(key)
        if arrival.event.echo and row["state"] in ("queued", "sending", "uncertain"):
            await _settle(work, arrival, row["id"])
    return list(first.values())


async def _without_own_echoes(work: Work, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Our own sends come back from some platforms, perhaps before the answer to the send itself did. An echo belongs to the
    message of its conversation that is on its way or uncertain: the one with the same text, else the oldest of its kind."""
    echoes = [arrival for arrival in arrivals if arrival.event.echo]
    if not echoes:
        return list(arrivals)
    ours = await work.tx.fetch(
        "select id, conversation_id, kind, text, state from message where conversation_id = any($1::bigint[]) "
        "and state in ('queued', 'sending', 'uncertain') and platform_message_id is null order by id",
        sorted({arrival.conversation.id for arrival in echoes}),
    )
    in_flight: dict[int, list[Row]] = defaultdict(list)
    for row in ours:
        in_flight[row["conversation_id"]].append(row)
    matched: set[int] = set()
    for arrival in echoes:
        own = _match(arrival.event, in_flight[arrival.conversation.id])
        if own is not None:
            in_flight[arrival.conversation.id].remove(own)
            await _settle(work, arrival, own["id"])
            matched.add(id(arrival))
    return [arrival for arrival in arrivals if id(arrival) not in matched]


def _match(event: MessageReceived, ours: Sequence[Row]) -> Row | None:
    # One that is being sent before one whose fate is unknown: that one may never have left, and its text may be the same.
    alike = sorted((row for row in ours if row["kind"] == event.kind), key=lambda row: row["state"] != "sending")
    for row in alike:
        if row["text"] == event.text:
            return row
    return next((row for row in alike if row["state"] == "sending"), None)


async def _settle(work: Work, arrival: Arrival, message_id: int) -> None:
    """The platform shows our message: it was sent, whatever we had heard. Its row in the outbox goes when it is not being
    sent at this moment (its sender will find the message sent)."""
    await work.tx.execute(
        "update message set state = 'sent', reason = null, platform_message_id = $2, version = $3 where id = $1",
        message_id,
        clean(arrival.event.message_id),
        arrival.conversation.next_version(),
    )
    await work.tx.execute("delete from outbox where message_id = $1 and act = 'send' and state = 'queued'", message_id)


async def _forget_early_recalls(work: Work, recalled: Sequence[Arrival]) -> None:
    """They have found their messages."""
    if recalled:
        await work.tx.execute(
            "delete from early_recall e using unnest($1::bigint[], $2::text[]) w (conversation_id, platform_message_id) "
            "where e.conversation_id = w.conversation_id and e.platform_message_id = w.platform_message_id",
            [arrival.conversation.id for arrival in recalled],
            [clean(arrival.event.message_id) for arrival in recalled],
        )


async def answers_under_way(work: Work, conversation_ids: Collection[int]) -> dict[int, int]:
    """How many answers are on their way, for conversations whose window counts by time and not by key."""
    if not conversation_ids:
        return {}
    counts = await work.tx.fetch(
        "select conversation_id, count(*) as n from message where conversation_id = any($1::bigint[]) "
        "and state in ('queued', 'sending') group by conversation_id",
        list(conversation_ids),
    )
    return {row["conversation_id"]: row["n"] for row in counts}


def _number(arrival: Arrival, work: Work, turns: Turns | None, in_flight: int) -> None:
    """Gives the message its place and tells the conversation what it means."""
    conversation, event = arrival.conversation, arrival.event
    arrival.seq = conversation.next_seq()
    arrival.version = conversation.next_version()
    conversation.preview = "[已撤回]" if arrival.recalled else preview(clean(event.text))
    conversation.preview_kind = str(event.kind)
    conversation.preview_direction = event.direction
    at = min(event.sent_at, work.now)
    lull = at - conversation.last_message_at
    conversation.last_message_at = max(conversation.last_message_at, at)
    if turns is None:
        conversation.read_seq = arrival.seq
    elif event.direction == "in":
        turns.customer_wrote(conversation, arrival.seq, clean(event.text), at, lull)
    elif event.sender in (SenderKind.AGENT, SenderKind.APP):
        turns.answered_elsewhere(conversation, arrival.seq, at)
    if event.window is not None:
        windows.grant(conversation, event.window, event.sent_at, work.now, in_flight=in_flight)


VALUES = """unnest($37::bigint[], $38::bigint[], $39::bigint[], $40::text[], $41::text[], $42::text[], $43::jsonb[], $44::text[],
  $45::text[], $46::text[], $47::text[], $48::timestamptz[], $49::timestamptz[], $50::text[], $51::bigint[])"""
NAMES = """conversation_id, seq, version, direction, kind, text, content, sender_kind, sender_id, sender_name,
  platform_message_id, sent_at, recalled_at, recalled_by, inbound_event_id"""
INTO = f"""insert into message (state, created_at, {NAMES})
select case when w.direction = 'in' then 'received' else 'sent' end, $52, w.conversation_id, w.seq, w.version, w.direction, w.kind, w.text,
  w.content, w.sender_kind, w.sender_id, w.sender_name, w.platform_message_id, w.sent_at, w.recalled_at, w.recalled_by"""
INSERT = f"""
with saved as ({rows.SAVE})
{INTO}, w.inbound_event_id from {VALUES} w ({NAMES})
returning id, conversation_id, seq
"""
"""The messages and their conversations in one statement: at a quiet pace round trips are what a message costs."""


def columns_of(work: Work, arrivals: Sequence[Arrival]) -> list[Any]:
    """The parameters of :data:`INSERT`, those of the conversations first."""
    events = [arrival.event for arrival in arrivals]
    return [
        *rows.columns_of(conversations_of(arrivals)),
        [arrival.conversation.id for arrival in arrivals],
        [arrival.seq for arrival in arrivals],
        [arrival.version for arrival in arrivals],
        [event.direction for event in events],
        [str(event.kind) for event in events],
        [clean(event.text) for event in events],
        [clean_json(event.content) for event in events],
        [str(event.sender) for event in events],
        [clean(event.sender_id) for event in events],
        [clean(event.sender_name) for event in events],
        [clean(event.message_id) or None for event in events],
        [event.sent_at for event in events],
        [arrival.recalled["recalled_at"] if arrival.recalled else None for arrival in arrivals],
        [arrival.recalled["recalled_by"] if arrival.recalled else None for arrival in arrivals],
        [arrival.inbound_event_id for arrival in arrivals],
        work.now,
    ]


def conversations_of(arrivals: Sequence[Arrival]) -> list[Conversation]:
    """By their ids, the order in which everybody locks them."""
    found = {arrival.conversation.id: arrival.conversation for arrival in arrivals}
    return [found[key] for key in sorted(found)]


async def _insert(work: Work, arrivals: Sequence[Arrival]) -> None:
    note_written(work, arrivals, await work.tx.fetch(INSERT, *columns_of(work, arrivals)))


def note_written(work: Work, arrivals: Sequence[Arrival], written: Iterable[Row]) -> None:
    """Gives each message the id of its row."""
    rows.note_saved(work, conversations_of(arrivals))
    ids = {(row["conversation_id"], row["seq"]): row["id"] for row in written}
    for arrival in arrivals:
        arrival.id = ids[arrival.conversation.id, arrival.seq]


async def note_media(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Files still lie with the platform and will be deleted there: each gets a row and a job that fetches it."""
    files: list[tuple[Any, ...]] = [
        (
            arrival.id,
            position,
            str(media.kind),
            clean_json(media.handle),
            clean(media.name),
            clean(media.mime),
            media.size,
            media.width,
            media.height,
            media.duration_ms,
            media.expires_at,
        )
        for arrival in arrivals
        for position, media in enumerate(arrival.event.media)
    ]
    if not files:
        return
    attached = await work.tx.fetch(
        "insert into attachment (message_id, position, kind, state, handle, name, mime, size, width, height, duration_ms, "
        "expires_at) select w.message_id, w.position, w.kind, 'pending', w.handle, w.name, w.mime, w.size, w.width, "
        "w.height, w.duration_ms, w.expires_at from unnest($1::bigint[], $2::int[], $3::text[], $4::jsonb[], $5::text[], "
        "$6::text[], $7::bigint[], $8::int[], $9::int[], $10::int[], $11::timestamptz[]) w (message_id, position, kind, "
        "handle, name, mime, size, width, height, duration_ms, expires_at) returning id, handle",
        *[list(column) for column in zip(*files, strict=True)],
    )
    plain = [row["id"] for row in attached if ARCHIVED not in row["handle"]]
    await jobs.put(work, FETCH_MEDIA, [str(one) for one in plain], [{"attachment_id": one} for one in plain])
