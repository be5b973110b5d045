"""Alerts as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from inbox.views import ConversationView, Part, SenderView
from scrm.views import Id, Input, View

State = Literal["new", "taken", "done", "dismissed"]
SeverityName = Literal["low", "medium", "high"]


class AlertMessageView(View):
    """What the alert is about. Of a recalled message only those who may read such ones see words."""

    id: int
    seq: int
    direction: str
    kind: str
    sender: SenderView
    sent_at: datetime
    recalled: bool
    excerpt: list[Part]
    words: list[str]


class AlertView(View):
    """``title``: by language. ``rule_name`` is empty for alerts of other parts (``kind``)."""

    id: int
    version: int
    rule_id: int | None
    rule_name: str
    kind: str
    severity: SeverityName
    title: dict[str, str]
    state: State
    assignee_id: int | None
    conversation: ConversationView | None
    message: AlertMessageView | None
    account_id: int | None
    agent_id: int | None
    detail: dict[str, Any]
    outcome: str
    note: str
    happened_at: datetime
    raised_at: datetime
    settled_at: datetime | None
    settled_by: int | None


class AlertEventView(View):
    """``what``: taken, given, done, dismissed, reopened or noted."""

    at: datetime
    agent_id: int | None
    what: str
    detail: dict[str, Any]


class AlertDetail(View):
    """``history``: what became of it, from the first act on."""

    alert: AlertView
    history: list[AlertEventView]


class AlertCounts(View):
    """Open ones within the asker's reach, each up to 1000."""

    new: int
    taken: int
    mine: int
    high: int


class AlertPage(View):
    """Newest first."""

    alerts: list[AlertView]
    next_cursor: int | None


class AlertFilter(Input):
    """``state`` open: new and taken. ``assignee_id`` 0: of nobody."""

    state: Literal["new", "taken", "done", "dismissed", "open"] | None = None
    severity: SeverityName | None = None
    kind: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    rule_id: Id | None = None
    assignee_id: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    agent_id: Id | None = None
    account_id: Id | None = None
    conversation_id: Id | None = None
    since: datetime | None = None
    until: datetime | None = None


class AlertQuery(AlertFilter):
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 40
