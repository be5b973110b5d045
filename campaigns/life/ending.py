"""The end of a run, and of its campaign when there is none to come."""

from __future__ import annotations

from campaigns.life import states
from campaigns.life.rows import OPEN_RUN
from campaigns.life.telling import tell_finished
from scrm.services import Work


async def run_ended(work: Work, campaign_id: int) -> None:
    """Called in the unit of work that ended a run (``done``); again is harmless. A campaign whose last run this was is done and its
    people are told; a series waits for its next date. One that is paused stays so while dates are to come."""
    row = await states.hold(work, campaign_id)
    work.ring("campaign", campaign_id)
    if row["state"] not in ("running", "paused") or await work.tx.fetchval(OPEN_RUN, campaign_id):
        return
    if row["next_at"] is None:
        row = await states.change(
            work, campaign_id, ["running", "paused"], "done", finished_at=work.now, paused_at=None
        )
        await tell_finished(work, row)
    elif row["state"] == "running":
        await states.change(work, campaign_id, ["running"], "scheduled")


async def run_reopened(work: Work, campaign_id: int) -> None:
    """Called in the unit of work that opened a run that was done (its failed recipients are tried again). Raises :class:`Conflict`
    (``wrong_state``) when the campaign was cancelled or is a draft."""
    row = await states.hold(work, campaign_id)
    if row["state"] not in ("running", "paused"):
        await states.change(work, campaign_id, ["done", "scheduled"], "running", finished_at=None)
