"""Runs that end: whoever was planned when a campaign was cancelled, and runs of which nothing is open any more."""

from __future__ import annotations

from campaigns.ledger import aside, replies
from campaigns.life.ending import run_ended
from customers.timeline import Line, tell
from scrm.db import RETRYABLE, Row
from scrm.services import Services, Work

SWEPT = 5000
NOTHING_OPEN = """
coalesce((select sum(t.n) from delivery_tally t where t.run_id = r.id and t.state in ('planned', 'sending', 'asked')), 0) = 0
"""
"""As SQL, of the run ``r``: by the tally, which is written in the same transactions as the ledger."""
CANCELLED = f"""
select r.id, r.campaign_id, c.name, {aside.KNOWN.format("ends")} from campaign_run r join campaign c on c.id = r.campaign_id
where r.state = 'cancelled' and r.swept_at is null and {aside.READY.format("ends")} order by r.id
"""  # noqa: S608 - made of constants
SWEEP = """
update delivery set state = 'cancelled', reason = 'cancelled', counted_at = null, updated_at = $2
where id in (select id from delivery where run_id = $1 and state = 'planned' order by id limit $3 for update skip locked)
"""
TICKETS = """
with gone as (
  update broadcast_ticket set state = case when doubted_at is null then 'cancelled' else 'uncertain' end, finished_at = $2
  where run_id = $1 and state = 'queued' returning id, doubted_at
)
update delivery d set state = case when g.doubted_at is null then 'cancelled' else 'uncertain' end, updated_at = $2,
  reason = case when g.doubted_at is null then 'cancelled' else 'unknown' end, counted_at = case when g.doubted_at is not null then d.counted_at end
from gone g where d.ticket_id = g.id and d.state = 'sending'
"""
WITHDRAW = "update broadcast_ticket set look_at = $2 where run_id = $1 and state = 'asked' and withdrawn_at is null and look_at > $2"
# Nothing is left of it that could change.
SWEPT_OUT = f"""
update campaign_run r set swept_at = $2 where r.id = $1 and r.state = 'cancelled' and {NOTHING_OPEN}
  and not exists (select from broadcast_ticket t where t.run_id = r.id and t.state in ('queued', 'calling', 'doubt', 'asked'))
"""  # noqa: S608 - made of constants
# Runs of which messages are under way, or of which nothing is open.
OPEN_RUNS = f"""
select * from (
  select r.id, r.campaign_id, c.name, {aside.KNOWN.format("ends")},
    exists (select from delivery d where d.run_id = r.id and d.state = 'sending' and d.way = 'reply') as answering,
    r.state = 'running' and {NOTHING_OPEN} as over,
    exists (select from delivery d where d.run_id = r.id and d.account_id is null and d.state in ('planned', 'sending', 'asked')) as orphaned
  from campaign_run r join campaign c on c.id = r.campaign_id
  where r.state in ('running', 'freezing') and c.kind = 'message' and {aside.READY.format("ends")}
) r where answering or over or orphaned order by id
"""  # noqa: S608 - made of constants
# Their connection was removed, and with it their account, ticket or message: what was under way may have arrived.
ORPHANS = """
update delivery set state = case when state = 'planned' then 'failed' else 'uncertain' end, reason = 'gone', updated_at = $2,
  counted_at = case when state <> 'planned' then counted_at end
where run_id = $1 and account_id is null and state in ('planned', 'sending', 'asked')
"""
HOLD = "select from campaign_run where id = $1 for no key update"
END = f"""
update campaign_run r set state = 'done', finished_at = $2 where r.id = $1 and r.state = 'running' and {NOTHING_OPEN} returning r.id
"""  # noqa: S608 - made of constants


async def settle(services: Services) -> bool:
    """Reads back what became of messages, ends what is over, sweeps what was cancelled. True: there may be more."""
    more, now = False, services.clock.now()
    for step, runs in ((_go_on, OPEN_RUNS), (_sweep, CANCELLED)):
        for run in await services.db.fetch(runs, now):
            try:
                async with aside.alone(services, run["id"], "ends", known=run["aside"]):
                    more = await step(services, run) or more
            except RETRYABLE:
                more = True
    return more


async def _go_on(services: Services, run: Row) -> bool:
    if run["orphaned"]:
        await services.db.execute(ORPHANS, run["id"], services.clock.now())
    if run["answering"]:
        async with services.work() as work:
            await _read_back(work, run["id"], run["campaign_id"], run["name"])
    async with services.work() as work:
        # Runs before the campaign: the order of locks (campaigns/life/states.py). Held first, so that the counts are those after a retry
        # that comes at this moment.
        await work.tx.execute(HOLD, run["id"])
        if await work.tx.fetchval(END, run["id"], work.now) is not None:
            await run_ended(work, run["campaign_id"])
    return False


async def _sweep(services: Services, run: Row) -> bool:
    async with services.work() as work:
        swept: str = await work.tx.execute(SWEEP, run["id"], work.now, SWEPT)
        await work.tx.execute(TICKETS, run["id"], work.now)
        await work.tx.execute(WITHDRAW, run["id"], work.now)
        await _read_back(work, run["id"], run["campaign_id"], run["name"])
        await work.tx.execute(SWEPT_OUT, run["id"], work.now)
    return swept == f"UPDATE {SWEPT}"


async def _read_back(work: Work, run_id: int, campaign_id: int, name: str) -> None:
    settled = await replies.settle(work, run_id, work.now)
    if settled:
        sent = [one["customer_id"] for one in settled if one["state"] == "sent" and one["customer_id"] is not None]
        await tell(
            work,
            [
                Line(one, "campaign.sent", object_kind="campaign", object_id=campaign_id, data={"name": name})
                for one in sent
            ],
        )
        work.ring("campaign", campaign_id)
