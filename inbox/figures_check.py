"""Whether the recorded answers are what the messages themselves say: every conversation is walked again from its messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scrm.db import Row, Tx

CONCERNED = """
select conversation_id from conversation_event where kind = 'answered' and at >= $1 and at < $2
union select conversation_id from message where direction = 'out' and sender_kind in ('agent', 'app')
  and created_at >= $1 and created_at < $2
"""
AT_ONCE = 500
MESSAGES = """
select m.conversation_id, m.seq, m.direction, m.sender_kind, m.sender_agent_id, m.created_at, least(m.sent_at, m.created_at) as at,
  m.client_token is not null as ours,
  exists (select from survey s where s.conversation_id = m.conversation_id and s.answer_seq = m.seq and s.comment = '') as score
from message m where m.conversation_id = any($1::bigint[]) and m.direction in ('in', 'out') order by m.conversation_id, m.seq
"""
EVENTS = """
select conversation_id, seq, version, at, kind, agent_id, data from conversation_event
where conversation_id = any($1::bigint[]) and kind in ('closed', 'reopened', 'answered') order by conversation_id, version
"""


@dataclass(frozen=True, slots=True, order=True)
class Answered:
    """An answer as counted: by whom (0: in the platform's own client), after how many seconds, whether the first."""

    conversation_id: int
    seq: int
    agent_id: int
    seconds: int
    first: bool


@dataclass(frozen=True, slots=True)
class Compared:
    answers: int
    unrecorded: list[Answered]
    """In the messages, not in the events."""
    unfounded: list[Answered]
    """In the events, not in the messages."""


async def compare(tx: Tx, begin: datetime, finish: datetime) -> Compared:
    """All answers given in [begin, finish)."""
    ids = sorted(row["conversation_id"] for row in await tx.fetch(CONCERNED, begin, finish))
    recorded: set[Answered] = set()
    real: set[Answered] = set()
    for start in range(0, len(ids), AT_ONCE):
        page = ids[start : start + AT_ONCE]
        messages, events = _grouped(await tx.fetch(MESSAGES, page)), _grouped(await tx.fetch(EVENTS, page))
        for one in page:
            recorded.update(_recorded(events.get(one, ()), begin, finish))
            real.update(walk(messages.get(one, ()), events.get(one, ()), begin, finish))
    return Compared(len(recorded), sorted(real - recorded), sorted(recorded - real))


def _grouped(rows: Iterable[Row]) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["conversation_id"]].append(row)
    return found


def _recorded(events: Iterable[Row], begin: datetime, finish: datetime) -> Iterable[Answered]:
    for row in events:
        if row["kind"] == "answered" and begin <= row["at"] < finish:
            data = row["data"]
            yield Answered(row["conversation_id"], row["seq"], row["agent_id"] or 0, data["seconds"], data["first"])


def walk(messages: Iterable[Row], events: Iterable[Row], begin: datetime, finish: datetime) -> Iterable[Answered]:
    """Who waited, and who answered, told from the messages; of the events only who closed and who opened when."""
    steps: list[tuple[int, int, Row]] = [(row["seq"], 0, row) for row in messages]
    steps += [(row["seq"], row["version"], row) for row in events if row["kind"] != "answered"]
    waiting: datetime | None = None
    was_waiting: datetime | None = None
    closed, first, answered_seq = False, True, -1
    for seq, version, row in sorted(steps, key=lambda step: step[:2]):
        if version:
            by = row["data"].get("by")
            if row["kind"] == "closed":
                was_waiting, waiting, closed = waiting, None, True
            elif by == "undo":
                waiting, closed = was_waiting, False
            elif by != "customer":
                # The answer that opened it is the first one itself.
                closed, first = False, seq != answered_seq
        elif row["direction"] == "in":
            if closed and row["score"]:
                continue
            if closed:
                closed, first = False, True
            waiting = waiting or row["at"]
        elif row["sender_kind"] in ("agent", "app"):
            at = row["created_at"] if row["ours"] else row["at"]
            if waiting is not None and begin <= row["created_at"] < finish:
                seconds = round(max((at - waiting).total_seconds(), 0))
                yield Answered(row["conversation_id"], seq, row["sender_agent_id"] or 0, seconds, first)
            waiting, first, answered_seq = None, False, seq
