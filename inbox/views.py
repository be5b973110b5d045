"""What the API and the socket say about conversations: one shape for both, so that the page can merge them blindly."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from inbox.list_query import ListFilter
from scrm.views import (
    AccountList,
    AccountView,
    ChannelView,
    MediaLimitView,
    SentenceView,
    View,
    WindowRuleView,
)

__all__ = [
    "AccountList",
    "AccountView",
    "AttachmentView",
    "ChangesPage",
    "ChannelView",
    "ConversationPage",
    "ConversationPush",
    "ConversationView",
    "CountsPush",
    "CountsView",
    "EventView",
    "GroupView",
    "MediaLimitView",
    "MessagePage",
    "MessageView",
    "PersonView",
    "SenderView",
    "SentenceView",
    "SlaView",
    "Tally",
    "View",
    "WindowRuleView",
    "WindowView",
]


class WindowView(View):
    """Permission to write. Open while ``now < expires_at`` and ``used < quota``."""

    kind: Literal["reply", "enter"]
    opened_at: datetime
    expires_at: datetime
    quota: int
    used: int


class PersonView(View):
    """A contact, as its conversation shows it."""

    id: int
    customer_id: int
    external_id: str
    name: str
    avatar: str


class GroupView(View):
    key: str
    name: str


class SlaView(View):
    """The answer that is promised. Without ``breached_at`` it counts down to ``due_at``."""

    kind: Literal["first", "next"]
    policy_id: int
    due_at: datetime
    breached_at: datetime | None


class ConversationView(View):
    id: int
    version: int = Field(description="Counts changes of this conversation and its messages; see /changes.")
    account_id: int
    channel: str
    contact: PersonView | None
    group: GroupView | None
    status: Literal["open", "snoozed", "closed"]
    assignee_id: int | None
    assigned_at: datetime | None
    collaborator_ids: list[int] = Field(description="Agents who help; they see it wherever it is.")
    transfer_to: int | None = Field(description="Who has been asked to take it over.")
    label_ids: list[int]
    snoozed_until: datetime | None = Field(description="When a snoozed one comes back; null: when the customer writes.")
    queued: bool = Field(description="Waits for a rep to become free.")
    sla: SlaView | None
    last_seq: int
    unread: int
    read_seq: int
    waiting_since: datetime | None = Field(description="Since when the customer waits for an answer.")
    last_message_at: datetime
    preview: str
    preview_kind: str
    preview_direction: Literal["in", "out", ""]
    window: WindowView | None
    can_send: bool = Field(description="False while the platform itself forbids answers from here; see service_reason.")
    service_state: str
    service_reason: SentenceView | None


class SenderView(View):
    kind: Literal["customer", "agent", "bot", "app", "system"]
    agent_id: int | None
    id: str
    name: str


class AttachmentView(View):
    """A file. ``url`` works when ``state`` is ``stored``."""

    id: int
    kind: str
    state: Literal["pending", "stored", "failed", "expired"]
    url: str
    name: str
    mime: str
    size: int
    width: int
    height: int
    duration_ms: int
    reason: SentenceView | None


class MessageView(View):
    """One message. When recalled and the reader may not see it, text, content and attachments are empty."""

    id: int
    conversation_id: int
    seq: int
    version: int
    direction: Literal["in", "out", "note"] = Field(description="A note is for colleagues only, and never leaves.")
    kind: str
    text: str
    content: dict[str, Any]
    attachments: list[AttachmentView]
    state: Literal["received", "queued", "sending", "sent", "failed", "uncertain"]
    reason: SentenceView | None
    sender: SenderView
    client_token: str | None
    sent_at: datetime
    created_at: datetime
    recalled_at: datetime | None
    recalled_by: Literal["customer", "agent"] | None
    removed_at: datetime | None = Field(
        description="Its content is gone for good: by a rule of retention, or at the person's request."
    )
    removed_for: Literal["retention", "erasure"] | None
    recallable_until: datetime | None


class EventView(View):
    """What happened besides messages, after message ``seq``; see ``inbox.events`` for kinds and data."""

    id: int
    seq: int
    version: int
    at: datetime
    kind: str
    agent_id: int | None
    data: dict[str, Any]


class ConversationPage(View):
    """Rows in the order of the list. The cursors lead on in it and, with ``back``, back; null: there is nothing more."""

    conversations: list[ConversationView]
    next_cursor: str | None
    previous_cursor: str | None


class MessagePage(View):
    """Ordered by seq. ``conversation`` is of the same moment as the messages; ``events`` are those that happened after one of
    them (and, on the first page of all, before any)."""

    conversation: ConversationView
    messages: list[MessageView]
    events: list[EventView]
    has_before: bool
    has_after: bool


class ChangesPage(View):
    """Messages that are new or changed since a version, ordered by version, and events since then; ``more`` when asked again
    from ``up_to_version``."""

    conversation: ConversationView
    messages: list[MessageView]
    events: list[EventView]
    up_to_version: int
    more: bool


class Tally(View):
    """Numbers of open conversations."""

    open: int = 0
    unread: int = 0
    waiting: int = 0


class CountsView(View):
    """Of what the asking agent may see; ``accounts`` by account id. ``team``: accounts of the agent's own teams. ``helping``:
    somebody else's conversations that the agent helps with. ``mentions``: conversations with a mention not yet read."""

    mine: Tally
    unassigned: Tally
    team: Tally
    all: Tally
    helping: Tally
    snoozed: Tally
    mentions: int
    accounts: dict[str, Tally]


class BulkResult(View):
    """Of one row; ``error`` and ``detail`` as in an error's answer, empty when it was done."""

    id: int
    done: bool
    error: str
    detail: str


class BulkDone(View):
    results: list[BulkResult]
    conversations: list[ConversationView]


class SavedViewView(View):
    """``team_id`` null: one's own."""

    id: int
    name: str
    team_id: int | None
    filter: ListFilter
    position: int


class SavedViewList(View):
    views: list[SavedViewView]


class Part(View):
    """A piece of a text; ``hit``: it is what was searched for."""

    text: str
    hit: bool


class MessageHit(View):
    message_id: int
    seq: int
    direction: Literal["in", "out", "note"]
    kind: str
    sender: SenderView
    sent_at: datetime
    recalled: bool
    excerpt: list[Part]
    conversation: ConversationView


class MessageHits(View):
    """Newest first. With ``next_cursor`` there is more to search, before ``searched_to``, also when nothing was found yet."""

    hits: list[MessageHit]
    next_cursor: int | None
    searched_to: datetime | None
    words: list[str] = Field(description="What was looked for, to mark it in the thread.")


class PersonHit(View):
    conversation: ConversationView
    name: list[Part]
    remark: list[Part]


class PersonHits(View):
    """``more``: others fit as well; type more."""

    hits: list[PersonHit]
    more: bool


class ConversationPush(View):
    """Pushed when a conversation changed. ``messages`` are those changed after ``from_version``: a page that holds the
    thread at ``from_version`` or later applies them, one that is behind asks /changes."""

    type: Literal["conversation"] = "conversation"
    conversation: ConversationView
    messages: list[MessageView]
    events: list[EventView]
    from_version: int


class CountsPush(View):
    type: Literal["counts"] = "counts"
    counts: CountsView
