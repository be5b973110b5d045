"""Moments that the platform makes or has made: whether the job is done, and who has published it, until nobody may any more."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from campaigns.moments.calls import failed
from campaigns.shapes import Options
from scrm.channel import Sentence
from scrm.channel_campaigns import MomentMember, Moments
from scrm.db import Row
from scrm.errors import Rejected, RetryLater, SendError
from scrm.services import Services, Work

log = logging.getLogger(__name__)

SOONEST, LATEST = timedelta(seconds=5), timedelta(minutes=20)
JOB_LASTS = timedelta(hours=24)
REACTIONS_AFTER = timedelta(minutes=1)

DUE = """
select t.*, r.state as run_state, r.options from moment_task t join campaign_run r on r.id = t.run_id
join connection n on n.id = t.connection_id
where t.state in ('making', 'open') and t.look_at <= $1 and n.paused_at is null order by t.look_at, t.id limit 1
"""
HOLD = (
    "update moment_task set look_at = $2 where id = $1 and state in ('making', 'open') and look_at <= $3 returning id"
)
AGAIN = "update moment_task set look_at = $2 where id = $1 and state in ('making', 'open')"
TO_LIST = "update moment_task set state = 'doubt', due_at = $2, look_at = null where id = $1 and state = 'making'"
OPEN = """
update moment_task set state = 'open', moment_id = $2, made_at = $3, look_at = $3 where id = $1 and state = 'making' returning id
"""
REFUSED = """
update moment_post p set state = 'refused' from account a
where p.task_id = $1 and a.id = p.account_id and a.external_id = any($2::text[]) and p.state in ('planned', 'asked')
"""
ASKED = "update moment_post set state = 'asked' where task_id = $1 and state = 'planned'"
PUBLISHED = """
update moment_post p set state = 'published', published_at = $3, look_at = $4 from account a
where p.task_id = $1 and a.id = p.account_id and a.external_id = any($2::text[]) and p.state in ('planned', 'asked', 'withdrawn')
"""
# The platform found out of itself whom it cannot ask; told only when its job was never seen.
UNLISTED = """
update moment_post p set state = 'refused' from account a
where p.task_id = $1 and a.id = p.account_id and not (a.external_id = any($2::text[])) and p.state = 'asked'
"""
WITHDRAWN = "update moment_task set withdrawn_at = coalesce(withdrawn_at, $2) where id = $1"
REST = "update moment_post set state = 'withdrawn' where task_id = $1 and state = 'asked'"
WAITS = "select exists (select from moment_post where task_id = $1 and state = 'asked')"
DONE = "update moment_task set state = 'done', finished_at = $2, look_at = null where id = $1 and state = 'open'"

NOBODY_TAKEN = Sentence("平台没有接受任何成员。", "The platform took none of the members.")


async def look(services: Services) -> bool:
    """One task that is due to be asked about. True: there may be more."""
    now = services.clock.now()
    task = await services.db.fetchrow(DUE, now)
    if task is None:
        return False
    if await services.db.fetchval(HOLD, task["id"], now + timedelta(minutes=2), now) is None:
        return True
    loaded = services.connections.held(task["connection_id"])
    if loaded is None or not isinstance(loaded.adapter, Moments):
        return True
    try:
        if task["state"] == "making":
            await _job(services, loaded.adapter, task)
        else:
            await _members(services, loaded.adapter, task)
    except RetryLater as error:
        await services.db.execute(AGAIN, task["id"], now + timedelta(seconds=max(error.after, 10)))
    except SendError as error:
        log.warning("moment task %s could not be asked about: %s", task["id"], error)
        await services.db.execute(AGAIN, task["id"], _next(task, now))
    return True


def _next(task: Row, now: datetime) -> datetime:
    age: timedelta = now - task["made_at"]
    return now + min(max(age / 10, SOONEST), LATEST)


async def _job(services: Services, adapter: Moments, task: Row) -> None:
    now = services.clock.now()
    try:
        job = await adapter.moment_job(task["job_id"])
    except Rejected:
        # The platform has forgotten the job: what became of it, its list of moments tells.
        await services.db.execute(TO_LIST, task["id"], now)
        return
    if job.state == "waiting":
        if now - task["called_at"] > JOB_LASTS:
            await services.db.execute(TO_LIST, task["id"], now)
        else:
            await services.db.execute(AGAIN, task["id"], _next(task, now))
        return
    async with services.work() as work:
        if job.refused:
            await work.tx.execute(REFUSED, task["id"], list(job.refused))
        if job.state == "failed" or not job.moment_id:
            words = job.reason or NOBODY_TAKEN
            await failed(work, task, {"code": job.code or "refused", "zh": words.zh, "en": words.en})
        elif await work.tx.fetchval(OPEN, task["id"], job.moment_id, work.now) is not None:
            await work.tx.execute(ASKED, task["id"])
        work.ring("campaign", task["campaign_id"])
        work.ring("moment", task["run_id"])


async def _members(services: Services, adapter: Moments, task: Row) -> None:
    """Who has published it. The end takes it back first, and only a look after that says who never did."""
    now = services.clock.now()
    ending = _over(task, now)
    if ending and task["withdrawn_at"] is None:
        try:
            await adapter.withdraw_moment(task["moment_id"])
        except Rejected as error:
            log.info("moment task %s cannot be withdrawn: %s", task["id"], error)
        await services.db.execute(WITHDRAWN, task["id"], now)
    listed = await _all_members(adapter, task["moment_id"])
    async with services.work() as work:
        await _write(work, task, listed)
        if ending:
            await work.tx.execute(REST, task["id"])
        if await work.tx.fetchval(WAITS, task["id"]):
            await work.tx.execute(AGAIN, task["id"], _next(task, now))
        else:
            await work.tx.execute(DONE, task["id"], now)
        work.ring("campaign", task["campaign_id"])


def _over(task: Row, now: datetime) -> bool:
    """Nobody is waited for any more: the run was cancelled, somebody takes it back, or the days to publish it have passed."""
    days = timedelta(days=Options.model_validate(task["options"]).confirm_days)
    return task["run_state"] == "cancelled" or task["ending_at"] is not None or now - task["made_at"] > days


async def _all_members(adapter: Moments, moment_id: str) -> Sequence[MomentMember]:
    found: list[MomentMember] = []
    cursor = ""
    while True:
        page, cursor = await adapter.moment_members(moment_id, cursor)
        found += page
        if not cursor:
            return found


async def _write(work: Work, task: Row, listed: Sequence[MomentMember]) -> None:
    done = [one.account_id for one in listed if one.published]
    if done:
        await work.tx.execute(PUBLISHED, task["id"], done, work.now, work.now + REACTIONS_AFTER)
    if listed and task["job_id"] is None:
        await work.tx.execute(UNLISTED, task["id"], [one.account_id for one in listed])
