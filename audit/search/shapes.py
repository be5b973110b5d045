"""Shapes of searching the archive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from audit.archive.relations import RelationEnded
from inbox.views import ConversationView, Part, SenderView
from scrm.views import Id, Input, View

State = Literal["recalled", "deleted_friend", "left_group"]


def _readable(text: str) -> str:
    if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in text):
        raise ValueError("Write what to look for without control characters.")
    return text


Words = Annotated[str, StringConstraints(max_length=300), AfterValidator(_readable)]


class Filter(Input):
    """``q``: words with spaces between them must all occur, ``"a phrase"`` as it stands, ``-these`` must not. Without words everything
    that meets the rest is found. ``agent_id``: whose account it is, or who wrote it. ``kind``: of the message; ``other:name`` is what the
    platform calls it. ``rule_id``: what a rule found."""

    q: Words = ""
    account_id: Id | None = None
    agent_id: Id | None = None
    customer_id: Id | None = None
    conversation_id: Id | None = None
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")] | None = None
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}(:[A-Za-z0-9_]{1,60})?$")] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    direction: Literal["in", "out"] | None = None
    state: State | None = None
    rule_id: Id | None = None


class SearchQuery(Filter):
    """``group``: of each conversation its newest find only. ``cursor``: goes on from an earlier page."""

    sort: Literal["time", "relevance"] = "time"
    group: bool = False
    cursor: Annotated[str, StringConstraints(pattern=r"^\d{1,19}(\.\d{1,19}){0,3}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class Mark(View):
    """What else is known of a find: a rule that found it, or money in it."""

    kind: Literal["rule", "money"]
    rule_id: int | None = None
    name: str = ""
    severity: str = ""
    amount_fen: int | None = None


class Hit(View):
    """``excerpt``: where the words stand, in the text or else in the title or the name of a file. ``standing``: what became of those the
    conversation is with."""

    message_id: int
    seq: int
    conversation: ConversationView
    standing: RelationEnded | None
    direction: Literal["in", "out", "note"]
    kind: str
    sender: SenderView
    sent_at: datetime
    recalled_at: datetime | None
    excerpt: list[Part]
    file_name: str | None
    marks: list[Mark]


class Hits(View):
    """With ``next_cursor`` there is more to search, before ``searched_to``, also when nothing was found yet."""

    hits: list[Hit]
    next_cursor: str | None
    searched_to: datetime | None
    words: list[str] = Field(description="What was looked for, to mark it in the chat.")


class MonthCount(View):
    month: str = Field(description="Of the company's time zone, 2026-11.")
    n: int


class AgentCount(View):
    """Whose account it is: a colleague, or an account that is nobody's."""

    agent_id: int | None
    account_id: int | None
    name: str
    n: int


class KindCount(View):
    kind: str
    n: int


class ChannelCount(View):
    channel: str
    n: int


class StateCount(View):
    state: State
    n: int


class RuleCount(View):
    rule_id: int
    name: str
    n: int


class Facets(View):
    """Counts of the finds. ``exact`` is false when only the newest were counted, down to ``searched_to``: there are more."""

    total: int
    exact: bool
    searched_to: datetime | None
    conversations: int
    by_month: list[MonthCount]
    agents: list[AgentCount]
    kinds: list[KindCount]
    channels: list[ChannelCount]
    states: list[StateCount]
    rules: list[RuleCount]


class PeopleQuery(Input):
    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_readable)]
    limit: Annotated[int, Field(ge=1, le=30)] = 10


class Person(View):
    """A colleague, an account that is nobody's, a customer or a group, to be put into a search by ``id``: as ``agent_id``, ``account_id``,
    ``customer_id`` or ``conversation_id``."""

    kind: Literal["agent", "account", "customer", "group"]
    id: int
    name: str
    remark: str
    avatar: str


class People(View):
    """``more``: others fit as well; type more."""

    people: list[Person]
    more: bool
