"""Who is at work: chosen by each agent (online, busy, away), corrected when they are plainly gone, and what becomes of their chats.

``agent.away_reason`` says that nobody chose: ``absent`` (no page open for a while) and ``signed_out``; both end by themselves when
a page of theirs opens again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from inbox import rulebook
from inbox.events import Happened, record_events
from inbox.rows import COLUMNS, conversation_from, save
from inbox.rulebook import FlowSettings
from scrm.db import Row
from scrm.services import Services, Work

Status = Literal["online", "busy", "away"]
AT_ONCE = 200
STATUSES = """
select id, status, away_reason, status_at, capacity, seen_at, disabled_at is not null as disabled from agent order by id
"""
SET = """
update agent set status = $2, away_reason = '', status_at = case when status = $2 then status_at else $3 end where id = $1
"""
SEEN = """
update agent set seen_at = $2, status = case when away_reason <> '' then 'online' else status end,
  status_at = case when away_reason <> '' then $2 else status_at end, away_reason = ''
where id = any($1::bigint[]) and (seen_at is null or seen_at < $3 or away_reason <> '')
returning id
"""
ABSENT = """
update agent set status = 'away', away_reason = 'absent', status_at = $1
where status <> 'away' and disabled_at is null and coalesce(seen_at, created_at) < $2 and status_at < $2 returning id
"""
SIGNED_OUT = """
update agent g set status = 'away', away_reason = 'signed_out', status_at = $1
where g.status <> 'away' and g.disabled_at is null
  and exists (select from session s where s.agent_id = g.id and s.ended_at > g.status_at)
  and not exists (select from session s where s.agent_id = g.id and s.ended_at is null and s.expires_at > $1)
  and not exists (select from api_token t where t.agent_id = g.id and t.ended_at is null
    and (t.expires_at is null or t.expires_at > $1))
returning id
"""
GONE = """
select id, name, disabled_at is not null as disabled from agent
where disabled_at <= $1 or (disabled_at is null and status = 'away' and status_at <= $1)
"""
THEIRS = f"""
select {COLUMNS} from conversation where assignee_id = any($1::bigint[]) and (status = 'open' or ($4 and status = 'snoozed'))
  and ($4 or waiting_since is not null) and (assigned_at is null or assigned_at <= $2)
order by id limit $3 for update skip locked
"""  # noqa: S608 - made of constants


async def set_status(work: Work, agent_id: int, status: Status) -> None:
    """As the agent chose. Colleagues hear of it, and whoever waits may be given to them."""
    await work.tx.execute(SET, agent_id, status, work.now)
    work.ring("agent", agent_id)
    work.ring("turn")


async def seen(services: Services, agent_ids: list[int], *, every: float) -> None:
    """These have a page open now; who was away without having said so is back."""
    async with services.work() as work:
        rows = await work.tx.fetch(SEEN, agent_ids, work.now, work.now - timedelta(seconds=every))
        back = [row["id"] for row in rows]
        if back:
            work.ring("agent", *back)
            work.ring("turn")


async def look(services: Services) -> bool:
    """A round: notices who is gone, and hands back what they leave. True: there may be more."""
    async with services.work() as work:
        flow = await rulebook.FLOW.load(work.tx)
        gone = [row["id"] for row in await work.tx.fetch(SIGNED_OUT, work.now)]
        if flow.absent_minutes:
            before = work.now - timedelta(minutes=flow.absent_minutes)
            gone += [row["id"] for row in await work.tx.fetch(ABSENT, work.now, before)]
        if gone:
            work.ring("agent", *gone)
    async with services.work() as work:
        return await _hand_back(work, flow)


async def _hand_back(work: Work, flow: FlowSettings) -> bool:
    """Chats of people who have been gone long enough. Those of somebody who was locked out never keep a customer waiting."""
    before = work.now - timedelta(minutes=flow.leave_minutes)
    gone = [row for row in await work.tx.fetch(GONE, before) if row["disabled"] or flow.on_leave != "keep"]
    if not gone:
        return False
    names = {row["id"]: row for row in gone}
    everything = flow.on_leave == "all"
    rows = await work.tx.fetch(THEIRS, list(names), before, AT_ONCE, everything)
    left = [conversation_from(row) for row in rows]
    happened = []
    for one in left:
        who = names[one.assignee_id or 0]
        one.assignee_id = None
        one.assigned_at = None
        one.route_state = "due"
        happened.append(Happened(one, "unassigned", None, {"from": who["id"], "why": _why(who, everything)}))
    await record_events(work, happened)
    await save(work, left)
    if left:
        work.ring("turn")
    return len(left) == AT_ONCE


def _why(who: Row, everything: bool) -> dict[str, str]:
    zh = "已停用" if who["disabled"] else "已离开"
    en = "was locked out" if who["disabled"] else "is away"
    which = ("会话", "conversations go") if everything else ("等待中的会话", "waiting conversations go")
    return {"zh": f"{who['name']}{zh}，{which[0]}退回重新分配", "en": f"{who['name']} {en}: {which[1]} back"}
