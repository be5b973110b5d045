"""The steps that are due. A batch is one unit of work: who may not go on is stopped, tasks and messages are written, each with its row that is
unique for the entry and the step, and the entries move on; or nothing happened. No platform is called here: messages leave by the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from campaigns.sop.ending import answered, heard_between, obstacles, stop
from campaigns.sop.messages import say
from campaigns.sop.plans import Planned, of_versions
from campaigns.sop.reading import NAMES
from campaigns.sop.shapes import SopStep
from campaigns.sop.tasks import give
from campaigns.sop.times import due, outside
from campaigns.sop.whom import Rep, Whom, whom
from customers.timeline import Line, tell
from scrm.company import FACTS
from scrm.db import RETRYABLE, Row
from scrm.services import Services, Work

BATCH = 200
BEHIND = 20_000
"""Messages that are not read yet: with more, steps wait, for one of them may be an answer."""

# Of every plan at most a batch: one whose steps wait by the thousand does not keep the others waiting. The customer is held with the entry,
# so two plans count one customer's messages one after the other, and a merge comes before or after.
CLAIM = """
select w.* from sop s cross join lateral (
  select e.* from sop_entry e join customer u on u.id = e.customer_id where e.sop_id = s.id and e.state = 'under_way' and e.next_at <= $1
  order by e.next_at, e.id limit $2 for update of e, u skip locked) w
where s.enabled and s.deleted_at is null order by w.next_at, w.id limit $2
"""
UNREAD = "select last_id, coalesce((select max(id) from message), 0) as newest from reading_place where name = $1"
NOTE = """
insert into sop_step (entry_id, sop_id, version, customer_id, n, kind, state, reason, due_at, at, agent_id, task_id, conversation_id, title, text, words)
select w.entry_id, w.sop_id, w.version, w.customer_id, w.n, w.kind, w.state, w.reason, w.due_at, $1, w.agent_id, w.task_id, w.conversation_id,
  w.title, w.text, w.words
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::bigint[],
  $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::text[])
  w (entry_id, sop_id, version, customer_id, n, kind, state, reason, due_at, agent_id, task_id, conversation_id, title, text, words)
"""
MOVE_ON = """
update sop_entry e set next_step = w.next_step, next_at = w.next_at, state = case when w.done then 'done' else 'under_way' end,
  ended_at = case when w.done then $1::timestamptz end, acted_at = coalesce(e.acted_at, case when w.acted then $1::timestamptz end)
from unnest($2::bigint[], $3::int[], $4::timestamptz[], $5::bool[], $6::bool[]) w (id, next_step, next_at, done, acted) where e.id = w.id
"""
WAIT = "update sop_entry e set next_at = w.at from unnest($1::bigint[], $2::timestamptz[]) w (id, at) where e.id = w.id"

State = Literal["task", "sending", "skipped"]


@dataclass(slots=True, eq=False)
class Doing:
    """A step of an entry, and what becomes of it."""

    entry: Row
    planned: Planned
    step: SopStep
    rep: Rep | None = None
    words: str = ""
    state: State = "skipped"
    reason: str = ""
    task_id: int | None = None
    conversation_id: int | None = None
    whom: Whom | None = field(default=None, repr=False)

    @property
    def token(self) -> str:
        return token_of(self.entry["id"], self.entry["next_step"])


def token_of(entry_id: int, number: int) -> str:
    return f"sop:{entry_id}:{number}"


async def act(services: Services) -> bool:
    """One batch. True: there may be more."""
    try:
        async with services.work() as work:
            place = await work.tx.fetchrow(UNREAD, NAMES["message"])
            if place is None or place["newest"] - place["last_id"] > BEHIND:
                return False
            entries = await work.tx.fetch(CLAIM, work.now, BATCH)
            if entries:
                await _act(services, work, entries, (place["last_id"], place["newest"]))
    except RETRYABLE:
        return True
    return bool(entries)


async def _act(services: Services, work: Work, entries: Sequence[Row], unread: tuple[int, int]) -> None:
    stopped = await _stop(work, [row["id"] for row in entries], unread)
    entries = [row for row in entries if row["id"] not in stopped]
    planned = await of_versions(work.tx, {(row["sop_id"], row["version"]) for row in entries})
    facts = await FACTS.load(work.tx)
    doing = [
        Doing(row, planned[row["sop_id"], row["version"]], planned[row["sop_id"], row["version"]].plan.steps[row["next_step"]])
        for row in entries
    ]  # fmt: skip
    late = [one for one in doing if _late(one, work.now)]
    on_time = await _awake(work, [one for one in doing if one not in late], facts.clock)
    await whom(work, on_time, facts)
    await say(services, work, [one for one in on_time if one.step.kind == "message"])
    await give(work, [one for one in on_time if one.state == "task"], facts.clock)
    await _note(work, [*late, *on_time])
    await _move_on(work, [*late, *on_time], facts.clock)


async def _stop(work: Work, ids: Sequence[int], unread: tuple[int, int]) -> set[int]:
    """Also for an answer that the reader of messages has not come to yet."""
    reasons = await obstacles(work, ids)
    heard = await heard_between(work, *unread)
    reasons.update(dict.fromkeys(await answered(work, heard, ids), "replied"))
    await stop(work, reasons)
    return set(reasons)


async def _awake(work: Work, doing: Sequence[Doing], zone: ZoneInfo) -> list[Doing]:
    """A step that waited for the service does not come in the quiet hours: it waits for their end."""
    later = {one.entry["id"]: outside(one.planned.plan.quiet, work.now, zone) for one in doing}
    waits = {one: at for one, at in later.items() if at > work.now}
    if waits:
        await work.tx.execute(WAIT, list(waits), list(waits.values()))
    return [one for one in doing if one.entry["id"] not in waits]


def _late(one: Doing, now: datetime) -> bool:
    """Also says what becomes of one that is not: a task, or what its message comes to."""
    hours = one.planned.plan.late_hours
    if now - one.entry["next_at"] > timedelta(hours=hours):
        one.reason = "late"
        return True
    one.state = "task" if one.step.kind == "task" else "skipped"
    return False


async def _note(work: Work, doing: Sequence[Doing]) -> None:
    await work.tx.execute(
        NOTE, work.now, [one.entry["id"] for one in doing], [one.entry["sop_id"] for one in doing],
        [one.entry["version"] for one in doing], [one.entry["customer_id"] for one in doing],
        [one.entry["next_step"] for one in doing], [one.step.kind for one in doing], [one.state for one in doing],
        [one.reason for one in doing], [one.entry["next_at"] for one in doing],
        [one.rep.agent_id if one.rep and one.state == "task" else None for one in doing], [one.task_id for one in doing],
        [one.conversation_id for one in doing], [one.step.title for one in doing], [one.step.text for one in doing],
        [one.words for one in doing],
    )  # fmt: skip
    lines = [
        Line(
            one.entry["customer_id"], "sop.step", object_kind="sop", object_id=one.planned.id,
            agent_id=None, data={
                "sop": one.planned.named, "n": one.entry["next_step"] + 1, "of": len(one.planned.plan.steps),
                "title": one.step.title, "done": one.state, "why": one.reason,
            },
        )
        for one in doing
    ]  # fmt: skip
    await tell(work, lines)
    work.ring("sop", *{one.planned.id for one in doing})


async def _move_on(work: Work, doing: Sequence[Doing], zone: ZoneInfo) -> None:
    places = [_next(one, zone) for one in doing]
    await work.tx.execute(
        MOVE_ON, work.now, [one.entry["id"] for one in doing], [number for number, _, _ in places],
        [at for _, at, _ in places], [done for _, _, done in places], [one.state != "skipped" for one in doing],
    )  # fmt: skip
    finished = [one for one, place in zip(doing, places, strict=True) if place[2]]
    await tell(
        work,
        [
            Line(one.entry["customer_id"], "sop.done", object_kind="sop", object_id=one.planned.id, data={"sop": one.planned.named})
            for one in finished
        ],
    )  # fmt: skip


def _next(one: Doing, zone: ZoneInfo) -> tuple[int, datetime, bool]:
    number = one.entry["next_step"] + 1
    if number == len(one.planned.plan.steps):
        return number, one.entry["next_at"], True
    return number, due(one.planned.plan, number, one.entry["began_at"], zone, after=one.entry["next_at"]), False
