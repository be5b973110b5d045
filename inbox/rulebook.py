"""What managers decide about the flow of conversations: working hours, assignment rules, service levels, automatic answers and
surveys. Each kind is an ordered list; of those that fit a conversation the first one holds.

The whole book is small and is read in one statement wherever something is decided, so a change holds from the next decision on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inbox.hours import ALWAYS, Calendar, Plan, calendar
from scrm.company import FACTS, CompanyFacts, Setting
from scrm.db import Database, Tx
from scrm.views import Id

RuleKind = Literal["hours", "assignment", "sla", "answer", "survey"]
Ids = Annotated[list[Id], Field(max_length=200)]
Word = Annotated[str, Field(max_length=60)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class FlowSettings(BaseModel):
    """``capacity``: open conversations that an agent is given at most, where nothing else is said about them.
    ``on_leave``: what happens to the chats of somebody who is away or locked out for ``leave_minutes``: they keep them, the waiting
    ones go back to be assigned, or all of them. ``absent_minutes``: so long after the last page was closed somebody counts as
    away; 0: never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capacity: Annotated[int, Field(ge=1, le=10_000)] = 30
    on_leave: Literal["keep", "waiting", "all"] = "keep"
    leave_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    absent_minutes: Annotated[int, Field(ge=0, le=1440)] = 10


General = CompanyFacts
GENERAL = FACTS
FLOW = Setting("flow", FlowSettings())


class Conditions(BaseModel):
    """All that are given must hold; an empty list asks nothing. ``hours``: whether the account's working hours are running.
    ``returning``: the customer has been answered by one of us before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_ids: Ids = Field(default_factory=list)
    channels: Annotated[list[Word], Field(max_length=50)] = Field(default_factory=list)
    label_ids: Ids = Field(default_factory=list)
    languages: Annotated[list[Word], Field(max_length=50)] = Field(default_factory=list)
    hours: Literal["any", "open", "closed"] = "any"
    returning: bool | None = None


class Hours(BaseModel):
    """A calendar for some accounts; without accounts, for all that have none of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_ids: Ids = Field(default_factory=list)
    plan: Plan


class Assignment(BaseModel):
    """``pool``: agents by name and members of teams; neither: everybody who answers and sees the account. ``otherwise``: when
    nobody of them can take it now. ``same_rep`` looks at who answered this customer last, if they can and belong to the pool."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conditions: Conditions = Field(default_factory=Conditions)
    action: Literal["same_rep", "round_robin", "least_busy", "queue", "unassigned"] = "least_busy"
    agent_ids: Ids = Field(default_factory=list)
    team_ids: Ids = Field(default_factory=list)
    only_online: bool = True
    below_capacity: bool = True
    otherwise: Literal["next", "queue", "unassigned"] = "next"


Seconds = Annotated[int, Field(ge=10, le=30 * 86_400)]


class Sla(BaseModel):
    """Promised times in seconds, of working time where ``working_hours``. ``warn_seconds`` before the end somebody is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conditions: Conditions = Field(default_factory=Conditions)
    first_seconds: Seconds | None = 300
    next_seconds: Seconds | None = 600
    working_hours: bool = True
    warn_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60

    @model_validator(mode="after")
    def _something(self) -> Sla:
        if self.first_seconds is None and self.next_seconds is None:
            raise ValueError("Promise at least one of the two answers.")
        return self


class Answer(BaseModel):
    """``off_hours``: once for each customer and closed period. ``queued``: once for each time in the queue. ``spend_last``: also with
    the last message that the platform allows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    occasion: Literal["off_hours", "queued"] = "off_hours"
    conditions: Conditions = Field(default_factory=Conditions)
    text: Text
    spend_last: bool = False


class Survey(BaseModel):
    """Asked ``delay_seconds`` after a conversation that an agent answered was closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_ids: Ids = Field(default_factory=list)
    question: Text
    thanks: Annotated[str, Field(max_length=1000)] = ""
    delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    expires_hours: Annotated[int, Field(ge=1, le=720)] = 24
    quiet_days: Annotated[int, Field(ge=0, le=3650)] = 7
    spend_last: bool = False


MODELS: dict[RuleKind, type[BaseModel]] = {
    "hours": Hours,
    "assignment": Assignment,
    "sla": Sla,
    "answer": Answer,
    "survey": Survey,
}
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Rule(Generic[M]):
    id: int
    name: str
    data: M
    last_agent_id: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions ask about a conversation."""

    account_id: int
    channel: str
    team_id: int | None = None
    label_ids: Sequence[int] = ()
    language: str = ""
    returning: bool = False
    contact_id: int | None = None
    customer_id: int | None = None
    last_agent_id: int | None = None
    """Who answered this customer last."""


@dataclass(slots=True)
class Rulebook:
    """Enabled rules, in order."""

    general: General
    flow: FlowSettings
    hours: list[Rule[Hours]] = field(default_factory=list)
    assignment: list[Rule[Assignment]] = field(default_factory=list)
    sla: list[Rule[Sla]] = field(default_factory=list)
    answer: list[Rule[Answer]] = field(default_factory=list)
    survey: list[Rule[Survey]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.general.time_zone)

    def calendar_of(self, account_id: int) -> Calendar:
        """The account's own, or that of all others, or one that is always open."""
        found = next((rule for rule in self.hours if account_id in rule.data.account_ids), None)
        found = found or next((rule for rule in self.hours if not rule.data.account_ids), None)
        return calendar(found.data.plan if found else ALWAYS, self.general.time_zone)

    def mismatch(self, conditions: Conditions, facts: Facts, at: datetime) -> str:
        """The name of the first condition that does not hold; empty when all do."""
        if conditions.account_ids and facts.account_id not in conditions.account_ids:
            return "account"
        if conditions.channels and facts.channel not in conditions.channels:
            return "channel"
        if conditions.label_ids and not set(conditions.label_ids) & set(facts.label_ids):
            return "label"
        if conditions.languages and facts.language not in conditions.languages:
            return "language"
        if conditions.returning is not None and conditions.returning != facts.returning:
            return "returning"
        if conditions.hours != "any":
            is_open = self.calendar_of(facts.account_id).is_open(at)
            if is_open != (conditions.hours == "open"):
                return "hours"
        return ""

    def sla_of(self, facts: Facts, at: datetime) -> Rule[Sla] | None:
        return next((rule for rule in self.sla if not self.mismatch(rule.data.conditions, facts, at)), None)

    def answer_of(self, occasion: str, facts: Facts, at: datetime) -> Rule[Answer] | None:
        return next(
            (
                rule
                for rule in self.answer
                if rule.data.occasion == occasion and not self.mismatch(rule.data.conditions, facts, at)
            ),
            None,
        )

    def survey_of(self, account_id: int) -> Rule[Survey] | None:
        own = (rule for rule in self.survey if not rule.data.account_ids or account_id in rule.data.account_ids)
        return next(own, None)


READ = """
select 0 as id, key as kind, '' as name, value as data, null::bigint as last_agent_id, 0 as position
from company_setting where key in ('general', 'flow')
union all
select id, kind, name, data, last_agent_id, position from inbox_rule where deleted_at is null and enabled
order by position, id
"""


async def load(tx: Tx | Database) -> Rulebook:
    """A rule that no longer fits the program is left out: nothing is decided by what cannot be understood."""
    book = Rulebook(General(), FlowSettings())
    for row in await tx.fetch(READ):
        if row["kind"] == "general":
            book.general = _parsed(General, row["data"]) or book.general
        elif row["kind"] == "flow":
            book.flow = _parsed(FlowSettings, row["data"]) or book.flow
        else:
            data = _parsed(MODELS[row["kind"]], row["data"])
            if data is not None:
                rules: list[Rule[Any]] = getattr(book, row["kind"])
                rules.append(Rule(row["id"], row["name"], data, row["last_agent_id"]))
    return book


def _parsed(model: type[M], data: Any) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError:
        return None
