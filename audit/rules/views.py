"""Rules as they are shown and asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from audit.alerts.views import SeverityName
from audit.rules.kinds import AnyRule, RuleKind, WordInput
from inbox.views import Part
from scrm.views import Id, Input, Line, View


class LookBackView(View):
    """A look back. ``done`` of ``all`` ids have been passed."""

    state: Literal["running", "done", "stopped"]
    since: datetime | None
    alerts: bool
    done: int
    all: int
    looked: int
    found: int
    raised: int
    asked_by: int | None
    asked_at: datetime
    finished_at: datetime | None


class InterceptView(View):
    """How the rule stands on a connection that stops messages. ``trouble``: what the platform said against it."""

    connection_id: int
    connection: str
    asked: int
    made: int
    trouble: str
    left_out: int
    """Words that the platform cannot take: expressions, patterns, and those that are too long."""


class AuditRuleView(View):
    """In the list, without words and exceptions. ``hits``: messages it found, ``open`` … what became of its alerts, all within the asker's
    reach. ``precision``: of those that were settled, how many were something; None: none was."""

    id: int
    kind: RuleKind
    name: str
    severity: SeverityName
    enabled: bool
    version: int
    words: int
    exceptions: int
    data: AnyRule | None
    hits: int
    open: int
    done: int
    dismissed: int
    precision: float | None
    mutes: int
    looks_back: bool
    rerun: LookBackView | None
    intercepts: list[InterceptView]
    created_by: int | None
    updated_by: int | None
    updated_at: datetime


class AuditRuleList(View):
    rules: list[AuditRuleView]


class NewAuditRule(Input):
    name: Line
    severity: SeverityName = "medium"
    enabled: bool = True
    data: AnyRule


class AuditRuleInput(Input):
    """What is absent stays. ``version``: the one that was looked at; when it is another by now, nothing is changed."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    name: Line | None = None
    severity: SeverityName | None = None
    enabled: bool | None = None
    data: AnyRule | None = None


class RuleVersionView(View):
    version: int
    severity: SeverityName
    words: int
    exceptions: int
    changed_by: int | None
    changed_at: datetime


class RuleVersionList(View):
    """Newest first."""

    versions: list[RuleVersionView]


class MuteView(View):
    """Where the rule does not look: a conversation, or an account."""

    id: int
    conversation_id: int | None
    account_id: int | None
    name: str
    muted_by: int | None
    muted_at: datetime


class MuteList(View):
    mutes: list[MuteView]


class LookBack(Input):
    """``since`` absent: everything. ``alerts`` false: finds are marked, nobody has to look at them."""

    since: datetime | None = None
    alerts: bool = True


class Trial(Input):
    """``text``: what somebody might write. ``data``: words that are not saved yet; absent: all rules that are at work."""

    text: Annotated[str, Field(min_length=1, max_length=5000)]
    out: bool = True
    data: AnyRule | None = None


class TrialFind(View):
    rule_id: int
    name: str
    kind: RuleKind
    severity: SeverityName
    words: list[str]
    parts: list[Part]


class RuleFindsView(View):
    finds: list[TrialFind]


class WordsRead(View):
    """``refused``: lines that are no words, with the reason."""

    words: list[WordInput]
    doubles: int
    refused: list[str]
    more: int


class MuteQuery(Input):
    before: Id | None = None
