"""What is told of a chat beside its messages."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from audit.archive.relations import RelationEnded
from inbox.views import ConversationView
from scrm.views import Id, Input, View

Consent = Literal["agreed", "by_default", "refused"]


class ViewedChatInput(Input):
    conversation_id: Id


class ChatConsent(View):
    """Whether the customer lets this chat be archived. ``changed_at``: since when, as the platform says; ``asked_at``: when we asked."""

    state: Consent
    changed_at: datetime | None
    asked_at: datetime


class ChatEmployee(View):
    """Whose chat it is. ``permitted``: the platform archives what they write; null: it tells no list. ``left_at``: they left the company."""

    account_id: int
    name: str
    permitted: bool | None
    permitted_since: datetime | None
    left_at: datetime | None


class ChatMember(View):
    """Somebody who is or was in the group."""

    name: str
    kind: Literal["member", "contact"]
    joined_at: datetime | None
    left_at: datetime | None
    consent: Consent | None


class ChatAlert(View):
    """Something about a message that somebody should look at, or has."""

    id: int
    message_id: int
    seq: int
    title: dict[str, str]
    severity: Literal["low", "medium", "high"]
    state: Literal["new", "taken", "done"]
    assignee_id: int | None


class AuditChat(View):
    """``alerts``: the newest of them; those that were nothing are left out."""

    conversation: ConversationView
    messages: int
    first_at: datetime | None
    ended: RelationEnded | None
    employee: ChatEmployee
    consent: ChatConsent | None
    members: list[ChatMember]
    alerts: list[ChatAlert]
