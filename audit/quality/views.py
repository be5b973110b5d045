"""Sheets, plans, samples and results as they are asked for and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from inbox.reply import Token
from inbox.views import ConversationView
from scrm.views import Id, Input, Line, View

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9]{1,20}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 1, 1))]
State = Literal["due", "scored", "reviewed", "appealed", "closed"]
Schedule = Literal["demand", "weekly", "monthly"]
LONGEST_DAYS = 366


class SheetItem(BaseModel):
    """``veto``: when this fails, everything does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    name: Line
    hint: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    points: Annotated[int, Field(ge=0, le=1000)]
    veto: bool = False


class SheetInput(Input):
    """``client_token``: the same one twice is one sheet; only for a new one."""

    name: Line
    items: Annotated[list[SheetItem], Field(min_length=1, max_length=50)]
    pass_percent: Annotated[int, Field(ge=0, le=100)] = 80
    client_token: Token | None = None

    @model_validator(mode="after")
    def _sound(self) -> SheetInput:
        if len({one.key for one in self.items}) != len(self.items):
            raise ValueError("Each item needs a key of its own.")
        if not sum(one.points for one in self.items):
            raise ValueError("Give points to at least one item.")
        return self


class SheetVersionView(View):
    id: int
    version: int
    items: list[SheetItem]
    pass_percent: int
    updated_at: datetime
    published_at: datetime | None
    published_by: int | None


class SheetView(View):
    """Newest version first; at most one is a draft."""

    id: int
    name: str
    created_by: int | None
    versions: list[SheetVersionView]


class SheetList(View):
    sheets: list[SheetView]


class PlanConditions(BaseModel):
    """What a stretch must meet; what is absent is not asked. ``slow_minutes``: an answer came so late after what the customer wrote last.
    ``survey_at_most``: a score given to the conversation on that day or within the three after."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    had_alert: bool = False
    slow_minutes: Annotated[int, Field(ge=1, le=10_000)] | None = None
    survey_at_most: Annotated[int, Field(ge=1, le=5)] | None = None
    messages_at_least: Annotated[int, Field(ge=1, le=10_000)] | None = None


class PlanData(BaseModel):
    """Of each employee ``amount`` stretches, or ``amount`` percent of them (at least one). Without employees and teams: everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent_ids: Annotated[list[Id], Field(max_length=500)] = []
    team_ids: Annotated[list[Id], Field(max_length=100)] = []
    channels: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] = []
    by: Literal["number", "percent"] = "number"
    amount: Annotated[int, Field(ge=1, le=100)] = 3
    conditions: PlanConditions = PlanConditions()


class PlanInput(Input):
    """``version``: the one that was looked at; absent for a new one, which has a ``client_token``."""

    name: Line
    sheet_id: Id
    schedule: Schedule = "demand"
    data: PlanData
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    client_token: Token | None = None


class DrawView(View):
    id: int
    first_day: date
    last_day: date
    seed: str
    candidates: int
    drawn: int
    asked_by: int | None
    drawn_at: datetime


class PlanView(View):
    """``due`` … of its samples within the asker's reach."""

    id: int
    name: str
    sheet_id: int
    schedule: Schedule
    data: PlanData
    version: int
    owner_id: int
    updated_at: datetime
    due: int
    samples: int
    draws: list[DrawView]


class PlanList(View):
    plans: list[PlanView]


class DrawInput(Input):
    """The same ``client_token`` draws once."""

    first: Day
    last: Day
    client_token: Token

    @model_validator(mode="after")
    def _forward(self) -> DrawInput:
        if not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            raise ValueError(f"The period ends after it begins and has at most {LONGEST_DAYS} days.")
        return self


class MarkInput(Input):
    item: Key
    points: Annotated[int, Field(ge=0, le=1000)]
    failed: bool = False
    """Of an item with a veto."""
    comment: Text = ""


class ScoreInput(Input):
    """One mark per item of the sheet."""

    marks: Annotated[list[MarkInput], Field(min_length=1, max_length=50)]
    comment: Text = ""


class DecisionInput(Input):
    """``score`` absent: it stays."""

    note: Reason
    score: ScoreInput | None = None


class AppealInput(Input):
    reason: Reason


class MarkView(View):
    item: str
    points: int
    most: int
    vetoed: bool
    comment: str


class SampleRow(View):
    id: int
    plan_id: int
    plan_name: str
    agent_id: int
    day: date
    messages: int
    first_seq: int
    last_seq: int
    state: State
    scored_by: int | None
    percent: int | None
    passed: bool | None
    vetoed: bool
    scored_at: datetime | None
    appealed_at: datetime | None
    mine: bool
    """One took part in this chat oneself: somebody else scores it."""
    conversation: ConversationView


class SampleEventView(View):
    at: datetime
    agent_id: int | None
    what: str
    detail: dict[str, object]


class InspectionResult(View):
    """What an employee reads too."""

    comment: str
    appeal_reason: str
    decision: Literal["", "kept", "changed"]
    decision_note: str
    decided_by: int | None
    items: list[SheetItem]
    pass_percent: int
    marks: list[MarkView]


class SampleView(InspectionResult):
    sample: SampleRow
    history: list[SampleEventView]


class SampleQuery(Input):
    state: State | Literal["open", "done"] | None = None
    plan_id: Id | None = None
    agent_id: Id | None = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class SampleCounts(View):
    due: int
    scored: int
    reviewed: int
    appealed: int
    closed: int


class SamplePage(View):
    samples: list[SampleRow]
    next_cursor: int | None
    counts: SampleCounts


class MyResult(InspectionResult):
    """``at``: where it begins. ``may_appeal``: once, while nothing is decided."""

    id: int
    day: date
    name: str
    conversation_id: int
    first_seq: int
    messages: int
    state: State
    percent: int
    passed: bool
    vetoed: bool
    scored_at: datetime
    may_appeal: bool


class MyResults(View):
    results: list[MyResult]
    average: float | None


class PeriodQuery(Input):
    first: Day
    last: Day
    agent_id: Id | None = None
    team_id: Id | None = None

    @model_validator(mode="after")
    def _forward(self) -> PeriodQuery:
        if not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            raise ValueError(f"The period ends after it begins and has at most {LONGEST_DAYS} days.")
        return self


class AgentResult(View):
    agent_id: int
    samples: int
    average: float
    passed: int
    vetoed: int


class ItemResult(View):
    """``share``: of the points that could be had."""

    name: str
    samples: int
    share: float
    vetoed: int


class WeekResult(View):
    """``week``: its Monday."""

    week: date
    name: str
    samples: int
    share: float


class InspectionResults(View):
    """``weeks``: name '' is the score as a whole, others are items."""

    agents: list[AgentResult]
    items: list[ItemResult]
    weeks: list[WeekResult]


class ServiceRow(View):
    """Seconds are of working time; null: nothing was measured. ``unanswered``: days of a conversation on which the customer wrote and
    nobody answered, told of whose conversation it is."""

    agent_id: int
    conversations: int
    messages: int
    after_hours: int
    unanswered: int
    answers: int
    first_median: int | None
    first_p90: int | None
    next_median: int | None
    sla_met: int
    sla_breached: int
    survey_score: float | None
    surveys: int
    inspected: int
    inspection: float | None


class ServiceReport(View):
    first: date
    last: date
    rows: list[ServiceRow]
