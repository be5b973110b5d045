"""What may be done with a campaign in its state, and by whom: the page shows just these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from campaigns.shapes import CampaignState
from scrm.db import Row
from scrm.permissions import CAMPAIGNS_APPROVE, CAMPAIGNS_WRITE, Principal

Act = Literal[
    "edit", "rename", "test", "submit", "withdraw", "decide", "pause", "resume", "cancel", "copy", "delete"
]  # fmt: skip

IN_STATE: Mapping[CampaignState, tuple[Act, ...]] = {
    "draft": ("edit", "rename", "test", "submit", "copy", "delete"),
    "waiting": ("edit", "rename", "test", "withdraw", "decide", "cancel", "copy"),
    "scheduled": ("edit", "rename", "test", "withdraw", "pause", "cancel", "copy"),
    "running": ("rename", "test", "pause", "cancel", "copy"),
    "paused": ("rename", "test", "resume", "cancel", "copy"),
    "done": ("rename", "copy", "delete"),
    "cancelled": ("rename", "copy", "delete"),
}


def acts_of(principal: Principal, row: Row, *, open_run: bool) -> list[Act]:
    state: CampaignState = row["state"]
    acts: list[Act] = ["decide"] if state == "waiting" else []
    if principal.may(CAMPAIGNS_WRITE):
        acts = list(IN_STATE[state])
    if state == "paused" and not open_run and principal.may(CAMPAIGNS_WRITE):
        acts.insert(0, "edit")
    if "decide" in acts and not may_decide(principal, row):
        acts.remove("decide")
    return acts


def may_decide(principal: Principal, row: Row) -> bool:
    """The second person is a second person."""
    return principal.may(CAMPAIGNS_APPROVE) and row["submitted_by"] != principal.agent_id
