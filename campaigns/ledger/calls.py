"""Calls of a platform for many: called once, and looked after until it is known what became of the call.

Before the call a ticket is marked ``calling`` with a lease. A call whose outcome is not known (a time-out, a process that died) is
``doubt``: where the platform drops repetitions of our key it is called again, elsewhere the platform's own list tells whether the task was made
(:mod:`campaigns.ledger.doubt`). Nothing is called twice on a guess.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from campaigns.ledger import aside, pace, quiet
from campaigns.ledger.content import as_broadcast, as_task
from campaigns.shapes import Options, Posts, Schedule
from scrm.channel import Sentence
from scrm.channel_campaigns import AsksMembers, Broadcasts
from scrm.company import FACTS
from scrm.db import LOST, RETRYABLE, Row
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.metrics import CAMPAIGN_CALLS
from scrm.services import Services, Work
from scrm.variables import filled, of_moment

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
CALL_WITHIN = 60.0
"""Real seconds, uploads of attachments included; well below the lease and :data:`campaigns.ledger.doubt.SETTLES`, so that nobody looks for
a task that may still be made."""
FIRST_LOOK = timedelta(seconds=20)
KEY_LASTS = timedelta(hours=20)
"""Platforms remember keys for a day; a call under a forgotten one would be a second post."""

CLAIM = """
with ready as (
  select t.id, t.called_at as called_before from broadcast_ticket t join campaign c on c.id = t.campaign_id join campaign_run r on r.id = t.run_id
    join connection n on n.id = t.connection_id
  where t.state = 'queued' and t.due_at <= $1 and c.state = 'running' and r.state = 'running' and n.paused_at is null
  order by t.due_at, t.id limit 1 for update of t skip locked
)
update broadcast_ticket t set state = 'calling', attempts = attempts + 1, called_at = $1, lease_until = $2, lease_token = $3
from ready where t.id = ready.id returning t.*, ready.called_before
"""
# Kept before the call: a process that dies in it leaves no other trace by which the platform's list can be searched.
SAYS = "update broadcast_ticket set text = $2 where id = $1"
# It was not called: it counts neither as an attempt nor against the limit that made it wait.
POSTPONE = """
update broadcast_ticket set state = 'queued', due_at = $3, attempts = attempts - 1, called_at = $4, lease_until = null, lease_token = null
where id = $1 and lease_token = $2
"""
ABANDONED = """
update broadcast_ticket set state = 'doubt', lease_until = null, lease_token = null, due_at = $1, doubted_at = coalesce(doubted_at, $1)
where id in (select id from broadcast_ticket where state = 'calling' and lease_until < $1 for update skip locked) returning id
"""
ASKED = """
update broadcast_ticket set state = 'asked', platform_id = $3, text = $4, look_at = $5, lease_until = null, lease_token = null
where id = $1 and lease_token = $2
"""
BACK = """
update broadcast_ticket set state = $3, due_at = $4, reason = $5, text = $6, lease_until = null, lease_token = null,
  doubted_at = case when $3 = 'doubt' then coalesce(doubted_at, $4) else doubted_at end
where id = $1 and lease_token = $2
"""
WHO = """
select d.id, k.external_id as contact, g.external_id as chat from delivery d left join contact k on k.id = d.contact_id
left join group_chat g on g.id = d.group_chat_id where d.ticket_id = $1 order by d.id
"""
CONTEXT = """
select a.external_id, a.channel, a.name, r.content, r.options, c.schedule, ag.name as agent_name from account a join campaign_run r on r.id = $2
join campaign c on c.id = r.campaign_id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id left join agent ag on ag.id = i.agent_id
where a.id = $1
"""
ON_THE_WAY = "update delivery set state = 'asked', updated_at = $2 where ticket_id = $1 and state = 'sending'"
REFUSED = """
update delivery d set state = 'failed', reason = 'not_a_friend', counted_at = null, updated_at = $3
where d.ticket_id = $1 and d.state in ('sending', 'asked')
  and d.contact_id = any(array(select k.id from contact k where k.connection_id = $4 and k.external_id = any($2::text[])))
"""
ENDED = """
update broadcast_ticket set state = case when doubted_at is null then 'failed' else 'uncertain' end, reason = $2, finished_at = $3,
  lease_until = null, lease_token = null where id = $1 and lease_token = $4 returning state
"""
ALL_ENDED = """
update delivery set state = $5, reason = $2, detail = $3, counted_at = case when $5 = 'uncertain' then counted_at end, updated_at = $4
where ticket_id = $1 and state in ('sending', 'asked')
"""
BROKE = """
update broadcast_ticket set state = 'calling', attempts = attempts + 1, lease_token = $2 where id = $1 and state = 'queued' returning *
"""
FORGOTTEN = """
update broadcast_ticket set state = 'doubt', due_at = $3, lease_until = null, lease_token = null where id = $1 and lease_token = $2
"""
BROKEN = Sentence(
    "发送时程序出错，不确定是否已提交。", "The program failed while sending; whether it was made is unknown."
)
TOO_LONG = Sentence(
    "提交用时过长而中断，正在向平台核实。",
    "It took too long and was broken off; the platform is asked whether it was made.",
)
NOT_CALLED = Sentence(
    "程序出错，尚未提交，会自动重试。", "The program failed before it was handed in; it is tried again."
)
GONE = Sentence("该连接或账号已不存在。", "The connection or account of this post is gone.")


async def call(services: Services) -> bool:
    """One ticket that is due. True: there may be more."""
    token = uuid.uuid4()
    ticket: Row | None = None
    try:
        async with services.work() as work:
            await work.tx.execute(ABANDONED, work.now)
            ticket = await work.tx.fetchrow(CLAIM, work.now, work.now + LEASE, token)
            if ticket is None:
                return False
            ready = await _ready(services, work, ticket, token)
    except (*LOST, *RETRYABLE):
        raise
    except Exception as error:
        if ticket is None:
            raise
        log.exception("ticket %s cannot be called", ticket["id"])
        await _broke(services, ticket, error)
        return True
    if ready is None:
        return True
    try:
        async with asyncio.timeout(CALL_WITHIN):
            platform_id, refused = await _call(services, ticket, ready)
    except TimeoutError:
        await _not_asked(services, ticket, token, Uncertain("took_too_long", TOO_LONG), ready)
    except SendError as error:
        await _not_asked(services, ticket, token, error, ready)
    except LOST:
        raise
    except Exception as error:
        log.exception("ticket %s", ticket["id"])
        await _not_asked(services, ticket, token, Uncertain("broken", BROKEN), ready)
        await aside.put(services, ticket["run_id"], "calls", error)
    else:
        CAMPAIGN_CALLS.labels("made").inc()
        async with services.work() as work:
            await asked(work, ticket, token, platform_id, ready.text, refused)
        await aside.forget(services, ticket["run_id"], "calls")
    return True


@dataclass(frozen=True, slots=True)
class _Ready:
    """What the call says, and to whom."""

    posts: Posts
    options: Options
    account_id: str
    channel: str
    contacts: list[str]
    chats: list[str]
    values: dict[str, str]
    text: str


async def _ready(services: Services, work: Work, ticket: Row, token: uuid.UUID) -> _Ready | None:
    """None: it has to wait, and was put back."""
    if (
        ticket["way"] == "broadcast"
        and ticket["doubted_at"] is not None
        and work.now - ticket["doubted_at"] > KEY_LASTS
    ):
        await work.tx.execute(FORGOTTEN, ticket["id"], token, work.now)
        return None
    context = await work.tx.fetchrow(CONTEXT, ticket["account_id"], ticket["run_id"])
    assert context is not None
    wait = quiet.until(Schedule.model_validate(context["schedule"]), work.now)
    wait = wait or await pace.too_fast(services, work, ticket)
    if wait is not None:
        await work.tx.execute(POSTPONE, ticket["id"], token, wait, ticket["called_before"])
        return None
    who = await work.tx.fetch(WHO, ticket["id"])
    facts = await FACTS.load(work.tx)
    values = {
        "agent.name": context["agent_name"] or context["name"],
        "company.name": facts.name,
        **of_moment(work.now.astimezone(facts.clock)),
    }
    posts = Posts.model_validate(context["content"])
    text = filled(posts.of(context["channel"]).text, values)
    await work.tx.execute(SAYS, ticket["id"], text)
    return _Ready(
        posts, Options.model_validate(context["options"]), context["external_id"], context["channel"],
        [row["contact"] for row in who if row["contact"] is not None], [row["chat"] for row in who if row["chat"] is not None],
        values, text,
    )  # fmt: skip


async def _call(services: Services, ticket: Row, ready: _Ready) -> tuple[str, list[str]]:
    loaded = services.connections.held(ticket["connection_id"])
    if loaded is None:
        raise Rejected("gone", GONE)
    if ticket["way"] == "task":
        if not isinstance(loaded.adapter, AsksMembers):
            raise Rejected("gone", GONE)
        said = as_task(ready.posts, ready.channel, ready.values, services.blobs)
        made, refused = await loaded.adapter.ask(
            ready.account_id, said, contact_ids=ready.contacts, group_ids=ready.chats
        )
        return made, list(refused)
    if not isinstance(loaded.adapter, Broadcasts):
        raise Rejected("gone", GONE)
    spread = as_broadcast(ready.posts, ready.channel, ready.values, ticket["idempotency_key"], services.blobs)
    return await loaded.adapter.broadcast(ready.account_id, ready.contacts, spread), []


async def asked(work: Work, ticket: Row, token: uuid.UUID, platform_id: str, text: str, refused: list[str]) -> None:
    """The platform has it: everybody waits for their outcome but those whom it refused at once."""
    await work.tx.execute(ASKED, ticket["id"], token, platform_id, text, work.now + FIRST_LOOK)
    await work.tx.execute(ON_THE_WAY, ticket["id"], work.now)
    if refused:
        await work.tx.execute(REFUSED, ticket["id"], refused, work.now, ticket["connection_id"])
    work.ring("campaign", ticket["campaign_id"])


async def _not_asked(services: Services, ticket: Row, token: uuid.UUID, error: SendError, ready: _Ready) -> None:
    """A throttle never fails a post: it waits, longer each time, until nobody would be asked any more."""
    text, now = ready.text, services.clock.now()
    CAMPAIGN_CALLS.labels(_outcome(error)).inc()
    async with services.work() as work:
        reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        if isinstance(error, RetryLater) and not _over(ticket, ready.options, now):
            wait = now + timedelta(seconds=max(error.after, pace.pause(ticket["attempts"], 2.0)))
            await work.tx.execute(BACK, ticket["id"], token, "queued", wait, reason, text)
        elif isinstance(error, RetryLater):
            await ended(work, ticket["id"], token, _gave_up(error, ready.options))
        elif isinstance(error, Uncertain):
            wait = now + timedelta(
                seconds=pace.pause(ticket["attempts"], 60.0) if ticket["way"] == "broadcast" else 15.0
            )
            await work.tx.execute(BACK, ticket["id"], token, "doubt", wait, reason, text)
        else:
            await ended(work, ticket["id"], token, reason)
        work.ring("campaign", ticket["campaign_id"])
    if isinstance(error, RetryLater):
        async with services.db.transaction() as tx:
            await pace.rest(tx, ticket, now + timedelta(seconds=error.after))


def _outcome(error: SendError) -> str:
    return "later" if isinstance(error, RetryLater) else "doubt" if isinstance(error, Uncertain) else "refused"


def _over(ticket: Row, options: Options, now: datetime) -> bool:
    return bool(now - ticket["created_at"] > timedelta(days=options.confirm_days))


def _gave_up(error: SendError, options: Options) -> dict[str, str]:
    days = options.confirm_days
    return {
        "code": "never_taken",
        "zh": f"平台在 {days} 天内一直没有接受这次群发：{error.reason.zh}",
        "en": f"The platform did not take this post for {days} days: {error.reason.en}",
    }


async def _broke(services: Services, ticket: Row, error: Exception) -> None:
    """Nothing was called: it waits, out of the others' way."""
    token = uuid.uuid4()
    async with services.work() as work:
        row = await work.tx.fetchrow(BROKE, ticket["id"], token)
        if row is None:
            return
        reason = {"code": "broken", "zh": NOT_CALLED.zh, "en": NOT_CALLED.en}
        if _over(row, Options(), work.now):
            await ended(work, row["id"], token, reason)
        else:
            wait = work.now + timedelta(seconds=pace.pause(row["attempts"], 10.0))
            await work.tx.execute(BACK, row["id"], token, "queued", wait, reason, row["text"])
    await aside.put(services, ticket["run_id"], "calls", error)


async def ended(work: Work, ticket_id: int, token: uuid.UUID, reason: dict[str, Any]) -> None:
    """It will not be called any more. Nobody got it, unless an earlier call's outcome was never known. A lost lease changes nothing."""
    state = await work.tx.fetchval(ENDED, ticket_id, reason, work.now, token)
    if state is not None:
        await work.tx.execute(ALL_ENDED, ticket_id, reason["code"], reason, work.now, state)
