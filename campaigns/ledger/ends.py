"""Runs that end: whoever was planned when a campaign was cancelled, and runs of which nothing is open any more."""

from __future__ import annotations

from campaigns.ledger import replies
from campaigns.life.ending import run_ended
from customers.timeline import Line, tell
from scrm.db import RETRYABLE
from scrm.services import Services, Work

SWEPT = 5000
CANCELLED = """
select r.id, r.campaign_id from campaign_run r where r.state = 'cancelled'
  and (exists (select from delivery d where d.run_id = r.id and d.state = 'planned')
    or exists (select from broadcast_ticket t where t.run_id = r.id and t.state = 'queued')
    or exists (select from delivery d where d.run_id = r.id and d.state in ('sending', 'asked')))
order by r.id
"""
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
OPEN_RUNS = """
select r.id, r.campaign_id, c.name from campaign_run r join campaign c on c.id = r.campaign_id
where r.state in ('running', 'freezing') and c.kind = 'message' order by r.id
"""
END = """
update campaign_run r set state = 'done', finished_at = $2 where r.id = $1 and r.state = 'running'
  and not exists (select from delivery d where d.run_id = r.id and d.state = 'planned')
  and not exists (select from delivery d where d.run_id = r.id and d.state in ('sending', 'asked'))
returning r.id
"""


async def settle(services: Services) -> bool:
    """Reads back what became of messages, ends what is over, sweeps what was cancelled. True: there may be more."""
    more = False
    for run in await services.db.fetch(OPEN_RUNS):
        try:
            async with services.work() as work:
                await _read_back(work, run["id"], run["campaign_id"], run["name"])
            async with services.work() as work:
                # Runs before the campaign: the order of locks (campaigns/life/states.py).
                if await work.tx.fetchval(END, run["id"], work.now) is not None:
                    await run_ended(work, run["campaign_id"])
        except RETRYABLE:
            more = True
    for run in await services.db.fetch(CANCELLED):
        async with services.work() as work:
            swept = await work.tx.execute(SWEEP, run["id"], work.now, SWEPT)
            await work.tx.execute(TICKETS, run["id"], work.now)
            await work.tx.execute(WITHDRAW, run["id"], work.now)
            await _read_back(work, run["id"], run["campaign_id"], "")
            more = more or swept == f"UPDATE {SWEPT}"
    return more


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
