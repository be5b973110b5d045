"""Where a campaign stands, and which steps there are. Every change of a campaign's state goes through :func:`change`.

::

    draft -> waiting -> scheduled -> running <-> paused -> done
      ^        |          |  ^          |          |
      +--------+----------+  +----------+          |      (a series goes back to scheduled between its runs)
      +--------------------------------------------+      (a series that was paused between its runs may be edited)

Cancelled from anywhere between draft and done. From done back to running only when somebody tries its failed recipients again.

Locks: whoever holds rows of ``campaign_run`` and needs the campaign takes the runs first, then the campaign.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from campaigns.shapes import CampaignState
from scrm.db import Row
from scrm.errors import Conflict, NotFound
from scrm.services import Work

STEPS: Mapping[CampaignState, frozenset[CampaignState]] = {
    "draft": frozenset({"waiting", "scheduled"}),
    "waiting": frozenset({"draft", "scheduled", "cancelled"}),
    "scheduled": frozenset({"draft", "running", "paused", "done", "cancelled"}),
    "running": frozenset({"scheduled", "paused", "done", "cancelled"}),
    "paused": frozenset({"draft", "scheduled", "running", "done", "cancelled"}),
    "done": frozenset({"running"}),
    "cancelled": frozenset(),
}
STOPPABLE: frozenset[CampaignState] = frozenset({"waiting", "scheduled", "running", "paused"})
RESTING: frozenset[CampaignState] = frozenset({"draft", "done", "cancelled"})
"""Nothing is on its way or will be: it may be deleted."""

# What may be written along with a step.
COLUMNS = frozenset(
    {"submitted_by", "submitted_at", "decided_by", "decided_at", "decision_note", "next_at", "paused_at", "finished_at", "recipients",
     "approval"}
)  # fmt: skip

HOLD = "select * from campaign where id = $1 and deleted_at is null for no key update"


async def hold(work: Work, campaign_id: int) -> Row:
    """The campaign, locked until the unit of work ends. Raises :class:`NotFound`."""
    row = await work.tx.fetchrow(HOLD, campaign_id)
    if row is None:
        raise NotFound("There is no such campaign.")
    return row


async def change(
    work: Work, campaign_id: int, from_states: Collection[CampaignState], to_state: CampaignState, **columns: Any
) -> Row:
    """One step, from any of these states, with what is written along with it. Rings ``campaign``.

    Raises :class:`NotFound`, and :class:`Conflict` (``wrong_state``) when it is in none of them (any more).
    """
    for state in from_states:
        if to_state not in STEPS[state]:
            raise ValueError(f"there is no step from {state} to {to_state}")
    if not COLUMNS.issuperset(columns):
        raise ValueError(f"not written along with a step: {sorted(set(columns) - COLUMNS)}")
    sets = "".join(f", {name} = ${number}" for number, name in enumerate(columns, 5))
    row = await work.tx.fetchrow(
        f"update campaign set state = $3, updated_at = $4{sets} "  # noqa: S608 - names from COLUMNS
        "where id = $1 and state = any($2::text[]) and deleted_at is null returning *",
        campaign_id,
        list(from_states),
        to_state,
        work.now,
        *columns.values(),
    )
    if row is None:
        raise wrong_state((await hold(work, campaign_id))["state"])
    work.ring("campaign", campaign_id)
    return row


def wrong_state(state: CampaignState) -> Conflict:
    return Conflict(f"{WORDS[state]} Look at it again: this cannot be done with it now.", code="wrong_state")


WORDS: Mapping[CampaignState, str] = {
    "draft": "This campaign is a draft.",
    "waiting": "This campaign waits for a second person's approval.",
    "scheduled": "This campaign is scheduled.",
    "running": "This campaign is running.",
    "paused": "This campaign is paused.",
    "done": "This campaign is done.",
    "cancelled": "This campaign was cancelled.",
}
