"""What a plan says, as it is kept: what begins it, whom it is for, its steps, and what ends it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from campaigns.shapes import Clock, Kept, Quiet
from customers.filtering import EVERYBODY, Group
from scrm.variables import MOMENTS
from scrm.views import Id, Line

NAMES: tuple[str, ...] = (
    "customer.name", "customer.remark", "customer.city", "agent.name", "company.name", *MOMENTS,
)  # fmt: skip
"""Variables of the words of a step."""
WEEK = 7 * 24 * 60
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]
OnReply = Literal["any", "after_step", "never"]
StepKind = Literal["task", "message"]


class Added(Kept):
    """They became a contact of one of us, by one of these contact codes (none: by whatever way)."""

    on: Literal["added"]
    code_ids: Annotated[tuple[Id, ...], Field(max_length=100)] = ()


class Tagged(Kept):
    """They got one of the tags."""

    on: Literal["tag"]
    tag_ids: Ids


class Reached(Kept):
    """They came into one of the stages."""

    on: Literal["stage"]
    stage_ids: Ids


class Dated(Kept):
    """A date among their fields comes: a birthday, the end of a contract. ``days_before``: so many days earlier. ``yearly``: each year,
    whatever the year of the date."""

    on: Literal["date"]
    field: Annotated[str, Field(pattern=r"^f[0-9a-z]{1,20}$")]
    days_before: Annotated[int, Field(ge=0, le=60)] = 0
    yearly: bool = True


Start = Annotated[Added | Tagged | Reached | Dated, Field(discriminator="on")]


class SopStep(Kept):
    """``days`` after the beginning ``at`` a time of the company's clock, or so many ``minutes`` after it. ``words``: what a message says, or
    what the rep copies. ``otherwise``: what becomes of a message that the platform does not allow then."""

    days: Annotated[int, Field(ge=0, le=366)] = 0
    at: Clock | None = None
    minutes: Annotated[int, Field(ge=0, le=WEEK)] | None = None
    kind: StepKind = "task"
    title: Line
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    words: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    otherwise: Literal["task", "skip"] = "task"

    @model_validator(mode="after")
    def _whole(self) -> SopStep:
        if (self.at is None) == (self.minutes is None):
            raise ValueError("Give a time of the day, or minutes after the beginning.")
        if self.minutes is not None and self.days:
            raise ValueError("Minutes are counted from the beginning: leave the days at 0.")
        if self.kind == "message" and not self.words:
            raise ValueError("A message needs words.")
        return self


class SopPlan(Kept):
    """``filter``: only customers who fit when it begins. ``on_reply``: which message of the customer ends it: any, one after the first step,
    or none. ``leave``: it ends for those who no longer fit (the tag is taken, the stage left, the filter). ``again``: for one customer
    it may begin more than once, one after the other. ``late_hours``: a step that could not be done in time is still done within so many hours,
    else left out. ``deputy_id``: does the tasks for customers whom nobody owns."""

    start: Start
    filter: Group = EVERYBODY
    steps: Annotated[tuple[SopStep, ...], Field(min_length=1, max_length=30)]
    on_reply: OnReply = "any"
    leave: bool = True
    again: bool = True
    late_hours: Annotated[int, Field(ge=1, le=72)] = 12
    quiet: Quiet | None = Quiet()
    deputy_id: Id | None = None
