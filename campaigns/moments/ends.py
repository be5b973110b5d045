"""Runs of moments that end: everybody has published it, refused it, or may not any more; and what was cancelled."""

from __future__ import annotations

from campaigns.life.ending import run_ended
from scrm.db import RETRYABLE
from scrm.services import Services, Work

OPEN_RUNS = """
select r.id, r.campaign_id from campaign_run r join campaign c on c.id = r.campaign_id
where r.state = 'running' and c.kind = 'moment' order by r.id
"""
END = """
update campaign_run r set state = 'done', finished_at = $2 where r.id = $1 and r.state = 'running' and not exists (
  select from moment_task t where t.run_id = r.id and t.state in ('queued', 'calling', 'doubt', 'making', 'open'))
returning r.id
"""
CANCELLED = """
select distinct t.run_id, t.campaign_id from moment_task t join campaign_run r on r.id = t.run_id
where r.state = 'cancelled' and (t.state = 'queued' or (t.state = 'open' and t.withdrawn_at is null and t.look_at > $1))
"""
SWEEP = """
with gone as (
  update moment_task set state = 'cancelled', finished_at = $2 where run_id = $1 and state = 'queued' returning id
)
update moment_post p set state = 'withdrawn' from gone g where p.task_id = g.id and p.state = 'planned'
"""
WITHDRAW = (
    "update moment_task set look_at = $2 where run_id = $1 and state = 'open' and withdrawn_at is null and look_at > $2"
)


async def settle(services: Services) -> bool:
    """True: there may be more."""
    more = False
    for run in await services.db.fetch(OPEN_RUNS):
        try:
            async with services.work() as work:
                # Runs before the campaign: the order of locks (campaigns/life/states.py).
                if await work.tx.fetchval(END, run["id"], work.now) is not None:
                    await run_ended(work, run["campaign_id"])
        except RETRYABLE:
            more = True
    for run in await services.db.fetch(CANCELLED, services.clock.now()):
        async with services.work() as work:
            await _sweep(work, run["run_id"], run["campaign_id"])
    return more


async def _sweep(work: Work, run_id: int, campaign_id: int) -> None:
    await work.tx.execute(SWEEP, run_id, work.now)
    await work.tx.execute(WITHDRAW, run_id, work.now)
    work.ring("campaign", campaign_id)
