"""A run that fails inside the service is put aside, so that it holds up no other: with its error where people see it, and tried again
after a pause that grows. A step that works again forgets what was before.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from scrm.db import LOST, RETRYABLE
from scrm.metrics import CAMPAIGN_ASIDES
from scrm.services import Services

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=15)
PUT = """
insert into campaign_aside (run_id, step, since, until, error) values ($1, $2, $3::timestamptz, $3::timestamptz + $4::interval, $6)
on conflict (run_id, step) do update set tries = least(campaign_aside.tries + 1, 1000), error = excluded.error,
  until = $3::timestamptz + least($4::interval * power(2, least(campaign_aside.tries, 20)), $5::interval)
returning (select campaign_id from campaign_run where id = run_id)
"""
FORGET = "delete from campaign_aside where run_id = $1 and step = $2 and until <= $3"

READY = "not exists (select from campaign_aside s where s.run_id = r.id and s.step = '{}' and s.until > $1)"
"""As SQL: the step may be tried in the run ``r`` at the moment $1."""
KNOWN = "exists (select from campaign_aside s where s.run_id = r.id and s.step = '{}') as aside"


@asynccontextmanager
async def alone(services: Services, run_id: int, step: str, *, known: bool) -> AsyncIterator[None]:
    """One run's part of a round. What fails in it is this run's trouble alone; a database that is away, or a race that was lost, is
    nobody's, and is raised. ``known``: it was put aside before."""
    try:
        yield
    except Exception as error:
        if is_nobodys(error):
            raise
        log.exception("step %s of run %s is put aside", step, run_id)
        await put(services, run_id, step, error)
    else:
        if known:
            await forget(services, run_id, step)


def is_nobodys(error: Exception) -> bool:
    """The database is away, or a race was lost. A statement that takes too long is its run's own."""
    return isinstance(error, (*LOST, *RETRYABLE)) and not isinstance(error, TimeoutError)


async def put(services: Services, run_id: int, step: str, error: Exception) -> None:
    CAMPAIGN_ASIDES.labels(step).inc()
    async with services.work() as work:
        campaign = await work.tx.fetchval(PUT, run_id, step, work.now, FIRST_PAUSE, LONGEST_PAUSE, type(error).__name__)
        work.ring("campaign", campaign)


async def forget(services: Services, run_id: int, step: str) -> None:
    await services.db.execute(FORGET, run_id, step, services.clock.now())
