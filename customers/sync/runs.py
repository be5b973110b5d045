"""Comparisons of everything: when they begin, and what is told of them. :mod:`customers.sync.sweep` does the work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from customers.sync.readings import keeps_step
from scrm.company import FACTS
from scrm.jobs import Job
from scrm.services import Services, Work

START_RUNS = "sync_start_runs"
NIGHT = range(2, 6)
"""Hours of the company's day in which the nightly comparison begins."""
AT_LEAST = timedelta(hours=18)
LONGEST = timedelta(hours=30)
"""Without a comparison for so long, it is begun at any hour: the service was away at night."""

Cause = Literal["first", "night", "hand"]

# One at a time on a connection: the unique index decides.
BEGIN = """
insert into sync_run (connection_id, cause, by_id, first_no, due_at, started_at, updated_at)
values ($1, $2, $3, nextval('reading_no'), $4, $4, $4) on conflict do nothing returning id
"""
LAST = """
select c.id, (select max(started_at) from sync_run r where r.connection_id = c.id) as last_at from connection c where c.paused_at is null
"""
OLD = "delete from sync_run where state <> 'running' and finished_at < $1"


async def begin(work: Work, connection_id: int, cause: Cause, by_id: int | None = None) -> bool:
    """False: one is running already, which does as well."""
    made = await work.tx.fetchval(BEGIN, connection_id, cause, by_id, work.now)
    work.ring("relation", connection_id)
    return made is not None


async def start_runs(services: Services, job: Job) -> None:
    """Job of the clock: begins the first comparison of a new connection, and that of each night."""
    zone = ZoneInfo((await FACTS.load(services.db)).time_zone)
    last = {row["id"]: row["last_at"] for row in await services.db.fetch(LAST)}
    for loaded in services.connections.all():
        if loaded.id not in last or not keeps_step(loaded):
            continue
        cause = due_cause(last[loaded.id], services.clock.now(), zone)
        if cause is not None:
            async with services.work() as work:
                await begin(work, loaded.id, cause)
    await services.db.execute(OLD, services.clock.now() - timedelta(days=60))


def due_cause(last: datetime | None, now: datetime, zone: ZoneInfo) -> Cause | None:
    if last is None:
        return "first"
    if now - last < AT_LEAST:
        return None
    return "night" if now.astimezone(zone).hour in NIGHT or now - last > LONGEST else None
