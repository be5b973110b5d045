"""Pause, resume, cancel. All three are one statement on the campaign's row, which every claim of its deliveries looks at, so that they
hold from the moment of their commit."""

from __future__ import annotations

from campaigns.life import states
from campaigns.life.rows import OPEN_RUN
from campaigns.life.starting import occur
from campaigns.life.write import note
from scrm.permissions import Principal
from scrm.services import Work

LOCK_RUNS = """
select id from campaign_run where campaign_id = $1 and state in ('freezing', 'running') order by id for no key update
"""
CANCEL_RUNS = """
update campaign_run set state = 'cancelled', finished_at = $2 where campaign_id = $1 and state in ('freezing', 'running')
"""


async def pause(work: Work, principal: Principal, campaign_id: int, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` (``wrong_state``)."""
    await states.change(work, campaign_id, ["scheduled", "running"], "paused", paused_at=work.now)
    await note(work, principal, "campaign.paused", campaign_id, address)


async def resume(work: Work, principal: Principal, campaign_id: int, *, address: str) -> None:
    """What became due meanwhile starts late or is missed, by the campaign's own rule. Raises as :func:`pause`."""
    row = await states.hold(work, campaign_id)
    runs = await work.tx.fetchval(OPEN_RUN, campaign_id)
    row = await states.change(work, campaign_id, ["paused"], "running" if runs else "scheduled", paused_at=None)
    if row["next_at"] is not None and row["next_at"] <= work.now:
        await occur(work, row, paused=True)
    await note(work, principal, "campaign.resumed", campaign_id, address)


async def cancel(work: Work, principal: Principal, campaign_id: int, *, address: str) -> None:
    """For good: what did not leave yet will not. Raises as :func:`pause`."""
    await work.tx.execute(LOCK_RUNS, campaign_id)
    await states.change(
        work, campaign_id, states.STOPPABLE, "cancelled", next_at=None, paused_at=None, finished_at=work.now
    )  # fmt: skip
    await work.tx.execute(CANCEL_RUNS, campaign_id, work.now)
    await note(work, principal, "campaign.cancelled", campaign_id, address)
