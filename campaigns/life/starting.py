"""What is due becomes a run: once, however many processes look and however wrong their clocks are.

The campaign's row is locked while its date is taken and the next one is written; the unique key of runs (campaign, date) is the last
word. Dates follow from the schedule and the date before, never from the clock of who looks.

Late: within ``late_hours`` it still starts; after that the run is written down as missed, with the reason, and its people are told. Of several dates that
passed, the latest counts and the others are missed.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import islice, takewhile

from campaigns.life import dates, states
from campaigns.life.expiry import end_of_words
from campaigns.life.telling import tell_missed
from campaigns.shapes import Schedule
from scrm.db import LOST, RETRYABLE, Row
from scrm.metrics import CAMPAIGN_ASIDES
from scrm.services import Services, Work

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=1)
GRACE = timedelta(minutes=5)
"""As long nothing counts as late: clocks differ, and processes restart."""
AT_ONCE = 200
"""Dates that are written down in one go."""

DUE = """
select * from campaign where kind in ('message', 'moment') and next_at <= $1 and state in ('scheduled', 'running') and deleted_at is null
  and id <> all($2::bigint[])
order by next_at, id limit 1 for no key update skip locked
"""
START = """
insert into campaign_run (campaign_id, due_at, state, content, audience, options, late, created_at)
values ($1, $2, 'freezing', $3, $4, $5, $6, $7) on conflict (campaign_id, due_at) do nothing returning id
"""
MISS = """
insert into campaign_run (campaign_id, due_at, state, late, reason, created_at, finished_at)
values ($1, $2, 'missed', true, $3, $4, $4) on conflict (campaign_id, due_at) do nothing returning id
"""
STARTED = "select count(*) from campaign_run where campaign_id = $1 and state <> 'missed'"
NEXT = "update campaign set next_at = $2, updated_at = $3 where id = $1"

DOWN = {
    "code": "down",
    "zh": "到点时服务没有运行，恢复时已超过允许的补发时间。",
    "en": "The service did not run at this time and came back too late for it.",
}
PAUSED = {
    "code": "paused",
    "zh": "到点时任务处于暂停，恢复时已超过允许的补发时间。",
    "en": "The campaign was paused at this time and was resumed too late for it.",
}
OVERTAKEN = {
    "code": "overtaken",
    "zh": "恢复时有多个时间点已过，只补发最近的一次。",
    "en": "Several dates had passed; only the latest of them starts late.",
}


EXPIRED = {
    "code": "expired",
    "zh": "所用的素材内容已过有效期。",
    "en": "The saved post that it says has expired.",
}


async def start_due(services: Services, later: dict[int, datetime] | None = None) -> bool:
    """Starts what is due longest; True when there may be more. ``later``: campaigns that failed inside the service, and until when
    others go first; failures are written into it."""
    later = {} if later is None else later
    row: Row | None = None
    try:
        async with services.work() as work:
            row = await work.tx.fetchrow(DUE, work.now, [one for one, at in later.items() if at > work.now])
            if row is None:
                return False
            await occur(work, row)
    except Exception as error:
        if row is None or isinstance(error, (*LOST, *RETRYABLE)):
            raise
        log.exception("campaign %s cannot be started", row["id"])
        CAMPAIGN_ASIDES.labels("start").inc()
        later[row["id"]] = services.clock.now() + AGAIN
        return True
    later.pop(row["id"], None)
    return True


async def occur(work: Work, row: Row, *, paused: bool = False) -> None:
    """The date ``next_at`` of a campaign that is locked and scheduled or running has come. ``paused``: it had passed while paused."""
    schedule, due = Schedule.model_validate(row["schedule"]), row["next_at"]
    passed = [
        due,
        *takewhile(lambda at: at <= work.now, (one.at for one in islice(dates.dates(schedule, due), AT_ONCE))),
    ]
    if schedule.mode != "recurring":
        passed = [due]
    latest, started = passed[-1], False
    end = await end_of_words(work, row)
    missed: list[tuple[datetime, dict[str, str]]] = []
    for at in passed:
        in_time = _in_time(at, schedule, work.now)
        expired = end is not None and max(at, work.now) >= end
        if at == latest and in_time and not expired and len(passed) <= AT_ONCE:
            started = await _start(work, row, at)
        else:
            reason = _why(at == latest and expired, in_time, paused)
            if await work.tx.fetchval(MISS, row["id"], at, reason, work.now) is not None:
                missed.append((at, reason))
    if missed:
        work.ring("campaign", row["id"])
        await tell_missed(work, row, *missed[-1], len(missed))
    await _go_on(work, row, schedule, latest, started=started)


def _why(expired: bool, in_time: bool, paused: bool) -> dict[str, str]:
    if expired:
        return EXPIRED
    if in_time:
        return OVERTAKEN
    return PAUSED if paused else DOWN


def _in_time(at: datetime, schedule: Schedule, now: datetime) -> bool:
    return now - at <= max(timedelta(hours=schedule.late_hours), GRACE)


async def _start(work: Work, row: Row, at: datetime) -> bool:
    late = work.now - at > GRACE
    made = await work.tx.fetchval(
        START, row["id"], at, row["content"], row["audience"], row["options"], late, work.now
    )  # fmt: skip
    work.ring("campaign", row["id"])
    return made is not None


async def _go_on(work: Work, row: Row, schedule: Schedule, latest: datetime, *, started: bool) -> None:
    """The next date; and the state that follows from what just happened."""
    next_at = dates.first_after(schedule, latest) if schedule.mode == "recurring" else None
    if schedule.times is not None and await work.tx.fetchval(STARTED, row["id"]) >= schedule.times:
        next_at = None
    if started and row["state"] == "scheduled":
        await states.change(work, row["id"], ["scheduled"], "running", next_at=next_at)
    elif next_at is None and row["state"] == "scheduled":
        await states.change(work, row["id"], ["scheduled"], "done", next_at=None, finished_at=work.now)
    else:
        await work.tx.execute(NEXT, row["id"], next_at, work.now)
