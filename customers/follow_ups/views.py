"""How follow-ups look, and what is said about new ones."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from customers.tasks.views import NewTask, TaskView, Token
from scrm.views import Id, Input, View

LONGEST = 5000
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST)]
Outcome = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Mentions = Annotated[list[Id], Field(max_length=20)]


class FollowUpInput(Input):
    """``next``: what is to be done next, made in the same act. ``task_id``: the task that this answers; it is done then.
    ``file_ids``: uploads of one's own. ``at``: when it was, when that is not now."""

    client_token: Token
    kind: Annotated[str, Field(max_length=40)] = "other"
    text: Text = ""
    outcome: Outcome = ""
    mention_ids: Mentions = Field(default_factory=list)
    file_ids: Annotated[list[Id], Field(max_length=20)] = Field(default_factory=list)
    conversation_id: Id | None = None
    task_id: Id | None = None
    at: AwareDatetime | None = None
    next: NewTask | None = None


class FollowUpEdit(Input):
    """What is given is changed."""

    kind: Annotated[str, Field(max_length=40)] | None = None
    text: Text | None = None
    outcome: Outcome | None = None
    mention_ids: Mentions | None = None


class FollowUpFile(View):
    name: str
    mime: str
    size: int
    url: str


class EarlierText(View):
    """What it said until ``at``, when ``agent_id`` changed it."""

    at: datetime
    agent_id: int | None
    kind: str
    text: str
    outcome: str


class AnsweredTask(View):
    id: int
    text: str
    due_at: datetime
    all_day: bool


class FollowUpView(View):
    id: int
    customer_id: int
    agent_id: int | None
    kind: str
    text: str
    outcome: str
    mentions: list[int]
    files: list[FollowUpFile]
    conversation_id: int | None
    at: datetime
    created_at: datetime
    edited_at: datetime | None
    edits: list[EarlierText]
    answered: list[AnsweredTask]
    next: TaskView | None
    may_change: bool


class FollowUpPage(View):
    """Newest first. ``next_cursor`` null: there are no older ones."""

    follow_ups: list[FollowUpView]
    next_cursor: str | None
