"""What answering leaves behind and nobody needs any more."""

from __future__ import annotations

from inbox import drafts, macro_runs
from scrm.jobs import Job
from scrm.services import Services

TIDY = "tidy_answers"


async def tidy(services: Services, job: Job) -> None:
    await drafts.forget_old(services)
    await macro_runs.forget_old(services)
