"""What people do with a run: try its failed recipients again, remind members who did not confirm."""

from __future__ import annotations

from datetime import timedelta

from campaigns.ledger.views import HOPELESS, find_run
from campaigns.life.ending import run_reopened
from scrm.channel_campaigns import AsksMembers
from scrm.errors import Conflict, Rejected, SendError
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.views import View

AGAIN = """
update delivery set state = 'planned', reason = '', detail = null, attempt = attempt + 1, ticket_id = null, due_at = $2, updated_at = $2,
  counted_at = $2
where run_id = $1 and state = 'failed' and not (reason = any($3::text[]))
"""
OPEN = "update campaign_run set state = 'running', finished_at = null where id = $1 and state in ('done', 'running') returning id"
ASKED = """
select t.id, t.connection_id, t.platform_id, t.reminders from broadcast_ticket t
where t.run_id = $1 and t.way = 'task' and t.state = 'asked' and t.confirmed_at is null
  and (t.reminded_at is null or t.reminded_at < $2) order by t.id
"""
REMINDED = "update broadcast_ticket set reminders = reminders + 1, reminded_at = $2 where id = any($1::bigint[])"
OFTEN = timedelta(hours=1)


class Tried(View):
    """How many are tried again."""

    again: int


class Reminded(View):
    """``members``: how many were reminded; ``enough``: whom the platform does not remind any more."""

    members: int
    enough: int


async def retry(work: Work, principal: Principal, run_id: int, *, address: str) -> Tried:
    """Those who certainly did not get it, and may this time. Raises :class:`Conflict` when there is nobody or the campaign is over."""
    run = await find_run(work.tx, run_id)
    if await work.tx.fetchval(OPEN, run_id) is None:
        raise Conflict("This run was cancelled or has not begun.", code="wrong_state")
    done = await work.tx.execute(AGAIN, run_id, work.now, list(HOPELESS))
    again = int(done.split()[-1])
    if again == 0:
        raise Conflict("Nobody failed who could get it now.", code="nobody_failed")
    await run_reopened(work, run["campaign_id"])
    await record(
        work, "campaign.retried", agent_id=principal.agent_id, object_kind="campaign", object_id=run["campaign_id"],
        address=address, detail={"run_id": run_id, "recipients": again},
    )  # fmt: skip
    work.ring("delivery", run_id)
    work.ring("campaign", run["campaign_id"])
    return Tried(again=again)


async def remind(services: Services, principal: Principal, run_id: int, *, address: str) -> Reminded:
    """Members who did not confirm yet, each once an hour at most. Raises :class:`Conflict` when there is nobody to remind."""
    now = services.clock.now()
    run = await find_run(services.db, run_id)
    rows = await services.db.fetch(ASKED, run_id, now - OFTEN)
    if not rows:
        raise Conflict("Everybody has confirmed, or was reminded within the hour.", code="nobody_to_remind")
    reminded, enough = [], 0
    for row in rows:
        loaded = services.connections.held(row["connection_id"])
        if loaded is None or not isinstance(loaded.adapter, AsksMembers):
            continue
        if row["reminders"] >= loaded.adapter.reminders_per_task:
            enough += 1
            continue
        try:
            await loaded.adapter.remind(row["platform_id"])
            reminded.append(row["id"])
        except Rejected:
            enough += 1
        except SendError:
            continue
    async with services.work() as work:
        await work.tx.execute(REMINDED, reminded, now)
        await record(
            work, "campaign.reminded", agent_id=principal.agent_id, object_kind="campaign", object_id=run["campaign_id"],
            address=address, detail={"run_id": run_id, "members": len(reminded)},
        )  # fmt: skip
        work.ring("campaign", run["campaign_id"])
    return Reminded(members=len(reminded), enough=enough)
