"""Plans and the people in them, as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from campaigns.sop.shapes import SopPlan
from scrm.views import Input, View

EntryState = Literal["under_way", "done", "stopped"]
StepState = Literal["task", "sending", "sent", "failed", "uncertain", "skipped"]


class SopCounts(View):
    """``entered``: all there ever were."""

    entered: int
    under_way: int
    done: int
    stopped: int


class SopView(View):
    """``problem``: why the service itself switched it off. ``enrolling``: those who fitted already are still being taken in."""

    id: int
    name: str
    enabled: bool
    enabled_at: datetime | None
    enrolling: bool
    problem: str
    version: int
    plan: SopPlan
    created_name: str
    created_at: datetime
    updated_at: datetime
    counts: SopCounts


class SopPage(View):
    sops: list[SopView]
    next_cursor: str | None


class SopQuery(Input):
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class StepResult(View):
    """``n`` from 0. ``reasons``: why it was left out, failed, or became a task, each with how often."""

    n: int
    tasks: int
    tasks_done: int
    sending: int
    sent: int
    failed: int
    uncertain: int
    skipped: int
    replied: int
    reasons: dict[str, int]


class VersionView(View):
    version: int
    at: datetime
    by_name: str
    under_way: int


class SopDetail(View):
    """``stopped``: by reason. ``steps``: of the plan as it is now; who began under an older version is counted there."""

    sop: SopView
    stopped: dict[str, int]
    steps: list[StepResult]
    versions: list[VersionView]


class Matching(View):
    n: int


class EntryView(View):
    """``next_step`` from 0; its title and moment are null when nothing comes any more."""

    id: int
    sop_id: int
    sop_name: str
    customer_id: int
    customer_name: str
    customer_avatar: str
    state: EntryState
    reason: str
    began_at: datetime
    ended_at: datetime | None
    next_step: int
    steps: int
    next_title: str | None
    next_at: datetime | None
    waits: bool = Field(description="The plan is switched off: nothing is done until it is on again.")


class EntryPage(View):
    entries: list[EntryView]
    next_before: int | None


class EntryQuery(Input):
    before: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    state: EntryState | None = None
    reason: Annotated[str, Field(pattern=r"^[a-z_]{1,20}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class StepDone(View):
    n: int
    kind: Literal["task", "message"]
    state: StepState
    reason: str
    at: datetime
    title: str
    text: str
    words: str
    task_id: int | None
    replied_at: datetime | None


class CustomerEntry(View):
    entry: EntryView
    done: list[StepDone]


class SopName(View):
    id: int
    name: str


class CustomerSops(View):
    """``offered``: plans that may be begun by hand for this customer."""

    entries: list[CustomerEntry]
    offered: list[SopName]
