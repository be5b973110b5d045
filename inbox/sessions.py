"""Who may answer on the platform's side: its own session states."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.rows import Conversation
from scrm.channel import SessionChanged
from scrm.normalise import Item
from scrm.services import Work


async def record_sessions(work: Work, changes: Sequence[tuple[Item, Conversation, SessionChanged]]) -> None:
    """The latest change of each conversation counts."""
    for _, conversation, event in sorted(changes, key=lambda change: change[2].at):
        apply(conversation, event)


def apply(conversation: Conversation, event: SessionChanged) -> None:
    reason = event.reason
    conversation.service_state = event.service_state
    conversation.can_send = event.can_send
    conversation.service_reason = (
        None if reason is None else {"code": f"session.{event.service_state}", "zh": reason.zh, "en": reason.en}
    )
    conversation.next_version()
