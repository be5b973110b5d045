"""Other durable work: put once by its key, claimed with a lease, finished or tried again.

``put`` inside the unit of work that makes the job necessary. The unique (kind, key) makes a second put harmless, also while the
job runs and after it is done.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scrm.db import LOST
from scrm.errors import RetryLater
from scrm.metrics import JOBS
from scrm.services import Services, Work

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    dedupe_key: str
    payload: dict[str, Any]
    attempts: int


JobHandler = Callable[[Services, Job], Awaitable[None]]
"""Does the work. Raising tries it again later (``RetryLater``: when it says), up to ``MOST_ATTEMPTS`` times."""


async def put(
    work: Work, kind: str, keys: Sequence[str], payloads: Sequence[dict[str, Any]], *, run_at: datetime | None = None
) -> None:
    if not keys:
        return
    await work.tx.execute(
        "insert into job (kind, dedupe_key, payload, run_at) "
        "select $1, w.key, w.payload, $4 from unnest($2::text[], $3::jsonb[]) w (key, payload) "
        "on conflict (kind, dedupe_key) do nothing",
        kind,
        list(keys),
        list(payloads),
        run_at or work.now,
    )
    work.ring("job")


CLAIM = """
with due as (
  select id from job
  where kind = any($1) and ((state = 'queued' and run_at <= $2) or (state = 'running' and lease_until < $2))
  order by run_at limit 1
  for update skip locked
)
update job j set state = 'running', attempts = attempts + 1, lease_until = $3, lease_token = $4
from due where j.id = due.id
returning j.id, j.kind, j.dedupe_key, j.payload, j.attempts
"""


class JobRunner:
    """:meth:`round` runs one due job."""

    def __init__(self, services: Services, handlers: Mapping[str, JobHandler]) -> None:
        self._services = services
        self._handlers = handlers

    async def round(self) -> bool:
        now = self._services.clock.now()
        token = uuid.uuid4()
        lease = now + timedelta(seconds=self._services.settings.worker.lease_seconds)
        row = await self._services.db.fetchrow(CLAIM, list(self._handlers), now, lease, token)
        if row is None:
            return False
        job = Job(**row)
        if job.attempts > MOST_ATTEMPTS:
            # Nobody who took it lived to tell: perhaps it was the job that killed them.
            await self._failed(job, token, RuntimeError("every process that ran it ended before it was done"))
            return True
        try:
            await self._handlers[job.kind](self._services, job)
        except Exception as error:
            # Errors of the network and the disk look like a lost database. When it is lost, this is not written either.
            if not isinstance(error, (RetryLater, *LOST)):
                log.exception("job %s (%s) failed", job.id, job.kind)
            await self._failed(job, token, error)
        else:
            JOBS.labels(job.kind, "done").inc()
            await self._services.db.execute(
                "update job set state = 'done', finished_at = $3, error = null, lease_until = null "
                "where id = $1 and lease_token = $2",
                job.id,
                token,
                self._services.clock.now(),
            )
        return True

    async def _failed(self, job: Job, token: uuid.UUID, error: Exception) -> None:
        final = job.attempts >= MOST_ATTEMPTS
        wait = error.after if isinstance(error, RetryLater) else min(2.0**job.attempts, 600.0)
        JOBS.labels(job.kind, "failed" if final else "retried").inc()
        await self._services.db.execute(
            "update job set state = case when $3 then 'failed' else 'queued' end, error = $4, run_at = $5, "
            "lease_until = null where id = $1 and lease_token = $2",
            job.id,
            token,
            final,
            f"{type(error).__name__}: {error}"[:1000].replace("\x00", "\ufffd"),
            self._services.clock.now() + timedelta(seconds=wait),
        )


async def retry(work: Work, job_id: int) -> bool:
    """Runs a failed job again. False: there is none."""
    done = await work.tx.execute(
        "update job set state = 'queued', attempts = 0, run_at = $2 where id = $1 and state = 'failed'",
        job_id,
        work.now,
    )
    work.ring("job")
    return bool(done == "UPDATE 1")
