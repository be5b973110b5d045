"""The one call that makes a moment.

A task is marked ``calling`` before the call, which is broken off before the lease ends. A call whose outcome is not known (a time-out, a process
that died) leaves it in ``doubt``, and the platform's own list decides (:mod:`campaigns.moments.doubt`). While a moment of a connection is on
its way or in doubt, no other with the same words is called there, so that what the list shows can be only one of them.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from campaigns.moments.places import MINUTE, called_since, month_of
from campaigns.shapes import Audience, Posts
from customers.greetings.content import outgoing
from scrm.channel import Sentence
from scrm.channel_campaigns import MomentPost, Moments
from scrm.company import FACTS
from scrm.db import LOST, Row
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.services import Services, Work
from scrm.variables import filled, of_moment

log = logging.getLogger(__name__)

CALL_SECONDS = 240.0
"""Nine pictures go up with it."""
LEASE = timedelta(seconds=CALL_SECONDS + 60)
FIRST_LOOK = timedelta(seconds=5)
MOST_ATTEMPTS = 12
"""After so many it waits for a person, who may ask again."""
LOCK_SPACE = 7_226_046

NEXT = """
select t.*, r.content, r.audience from moment_task t join campaign c on c.id = t.campaign_id join campaign_run r on r.id = t.run_id
join connection n on n.id = t.connection_id
where t.state = 'queued' and t.due_at <= $1 and c.state = 'running' and r.state = 'running' and n.paused_at is null
order by t.due_at, t.id limit 1 for update of t skip locked
"""
MEMBERS = """
select a.external_id, a.channel from moment_post p join account a on a.id = p.account_id
where p.task_id = $1 and p.state = 'planned' order by p.id
"""
TAGS = "select external_id from tag_link where connection_id = $1 and tag_id = any($2::bigint[]) order by external_id"
RIVAL = """
select exists (select from moment_task where connection_id = $1 and id <> $2 and text = $3 and state in ('calling', 'doubt'))
"""
CALLING = """
update moment_task set state = 'calling', attempts = attempts + 1, called_at = $2, lease_until = $3, text = $4, reason = null
where id = $1 returning attempts
"""
POSTPONE = "update moment_task set due_at = $2 where id = $1"
ABANDONED = """
update moment_task set state = 'doubt', lease_until = null, due_at = $1
where id in (select id from moment_task where state = 'calling' and lease_until < $1 for update skip locked)
"""
# An answer that comes after its lease is still this attempt's answer, while nobody has begun another.
MADE = """
update moment_task set state = 'making', job_id = $3, made_at = $4, look_at = $5, lease_until = null
where id = $1 and attempts = $2 and state in ('calling', 'doubt') returning id
"""
BACK = """
update moment_task set state = $3, due_at = $4, reason = $5, lease_until = null, called_at = case when $3 = 'doubt' then called_at end
where id = $1 and attempts = $2 and state = 'calling'
"""
FAILED = """
update moment_task set state = 'failed', reason = $2, finished_at = $3, lease_until = null, look_at = null
where id = $1 and state in ('queued', 'calling', 'making') and ($4::int is null or attempts = $4) returning run_id
"""
ALL_FAILED = "update moment_post set state = 'failed' where task_id = $1 and state in ('planned', 'asked')"

BROKEN = Sentence(
    "提交时程序出错，不确定是否已提交。", "The program failed while posting; whether it was made is unknown."
)
TOO_SLOW = Sentence("平台没有及时答复。", "The platform did not answer in time.")
GONE = Sentence("该连接已不存在，或不支持朋友圈。", "The connection is gone, or has no moments.")
NO_TAGS = Sentence("平台上没有所选的标签，为避免所有客户可见，没有提交。",
                   "The platform has none of the chosen tags. It was not posted, so that not everybody sees it.")  # fmt: skip
MONTH_FULL = Sentence("本月朋友圈条数已用完。", "The moments of this month are used up.")
SLOW_DOWN, SAME_WORDS = timedelta(seconds=20), timedelta(seconds=30)


async def call(services: Services) -> bool:
    """One task that is due. True: there may be more."""
    async with services.work() as work:
        await work.tx.execute(ABANDONED, work.now)
        task = await work.tx.fetchrow(NEXT, work.now)
        if task is None:
            return False
        prepared = await _prepare(services, work, task)
        if prepared is None:
            return True
        adapter, post, attempt = prepared
    try:
        async with asyncio.timeout(CALL_SECONDS):
            job_id = await adapter.post_moment(post)
    except SendError as error:
        await _not_made(services, task, attempt, error)
    except TimeoutError:
        await _not_made(services, task, attempt, Uncertain("too_slow", TOO_SLOW))
    except LOST:
        raise
    except Exception:
        log.exception("moment task %s", task["id"])
        await _not_made(services, task, attempt, Uncertain("broken", BROKEN))
    else:
        async with services.work() as work:
            now = work.now
            await work.tx.execute(MADE, task["id"], attempt, job_id, now, now + FIRST_LOOK)
            work.ring("moment", task["run_id"])
            work.ring("campaign", task["campaign_id"])
    return True


async def _prepare(services: Services, work: Work, task: Row) -> tuple[Moments, MomentPost, int] | None:
    """Everything that the call needs, and the task marked as being called; None when it is not called now."""
    loaded = services.connections.held(task["connection_id"])
    audience = Audience.model_validate(task["audience"])
    tags = [row["external_id"] for row in await work.tx.fetch(TAGS, task["connection_id"], list(audience.tag_ids))]
    if loaded is None or not isinstance(loaded.adapter, Moments):
        return await _refuse(work, task, "gone", GONE)
    adapter: Moments = loaded.adapter
    if audience.tag_ids and not tags:
        return await _refuse(work, task, "tags_unknown", NO_TAGS)
    await work.tx.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, task["connection_id"] % 2**31)
    month, _ = await month_of(work.tx, work.now)
    if await called_since(work.tx, task["connection_id"], month, but=task["id"]) >= adapter.moments_per_month:
        return await _refuse(work, task, "month_full", MONTH_FULL)
    members = await work.tx.fetch(MEMBERS, task["id"])
    facts = await FACTS.load(work.tx)
    values = {"company.name": facts.name, **of_moment(work.now.astimezone(facts.clock))}
    content = Posts.model_validate(task["content"]).of(adapter.moment_channel)
    text = filled(content.text, values)
    wait = await _wait(work, task, adapter, text)
    if wait is not None:
        await work.tx.execute(POSTPONE, task["id"], wait)
        return None
    attempt: int = await work.tx.fetchval(CALLING, task["id"], work.now, work.now + LEASE, text)
    parts = outgoing(content, services.blobs)
    return adapter, MomentPost(text, parts, [row["external_id"] for row in members], tags), attempt


async def _wait(work: Work, task: Row, adapter: Moments, text: str) -> datetime | None:
    """Until when: the platform's limit per minute, counted over all processes; or another moment with these words is not settled yet."""
    minute = await called_since(work.tx, task["connection_id"], work.now - MINUTE, but=task["id"])
    if minute >= adapter.moments_per_minute:
        return work.now + SLOW_DOWN
    rival = await work.tx.fetchval(RIVAL, task["connection_id"], task["id"], text)
    return work.now + SAME_WORDS if rival else None


async def _refuse(work: Work, task: Row, code: str, reason: Sentence) -> tuple[Moments, MomentPost, int] | None:
    await failed(work, task, {"code": code, "zh": reason.zh, "en": reason.en})
    return None


async def failed(work: Work, task: Row, reason: dict[str, Any], attempt: int | None = None) -> None:
    """Nobody is asked to post it, and why. ``attempt``: what this one says; one that began after it is not touched."""
    if await work.tx.fetchval(FAILED, task["id"], reason, work.now, attempt) is not None:
        await work.tx.execute(ALL_FAILED, task["id"])
        work.ring("campaign", task["campaign_id"])


async def _not_made(services: Services, task: Row, attempt: int, error: SendError) -> None:
    async with services.work() as work:
        reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        if isinstance(error, RetryLater) and attempt % MOST_ATTEMPTS:
            wait = max(error.after, min(2.0 ** (attempt % MOST_ATTEMPTS), 900.0))
            due = work.now + timedelta(seconds=wait)
            await work.tx.execute(BACK, task["id"], attempt, "queued", due, reason)
        elif isinstance(error, Rejected | RetryLater):
            await failed(work, task, reason, attempt)
        else:
            due = work.now + timedelta(seconds=15)
            await work.tx.execute(BACK, task["id"], attempt, "doubt", due, reason)
        work.ring("campaign", task["campaign_id"])
