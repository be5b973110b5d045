"""What is asked and told about retention."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from audit.retention.holds import HoldKind
from audit.retention.rules import SHORTEST_DAYS, RuleKind
from scrm.views import Id, Input, View

Channel = Annotated[str, Field(pattern=r"^[a-z0-9_]{0,40}$")]
Days = Annotated[int, Field(ge=SHORTEST_DAYS, le=36500)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
Token = Annotated[str, StringConstraints(min_length=8, max_length=64)]
Typed = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)]


class RetentionPreviewQuery(Input):
    kind: RuleKind
    channel: Channel = ""
    days: Days


class RetentionPreview(View):
    """``goes``: messages or records that the rule would empty now; ``stays``: old enough, and kept by a hold."""

    goes: int
    stays: int
    files: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None


class RetentionRuleInput(Input):
    """``confirm``: the days, typed again, when the rule removes."""

    kind: RuleKind
    channel: Channel = ""
    days: Days
    enabled: bool
    confirm: Typed = ""


class RetentionRuleView(View):
    """``removed``: since it exists; ``kept``: by holds in the last pass; ``passing``: a pass is under way."""

    id: int
    kind: RuleKind
    channel: str
    days: int
    enabled: bool
    passing: bool
    passed_at: datetime | None
    removed: int
    kept: int
    updated_by: int | None
    updated_at: datetime


class Retention(View):
    """``events_days``: raw messages of platforms that were understood are kept so long (``worker.keep_events_days``)."""

    rules: list[RetentionRuleView]
    events_days: int
    channels: list[str]


class LegalHoldInput(Input):
    kind: HoldKind
    object_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    reason: Why
    client_token: Token


class LegalHoldLift(Input):
    reason: Why


class RetentionPageQuery(Input):
    before: Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class LegalHoldView(View):
    id: int
    kind: HoldKind
    object_id: int | None
    name: str
    since: datetime | None
    until: datetime | None
    reason: str
    placed_by: int | None
    placed_at: datetime
    ends_at: datetime | None
    lifted_by: int | None
    lifted_at: datetime | None
    lift_reason: str
    active: bool


class LegalHoldList(View):
    holds: list[LegalHoldView]


class ErasureInput(Input):
    customer_id: Id
    reason: Why
    client_token: Token


class ErasureConfirm(Input):
    """``confirm``: the number of the customer."""

    confirm: Typed


class ErasureStay(View):
    what: str
    n: int
    why: Literal["hold", "chain", "trail", "law"]


class ErasureReport(View):
    """``found``: when it was planned; ``removed`` and ``stays``: what became of it."""

    found: dict[str, int]
    removed: dict[str, int]
    stays: list[ErasureStay]


class ErasureView(View):
    id: int
    customer_id: int
    state: Literal["planned", "running", "done", "cancelled"]
    reason: str
    asked_by: int | None
    asked_at: datetime
    confirmed_by: int | None
    confirmed_at: datetime | None
    finished_at: datetime | None
    report: ErasureReport


class ErasureList(View):
    erasures: list[ErasureView]
