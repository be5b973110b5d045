"""The date of every customer, computed anew: after a change of the rules, and every few hours in case somebody forgot one."""

from __future__ import annotations

from customers.pool.due import recompute
from scrm import jobs
from scrm.jobs import Job
from scrm.services import Services, Work

RECOMPUTE = "customers.pool_dates"
SWEEP_SECONDS = 6 * 3600
BATCH = 500
BATCHES = 10
"""In one job, so that it ends well within its lease; the next one goes on."""
NEXT = """
select id from customer where id > $1 and (owner_id is not null or reclaim_at is not null) order by id limit $2
for no key update
"""


async def recompute_everyone(work: Work) -> None:
    await jobs.put(work, RECOMPUTE, [f"changed:{work.now.isoformat()}"], [{"after": 0}])


async def recompute_all(services: Services, job: Job) -> None:
    after = int(job.payload.get("after", 0))
    run = job.payload.get("run", job.dedupe_key)
    for _ in range(BATCHES):
        async with services.work() as work:
            ids = [row["id"] for row in await work.tx.fetch(NEXT, after, BATCH)]
            await recompute(work, ids)
        if len(ids) < BATCH:
            return
        after = ids[-1]
    async with services.work() as work:
        await jobs.put(work, RECOMPUTE, [f"{run}:{after}"], [{"after": after, "run": run}])
