"""Reply windows: which permission to write a conversation holds.

A reply grant replaces what is older (a platform may deliver an old message late: it must not reopen what is used up). An enter
grant is short and never displaces a window that is still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inbox.rows import Conversation
from scrm.channel import WindowGrant


def grant(
    conversation: Conversation, window: WindowGrant, opened_at: datetime, now: datetime, *, in_flight: int = 0
) -> None:
    """``in_flight``: answers that have not arrived yet. Where answers carry no key the platform counts each against the window
    that is open when it arrives, so they use the new one."""
    if window.kind == "enter":
        if is_open(conversation, now) or window.expires_at <= now:
            return
    elif conversation.window_kind == "reply" and not _newer(conversation, window):
        return
    conversation.window_kind = window.kind
    conversation.window_opened_at = opened_at
    conversation.window_expires_at = window.expires_at
    conversation.window_quota = window.quota
    conversation.window_used = 0 if window.key else min(in_flight, window.quota)
    conversation.window_key = window.key
    conversation.changed = True


def _newer(conversation: Conversation, window: WindowGrant) -> bool:
    """Platforms count in seconds: another message of the same second is a new allowance too. (Repetitions of one message never
    come here; they are dropped before.)"""
    return conversation.window_expires_at is None or window.expires_at >= conversation.window_expires_at


def is_open(conversation: Conversation, now: datetime) -> bool:
    return (
        conversation.window_expires_at is not None
        and now < conversation.window_expires_at
        and conversation.window_used < conversation.window_quota
    )


def use(conversation: Conversation) -> None:
    conversation.window_used += 1
    conversation.changed = True


def give_back(conversation: Conversation, payload: Mapping[str, Any]) -> None:
    """A send was certainly not done: it did not use the window it was meant for, if that is still the one held. Where answers
    carry no key, it is: see ``grant``."""
    meant = payload.get("window_expires_at")
    if meant is None or conversation.window_used == 0:
        return
    held = conversation.window_expires_at
    if not payload.get("window_key") or (held is not None and held == datetime.fromisoformat(meant)):
        conversation.window_used -= 1
        conversation.changed = True


def close(conversation: Conversation, now: datetime) -> None:
    """The platform says that the window is over, whatever we believed."""
    if conversation.window_expires_at is None or conversation.window_expires_at > now:
        conversation.window_expires_at = now
        conversation.changed = True
