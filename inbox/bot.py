"""What the service says by itself: a message of a bot, sent like any other, within what the platform allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from inbox import windows
from inbox.rows import Conversation
from inbox.text import preview
from scrm import outbox
from scrm.channel import Capabilities, Kind
from scrm.db import Row
from scrm.services import Work

CapabilitiesOf = Callable[[str], Capabilities | None]
LONGEST_WAIT = timedelta(hours=1)
"""Later than that an automatic answer is about something else."""
ACCOUNT = """
select a.id, a.connection_id, a.channel, a.disabled_at, n.paused_at
from account a join connection n on n.id = a.connection_id where a.id = $1
"""


async def say(
    work: Work,
    conversation: Conversation,
    able_of: CapabilitiesOf,
    token: str,
    text: str,
    *,
    kind: Kind = Kind.TEXT,
    content: Mapping[str, Any] | None = None,
    spend_last: bool = False,
) -> int | None:
    """Queues a message to the (locked) conversation's customer, once per ``token``; the caller saves. None when it may not be said:
    the platform or the account does not allow it, or it would be the last message of the window and ``spend_last`` is off."""
    account: Row | None = await work.tx.fetchrow(ACCOUNT, conversation.account_id)
    able = able_of(account["channel"]) if account is not None else None
    if account is None or able is None or not _allowed(conversation, account, able, kind, work, spend_last):
        return None
    message_id: int | None = await work.tx.fetchval(
        "insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, "
        "client_token, sent_at, created_at) select $1, $2, $3, 'out', $4, $5, $6, 'queued', 'bot', $7, $8, $8 "
        "where not exists (select from message where conversation_id = $1 and client_token = $7) returning id",
        conversation.id,
        conversation.last_seq + 1,
        conversation.version + 1,
        str(kind),
        text,
        dict(content or {}),
        token,
        work.now,
    )
    if message_id is None:
        return None
    conversation.next_seq()
    conversation.next_version()
    conversation.preview = preview(text)
    conversation.preview_kind = str(kind)
    conversation.preview_direction = "out"
    conversation.last_message_at = max(conversation.last_message_at, work.now)
    windowed = able.window is not None
    if windowed:
        windows.use(conversation)
    expires_at = conversation.window_expires_at if windowed else None
    await outbox.put(
        work,
        message_id=message_id,
        conversation_id=conversation.id,
        connection_id=account["connection_id"],
        give_up_at=min(expires_at or work.now + LONGEST_WAIT, work.now + LONGEST_WAIT),
        payload={
            "window_kind": conversation.window_kind if windowed else "",
            "window_key": conversation.window_key if windowed else {},
            "window_expires_at": expires_at.isoformat() if expires_at else None,
        },
    )
    return message_id


def _allowed(
    conversation: Conversation, account: Row, able: Capabilities, kind: Kind, work: Work, spend_last: bool
) -> bool:
    if kind not in able.sends or account["disabled_at"] is not None or account["paused_at"] is not None:
        return False
    if not conversation.can_send:
        return False
    if able.window is None:
        return True
    left = conversation.window_quota - conversation.window_used
    return windows.is_open(conversation, work.now) and (spend_last or left > 1)


def sends_menus(able: Capabilities | None) -> bool:
    return able is not None and Kind.MENU in able.sends
