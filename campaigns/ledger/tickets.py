"""Calls of a platform for many: made out of planned deliveries, called once, and looked after until everybody's outcome is known.

A ticket and its deliveries are one unit of work. Before the call it is marked ``calling`` with a lease. A call whose outcome is not known
(a time-out, a process that died) is ``doubt``: where the platform drops repetitions of our key it is called again, elsewhere the platform's own list
tells whether the task was made (:mod:`campaigns.ledger.doubt`). Nothing is called twice on a guess.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from campaigns.ledger.content import as_broadcast, as_task
from campaigns.shapes import Posts
from scrm.channel import Sentence
from scrm.channel_campaigns import AsksMembers, Broadcasts
from scrm.company import FACTS
from scrm.connections import Loaded
from scrm.db import LOST, RETRYABLE, Row
from scrm.errors import Rejected, RetryLater, SendError, Uncertain
from scrm.outbox import new_idempotency_key
from scrm.services import Services, Work
from scrm.variables import filled, of_moment

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
CALL_WITHIN = 60.0
"""Real seconds, uploads of attachments included; well below the lease and :data:`campaigns.ledger.doubt.SETTLES`, so that nobody looks for
a task that may still be made."""
FIRST_LOOK = timedelta(seconds=20)
MOST_ATTEMPTS = 12

RIPE = """
select d.run_id, d.campaign_id, d.connection_id, d.account_id, d.way, a.channel, d.group_chat_id is not null as groups
from delivery d join account a on a.id = d.account_id
where d.run_id = $1 and d.way = $2 and d.state = 'planned' and d.due_at <= $3 order by d.due_at, d.id limit 1
"""
RUNNING = "select r.id from campaign_run r join campaign c on c.id = r.campaign_id where r.state = 'running' and c.state = 'running' order by r.id"
PICK = """
select d.id from delivery d where d.run_id = $1 and d.way = $2 and d.account_id = $3 and d.state = 'planned' and d.due_at <= $4
  and exists (select from campaign c where c.id = d.campaign_id and c.state = 'running')
order by d.id limit $5 for update of d skip locked
"""
TICKET = """
insert into broadcast_ticket (run_id, campaign_id, connection_id, account_id, way, idempotency_key, n, part, due_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, (select count(*) from broadcast_ticket where run_id = $1 and account_id = $4), $8, $8) returning id
"""
TAKEN = "update delivery set state = 'sending', ticket_id = $2, counted_at = $3, updated_at = $3 where id = any($1::bigint[])"
TOO_FEW = "update delivery set state = 'failed', reason = 'too_few', counted_at = null, updated_at = $2 where id = any($1::bigint[])"
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
select a.external_id, a.channel, a.name, r.content, ag.name as agent_name from account a join campaign_run r on r.id = $2
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id left join agent ag on ag.id = i.agent_id
where a.id = $1
"""
ON_THE_WAY = "update delivery set state = 'asked', updated_at = $2 where ticket_id = $1 and state = 'sending'"
REFUSED = """
update delivery d set state = 'failed', reason = 'not_a_friend', counted_at = null, updated_at = $3 from contact k
where d.ticket_id = $1 and k.id = d.contact_id and k.external_id = any($2::text[]) and d.state in ('sending', 'asked')
"""
ENDED = """
update broadcast_ticket set state = case when doubted_at is null then 'failed' else 'uncertain' end, reason = $2, finished_at = $3,
  lease_until = null, lease_token = null where id = $1 and lease_token = $4 returning state
"""
ALL_ENDED = """
update delivery set state = $5, reason = $2, detail = $3, counted_at = case when $5 = 'uncertain' then counted_at end, updated_at = $4
where ticket_id = $1 and state in ('sending', 'asked')
"""
PACE = (
    "select count(*) from broadcast_ticket where account_id = $1 and way = 'broadcast' and called_at > $2 and id <> $3"
)

BROKEN = Sentence(
    "发送时程序出错，不确定是否已提交。", "The program failed while sending; whether it was made is unknown."
)
TOO_LONG = Sentence(
    "提交用时过长而中断，正在向平台核实。",
    "It took too long and was broken off; the platform is asked whether it was made.",
)
GONE = Sentence("该连接或账号已不存在。", "The connection or account of this post is gone.")


async def make(services: Services) -> bool:
    """Tickets for what is due. True: there may be more."""
    more = False
    for run in await services.db.fetch(RUNNING):
        for way in ("task", "broadcast"):
            try:
                async with services.work() as work:
                    more = await _make(services, work, run["id"], way) or more
            except RETRYABLE:
                more = True
    return more


async def _make(services: Services, work: Work, run_id: int, way: str) -> bool:
    ripe = await work.tx.fetchrow(RIPE, run_id, way, work.now)
    if ripe is None:
        return False
    most, least = _sizes(services.connections.held(ripe["connection_id"]), way, groups=ripe["groups"])
    # Two processes that make tickets of one account would leave a rest too small for a call.
    await work.tx.execute("select pg_advisory_xact_lock($1, $2)", 7_226_044, ripe["account_id"] % 2**31)
    ids = [row["id"] for row in await work.tx.fetch(PICK, run_id, way, ripe["account_id"], work.now, most + least)]
    if not ids:
        return True
    if len(ids) > most:
        ids = ids[: most if len(ids) >= most + least else most - least]
    if len(ids) < least:
        await work.tx.execute(TOO_FEW, ids, work.now)
        return True
    ticket = await work.tx.fetchval(
        TICKET, run_id, ripe["campaign_id"], ripe["connection_id"], ripe["account_id"], way, new_idempotency_key(), len(ids), work.now
    )  # fmt: skip
    await work.tx.execute(TAKEN, ids, ticket, work.now)
    work.ring("ticket", run_id)
    work.ring("campaign", ripe["campaign_id"])
    return True


def _sizes(loaded: Loaded | None, way: str, *, groups: bool) -> tuple[int, int]:
    if loaded is None:
        return 1000, 1
    adapter = loaded.adapter
    if way == "task" and isinstance(adapter, AsksMembers):
        return (adapter.group_task_batch if groups else adapter.task_batch), 1
    if way == "broadcast" and isinstance(adapter, Broadcasts):
        return adapter.broadcast_batch, adapter.broadcast_least
    return 1000, 1


async def call(services: Services) -> bool:
    """One ticket that is due. True: there may be more."""
    token = uuid.uuid4()
    async with services.work() as work:
        now = work.now
        await work.tx.execute(ABANDONED, now)
        ticket = await work.tx.fetchrow(CLAIM, now, now + LEASE, token)
        if ticket is None:
            return False
        context = await work.tx.fetchrow(CONTEXT, ticket["account_id"], ticket["run_id"])
        who = await work.tx.fetch(WHO, ticket["id"])
        facts = await FACTS.load(work.tx)
        assert context is not None
        values = {
            "agent.name": context["agent_name"] or context["name"],
            "company.name": facts.name,
            **of_moment(now.astimezone(facts.clock)),
        }
        wait = await _too_fast(services, work, ticket)
        if wait is not None:
            await work.tx.execute(POSTPONE, ticket["id"], token, wait, ticket["called_before"])
            return True
        text = filled(Posts.model_validate(context["content"]).of(context["channel"]).text, values)
        await work.tx.execute(SAYS, ticket["id"], text)
    try:
        async with asyncio.timeout(CALL_WITHIN):
            platform_id, refused = await _call(services, ticket, context, who, values)
    except TimeoutError:
        await _not_asked(services, ticket, token, Uncertain("took_too_long", TOO_LONG), text)
    except SendError as error:
        await _not_asked(services, ticket, token, error, text)
    except LOST:
        raise
    except Exception:
        log.exception("ticket %s", ticket["id"])
        await _not_asked(services, ticket, token, Uncertain("broken", BROKEN), text)
    else:
        async with services.work() as work:
            await asked(work, ticket, token, platform_id, text, list(refused))
    return True


async def _too_fast(services: Services, work: Work, ticket: Row) -> datetime | None:
    """When a call would be too soon for the platform's limit per minute: when it may be tried. Counted among all processes."""
    loaded = services.connections.held(ticket["connection_id"])
    if ticket["way"] != "broadcast" or loaded is None or not isinstance(loaded.adapter, Broadcasts):
        return None
    await work.tx.execute("select pg_advisory_xact_lock($1, $2)", 7_226_045, ticket["account_id"] % 2**31)
    minute = await work.tx.fetchval(PACE, ticket["account_id"], work.now - timedelta(minutes=1), ticket["id"])
    day = await work.tx.fetchval(PACE, ticket["account_id"], work.now - timedelta(days=1), ticket["id"])
    if minute >= loaded.adapter.broadcasts_per_minute:
        return work.now + timedelta(seconds=20)
    return work.now + timedelta(hours=1) if day >= loaded.adapter.broadcasts_per_day else None


async def _call(
    services: Services, ticket: Row, context: Row, who: list[Row], values: dict[str, str]
) -> tuple[str, list[str]]:
    loaded = services.connections.held(ticket["connection_id"])
    if loaded is None:
        raise Rejected("gone", GONE)
    posts = Posts.model_validate(context["content"])
    contacts = [row["contact"] for row in who if row["contact"] is not None]
    if ticket["way"] == "task":
        if not isinstance(loaded.adapter, AsksMembers):
            raise Rejected("gone", GONE)
        said = as_task(posts, context["channel"], values, services.blobs)
        chats = [row["chat"] for row in who if row["chat"] is not None]
        made, refused = await loaded.adapter.ask(context["external_id"], said, contact_ids=contacts, group_ids=chats)
        return made, list(refused)
    if not isinstance(loaded.adapter, Broadcasts):
        raise Rejected("gone", GONE)
    spread = as_broadcast(posts, context["channel"], values, ticket["idempotency_key"], services.blobs)
    return await loaded.adapter.broadcast(context["external_id"], contacts, spread), []


async def asked(work: Work, ticket: Row, token: uuid.UUID, platform_id: str, text: str, refused: list[str]) -> None:
    """The platform has it: everybody waits for their outcome but those whom it refused at once."""
    await work.tx.execute(ASKED, ticket["id"], token, platform_id, text, work.now + FIRST_LOOK)
    await work.tx.execute(ON_THE_WAY, ticket["id"], work.now)
    if refused:
        await work.tx.execute(REFUSED, ticket["id"], refused, work.now)
    work.ring("campaign", ticket["campaign_id"])


async def _not_asked(services: Services, ticket: Row, token: uuid.UUID, error: SendError, text: str) -> None:
    async with services.work() as work:
        reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        if isinstance(error, RetryLater) and ticket["attempts"] < MOST_ATTEMPTS:
            wait = max(error.after, min(2.0 ** ticket["attempts"], 900.0))
            await work.tx.execute(BACK, ticket["id"], token, "queued", work.now + timedelta(seconds=wait), reason, text)
        elif isinstance(error, Uncertain):
            await work.tx.execute(BACK, ticket["id"], token, "doubt", work.now + timedelta(seconds=15), reason, text)
        else:
            await ended(work, ticket["id"], token, reason)
        work.ring("campaign", ticket["campaign_id"])


async def ended(work: Work, ticket_id: int, token: uuid.UUID, reason: dict[str, Any]) -> None:
    """It will not be called any more. Nobody got it, unless an earlier call's outcome was never known. A lost lease changes nothing."""
    state = await work.tx.fetchval(ENDED, ticket_id, reason, work.now, token)
    if state is not None:
        await work.tx.execute(ALL_ENDED, ticket_id, reason["code"], reason, work.now, state)
