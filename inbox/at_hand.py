"""What a small batch of ordinary messages changed, in the words of a push, made of what the batch has in hand: a browser of this process is
told without reading it back. Only the simplest is told so: customers' messages without files to people who are known, where nothing else
happened to the conversation. Everything else is read, as ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from inbox.arrivals import Arrival
from inbox.familiar import Known
from inbox.queries import Pushed
from inbox.rows import Conversation
from inbox.shapes import conversation_view, message_view
from inbox.text import clean, clean_json
from scrm.services import Work

TOPIC = "conversation.pushed"
COLUMNS = tuple(one.name for one in fields(Conversation) if one.name != "changed")


def tell(work: Work, known: Sequence[Known], arrivals: Sequence[Arrival]) -> None:
    """Called when the batch has been written, with the people and places as they were found."""
    by_conversation: dict[int, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_conversation[arrival.conversation.id].append(arrival)
    for one in known:
        written = [arrival for arrival in by_conversation[one.conversation.id] if arrival.id]
        if written and _is_all(one, written):
            work.tell(TOPIC, _pushed(work, one, written))


def _is_all(known: Known, written: Sequence[Arrival]) -> bool:
    """Whether these messages are all that changed since the conversation was locked, and each as simple as it can be."""
    conversation = known.conversation
    return (
        not conversation.changed
        and conversation.version - known.version == len(written)
        and all(
            arrival.event.direction == "in" and not arrival.event.media and arrival.recalled is None
            for arrival in written
        )
    )


def _pushed(work: Work, known: Known, written: Sequence[Arrival]) -> Pushed:
    conversation: dict[str, Any] = {name: getattr(known.conversation, name) for name in COLUMNS}
    for name in ("channel", "team_id", "customer_id", "contact_name"):
        conversation[name] = known.row[name]
    conversation.update(group_name="", external_id=known.row["contact"], avatar=known.row["contact_avatar"])
    messages = [message_view(_message(work, arrival), (), None) for arrival in sorted(written, key=lambda one: one.seq)]
    return Pushed(conversation_view(conversation), messages, (), known.version, known.row["team_id"])


def _message(work: Work, arrival: Arrival) -> dict[str, Any]:
    event = arrival.event
    return {
        "id": arrival.id, "conversation_id": arrival.conversation.id, "seq": arrival.seq, "version": arrival.version,
        "direction": event.direction, "kind": str(event.kind), "text": clean(event.text), "content": clean_json(event.content),
        "state": "received", "reason": None, "sender_kind": str(event.sender), "sender_agent_id": None,
        "sender_id": clean(event.sender_id), "sender_name": clean(event.sender_name), "client_token": None,
        "sent_at": event.sent_at, "created_at": work.now, "recalled_at": None, "recalled_by": None, "removed_at": None, "removed_for": None,
    }  # fmt: skip
