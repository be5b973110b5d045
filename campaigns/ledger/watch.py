"""What became of posts that a platform has: asked again and again, at growing distances, until everybody's outcome is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from campaigns.ledger import aside
from campaigns.ledger.story import tell_sent
from campaigns.shapes import Options
from scrm.channel import Sentence
from scrm.channel_campaigns import AskedResult, AsksMembers, BroadcastResult, Broadcasts, ResultState
from scrm.db import Row
from scrm.errors import Rejected, RetryLater, SendError
from scrm.services import Services, Work

log = logging.getLogger(__name__)

SOONEST, LATEST = timedelta(seconds=30), timedelta(hours=1)
PATIENCE = timedelta(minutes=15)
SLACK = timedelta(minutes=10)

DUE = """
select t.*, a.external_id as member, r.state as run_state, r.options from broadcast_ticket t join account a on a.id = t.account_id
join campaign_run r on r.id = t.run_id join connection n on n.id = t.connection_id
where t.state = 'asked' and t.look_at <= $1 and n.paused_at is null order by t.look_at, t.id limit 1
"""
HOLD = "update broadcast_ticket set look_at = $2 where id = $1 and state = 'asked' and look_at <= $3 returning id"
NEXT = "update broadcast_ticket set look_at = $2, confirmed_at = coalesce(confirmed_at, $3), cursor = '' where id = $1 and state = 'asked'"
KNOWN = """
select 'contact' as whom, id, external_id from contact where connection_id = $1 and external_id = any($2::text[])
union all select 'group', id, external_id from group_chat where connection_id = $1 and external_id = any($2::text[])
"""
# Ten thousand rows against ten thousand, of which the planner knows nothing: joined row by row it would take minutes.
BY_HASH = "set local enable_nestloop = off"
RESULTS = """
update delivery d set state = w.state, reason = w.reason, sent_at = w.sent_at, updated_at = $6,
  counted_at = case when w.state = 'sent' then w.sent_at end
from unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) w (id, state, reason, sent_at)
where d.ticket_id = $1 and d.state in ('sending', 'asked') and d.{whom}_id = w.id
returning d.customer_id, d.state, d.sent_at
"""
OF: dict[str, str] = {"contact": RESULTS.format(whom="contact"), "group": RESULTS.format(whom="group_chat")}
EVENT = """
select data from platform_event where connection_id = $1 and name = 'broadcast.finished' and at >= $2 and data ->> 'broadcast_id' = $3
order by id desc limit 1
"""
OPEN = "select exists (select from delivery where ticket_id = $1 and state in ('sending', 'asked'))"
ALL = """
update delivery set state = $2, reason = $3, detail = $4, sent_at = case when $2 = 'sent' then $5::timestamptz end,
  counted_at = case when $2 in ('sent', 'uncertain') then $5::timestamptz end, updated_at = $6
where ticket_id = $1 and state in ('sending', 'asked') returning customer_id, state, sent_at
"""
DONE = "update broadcast_ticket set state = $2, finished_at = $3, look_at = null, reason = coalesce($4, reason) where id = $1"
WITHDRAWN = "update broadcast_ticket set withdrawn_at = coalesce(withdrawn_at, $2), look_at = $2 where id = $1"
STATES: dict[ResultState, tuple[str, str]] = {
    ResultState.SENT: ("sent", ""),
    ResultState.NOT_A_FRIEND: ("failed", "not_a_friend"),
    ResultState.LIMIT_REACHED: ("failed", "platform_limit"),
    ResultState.FAILED: ("failed", "refused"),
}


async def look(services: Services) -> bool:
    """One post that is due to be asked about. True: there may be more."""
    now = services.clock.now()
    ticket = await services.db.fetchrow(DUE, now)
    if ticket is None:
        return False
    if await services.db.fetchval(HOLD, ticket["id"], now + timedelta(minutes=2), now) is None:
        return True
    loaded = services.connections.held(ticket["connection_id"])
    if loaded is None:
        return True
    adapter = loaded.adapter
    try:
        if ticket["way"] == "task" and isinstance(adapter, AsksMembers):
            await _task(services, adapter, ticket)
        elif ticket["way"] == "broadcast" and isinstance(adapter, Broadcasts):
            told = await _told(services, ticket) or await adapter.broadcast_result(ticket["platform_id"])
            await _broadcast(services, ticket, told)
    except RetryLater as error:
        await services.db.execute(NEXT, ticket["id"], now + timedelta(seconds=max(error.after, 20)), None)
    except SendError as error:
        log.warning("post %s could not be asked about: %s", ticket["id"], error)
        await services.db.execute(NEXT, ticket["id"], _next(ticket, now), None)
    except Exception as error:
        if aside.is_nobodys(error):
            raise
        log.exception("post %s could not be asked about", ticket["id"])
        await services.db.execute(NEXT, ticket["id"], now + PATIENCE, None)
        await aside.put(services, ticket["run_id"], "watch", error)
    else:
        await aside.forget(services, ticket["run_id"], "watch")
    return True


def _next(ticket: Row, now: datetime) -> datetime:
    age = now - (ticket["called_at"] or now)
    return now + min(max(age / 5, SOONEST), LATEST)


async def _task(services: Services, adapter: AsksMembers, ticket: Row) -> None:
    now = services.clock.now()
    ending = await _ending(services, adapter, ticket, now)
    confirmed = await _confirmed(adapter, ticket)
    results: list[AskedResult] = []
    cursor = ""
    while True:
        page, cursor = await adapter.asked_results(ticket["platform_id"], ticket["member"], cursor)
        results += page
        if not cursor:
            break
    async with services.work() as work:
        await _write(work, ticket, results)
        if ending:
            await work.tx.execute(ALL, ticket["id"], ending[0], ending[1], None, None, work.now)
        if await work.tx.fetchval(OPEN, ticket["id"]):
            await work.tx.execute(NEXT, ticket["id"], _next(ticket, now), confirmed)
        else:
            await work.tx.execute(
                DONE, ticket["id"], "cancelled" if ending and ending[0] == "cancelled" else "done", work.now, None
            )
        work.ring("campaign", ticket["campaign_id"])


async def _ending(services: Services, adapter: AsksMembers, ticket: Row, now: datetime) -> tuple[str, str] | None:
    """How those end who are still asked: the campaign was cancelled, or the time to confirm is over. The task is taken back first, and
    only a look after that says who never got it."""
    options = Options.model_validate(ticket["options"])
    over = ticket["called_at"] is not None and now - ticket["called_at"] > timedelta(days=options.confirm_days)
    if ticket["run_state"] != "cancelled" and not over:
        return None
    if ticket["withdrawn_at"] is None:
        try:
            await adapter.withdraw(ticket["platform_id"])
        except Rejected as error:
            # It cannot be taken back: too old, or gone. Who has not sent it by now is counted as not sent.
            log.info("post %s cannot be withdrawn: %s", ticket["id"], error)
        await services.db.execute(WITHDRAWN, ticket["id"], now)
    return ("cancelled", "cancelled") if ticket["run_state"] == "cancelled" else ("failed", "not_confirmed")


async def _confirmed(adapter: AsksMembers, ticket: Row) -> datetime | None:
    cursor = ""
    while True:
        page, cursor = await adapter.asked_members(ticket["platform_id"], cursor)
        for one in page:
            if one.account_id == ticket["member"]:
                return one.sent_at
        if not cursor:
            return None


async def _write(work: Work, ticket: Row, results: Sequence[AskedResult]) -> None:
    known = {one.external_id: one for one in results if one.state in STATES}
    if not known:
        return
    who = await work.tx.fetch(KNOWN, ticket["connection_id"], list(known))
    await work.tx.execute(BY_HASH)
    for whom, sql in OF.items():
        lines = [
            (row["id"], *STATES[one.state], one.sent_at or work.now)
            for row in who
            if row["whom"] == whom and (one := known[row["external_id"]])
        ]
        if lines:
            columns = [list(column) for column in zip(*lines, strict=True)]
            ended = await work.tx.fetch(sql, ticket["id"], *columns, work.now)
            await tell_sent(work, ticket["campaign_id"], ended)


async def _told(services: Services, ticket: Row) -> BroadcastResult | None:
    """What came by itself, with totals: perhaps before the answer of the call, or long before the call that got one."""
    told = await services.db.fetchval(
        EVENT, ticket["connection_id"], ticket["created_at"] - SLACK, ticket["platform_id"]
    )
    if told is None or told.get("state") not in ("done", "failed"):
        return None
    words = told.get("reason")
    reason = Sentence(zh=str(words["zh"]), en=str(words["en"])) if isinstance(words, dict) else None
    numbers = {name: int(told.get(name) or 0) for name in ("total", "filtered", "sent", "failed")}
    return BroadcastResult(
        ticket["platform_id"], told["state"], **numbers, code=str(told.get("code") or ""), reason=reason
    )


async def _broadcast(services: Services, ticket: Row, result: BroadcastResult) -> None:
    """Only totals are told: all or none is known for each, anything between for nobody."""
    now = services.clock.now()
    # Asked, a platform may say that it is done but not how many got it; what comes by itself says that, for a while.
    bare = result.state == "done" and result.total == 0 and now - ticket["called_at"] < PATIENCE
    if result.state == "waiting" or bare:
        await services.db.execute(NEXT, ticket["id"], _next(ticket, now), None)
        return
    totals: dict[str, Any] = {"code": result.code, "total": result.total, "sent": result.sent, "failed": result.failed}
    if result.reason is not None:
        totals |= {"zh": result.reason.zh, "en": result.reason.en}
    if result.state == "failed":
        state, reason = "failed", result.code or "refused"
    elif result.sent >= ticket["n"]:
        state, reason = "sent", ""
    else:
        state, reason = "uncertain", "totals_only"
    async with services.work() as work:
        ended = await work.tx.fetch(ALL, ticket["id"], state, reason, totals, now, work.now)
        await tell_sent(work, ticket["campaign_id"], ended)
        await work.tx.execute(DONE, ticket["id"], "failed" if state == "failed" else "done", work.now, totals)
        work.ring("campaign", ticket["campaign_id"])
