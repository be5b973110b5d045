"""The welcome message: allowed once when a customer opens the chat, for seconds, so it takes the fast lane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from inbox import windows
from inbox.rows import Conversation
from inbox.text import preview
from scrm import outbox
from scrm.channel import ContactEntered, Kind
from scrm.connections import Loaded
from scrm.normalise import Item
from scrm.services import Work


def possible(event: ContactEntered, now: datetime) -> bool:
    until = _until(event)
    return until is not None and until > now


def _until(event: ContactEntered) -> datetime | None:
    """Only a code allows a greeting. A window alone (somebody tapped a menu) is for whoever answers: nobody wants to be greeted at
    every tap."""
    return event.welcome_until if event.welcome_code else None


async def welcome(work: Work, connection: Loaded, entered: Sequence[tuple[Item, Conversation, ContactEntered]]) -> None:
    """Queues the account's greeting once per entering, however often the event comes."""
    if not entered:
        return
    texts = await _welcome_texts(work, [conversation.account_id for _, conversation, _ in entered])
    for _, conversation, event in entered:
        text = texts.get(conversation.account_id, "")
        until = _until(event)
        if not text or connection.paused or until is None or until <= work.now:
            continue
        await _greet(work, connection, conversation, event, text, until)


async def _welcome_texts(work: Work, account_ids: Sequence[int]) -> dict[int, str]:
    rows = await work.tx.fetch(
        "select id, welcome_text from account where id = any($1::bigint[]) and welcome_text <> '' and disabled_at is null",
        sorted(set(account_ids)),
    )
    return {row["id"]: row["welcome_text"] for row in rows}


async def _greet(
    work: Work,
    connection: Loaded,
    conversation: Conversation,
    event: ContactEntered,
    text: str,
    until: datetime,
) -> None:
    token = f"welcome:{event.welcome_code}"[:200]
    seen = await work.tx.fetchval(
        "select true from message where conversation_id = $1 and client_token = $2", conversation.id, token
    )
    if seen:
        return
    message_id = await work.tx.fetchval(
        "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, client_token, "
        "sent_at, created_at) values ($1, $2, $3, 'out', $4, $5, 'queued', 'bot', $6, $7, $7) returning id",
        conversation.id,
        conversation.next_seq(),
        conversation.next_version(),
        str(Kind.TEXT),
        text,
        token,
        work.now,
    )
    conversation.preview = preview(text)
    conversation.preview_kind = str(Kind.TEXT)
    conversation.preview_direction = "out"
    conversation.last_message_at = max(conversation.last_message_at, work.now)
    window = event.window
    if window is not None and (conversation.window_kind, conversation.window_expires_at) == (
        window.kind,
        window.expires_at,
    ):
        windows.use(conversation)
    await outbox.put(
        work,
        message_id=message_id,
        conversation_id=conversation.id,
        connection_id=connection.id,
        lane=outbox.FAST_LANE,
        give_up_at=until,
        payload={
            "welcome_code": event.welcome_code,
            "window_kind": window.kind if window else "",
            "window_key": window.key if window else {},
        },
    )
