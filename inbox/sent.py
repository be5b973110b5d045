"""The outcome of a send, written down: what is certain about it, and nothing more.

Each function is one unit of work's content. The outbox row is locked first and must still be ours: a sender that lost its lease
has nothing to say.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inbox import windows
from inbox.rows import Conversation, lock_one, save
from scrm import outbox
from scrm.channel import Receipt, Sentence
from scrm.db import Row
from scrm.errors import Rejected, SendError, Uncertain
from scrm.notices import notify
from scrm.services import Work

LONGEST_PAUSE = 300.0

TOO_LATE = Sentence("在允许的时间内未能送出。", "It could not leave within the time allowed.")
CRASHED = Sentence(
    "发送过程中服务中断，不确定客户是否收到。请在平台客户端核对后选择。",
    "The service stopped while sending; whether it arrived is unknown. Look in the platform's client, then choose.",
)


@dataclass(frozen=True, slots=True)
class Held:
    """An outbox row with its conversation, both locked."""

    row: Row
    conversation: Conversation


async def hold(work: Work, row: Row, token: uuid.UUID) -> Held | None:
    if not await outbox.holds(work.tx, row["id"], token):
        return None
    conversation = await lock_one(work, row["conversation_id"])
    return None if conversation is None else Held(row, conversation)


async def record_sent(work: Work, held: Held, receipt: Receipt) -> None:
    conversation = held.conversation
    platform_id: str | None = receipt.platform_message_id or None
    if platform_id is not None:
        # An echo may have been written as a message of its own before this answer came; it keeps the id.
        taken = await work.tx.fetchval(
            "select true from message where conversation_id = $1 and platform_message_id = $2 and id <> $3",
            conversation.id,
            platform_id,
            held.row["message_id"],
        )
        platform_id = None if taken else platform_id
    await work.tx.execute(
        "update message set state = 'sent', reason = null, platform_message_id = coalesce(platform_message_id, $2), "
        "sent_at = coalesce($3, sent_at), version = $4 where id = $1",
        held.row["message_id"],
        platform_id,
        receipt.sent_at,
        conversation.next_version(),
    )
    await outbox.remove(work.tx, held.row["id"])
    await work.tx.execute(
        "update connection_health set last_sent_at = $2 where connection_id = $1", held.row["connection_id"], work.now
    )
    await save(work, [conversation])


async def record_known(work: Work, held: Held) -> None:
    """The message is known to be sent already; nothing has to leave."""
    await outbox.remove(work.tx, held.row["id"])


async def record_recalled(work: Work, held: Held) -> None:
    await work.tx.execute(
        "update message set recalled_at = coalesce(recalled_at, $2), recalled_by = coalesce(recalled_by, 'agent'), "
        "version = $3 where id = $1",
        held.row["message_id"],
        work.now,
        held.conversation.next_version(),
    )
    await outbox.remove(work.tx, held.row["id"])
    await save(work, [held.conversation])


async def record_retry(work: Work, held: Held, error: SendError, *, after: float) -> None:
    """Again after a pause that grows, unless its time is over: certainly not sent, or sent to a platform that knows our key and
    will not deliver it twice (``error`` is then :class:`Uncertain`)."""
    wait = max(after, min(2.0 ** min(held.row["attempts"], 10) / 2, LONGEST_PAUSE))
    due = work.now + timedelta(seconds=wait)
    give_up_at: datetime | None = held.row["give_up_at"]
    if give_up_at is not None and due >= give_up_at:
        # Try once more just before the end rather than not at all.
        due = give_up_at - timedelta(seconds=1)
        if due <= work.now + timedelta(milliseconds=200):
            late = _with_late(error.reason)
            if isinstance(error, Uncertain):
                await record_uncertain(work, held, Uncertain(error.code, late))
            else:
                await record_failed(work, held, Rejected(error.code, late))
            return
    if held.row["act"] == "send":
        await _set(work, held, "queued", reason_of(error))
    await outbox.put_back(work.tx, held.row["id"], due, doubt=isinstance(error, Uncertain))
    await save(work, [held.conversation])


async def record_failed(work: Work, held: Held, error: Rejected) -> None:
    """It will not be sent; and was not, unless an earlier attempt may have arrived."""
    conversation = held.conversation
    if held.row["doubt"]:
        if error.closes_window:
            windows.close(conversation, work.now)
        await record_uncertain(work, held, error)
        return
    if held.row["act"] == "send":
        already_sent = await work.tx.fetchval(
            "select state = 'sent' from message where id = $1", held.row["message_id"]
        )
        if not already_sent:
            await _set(work, held, "failed", reason_of(error))
            await _tell_writer(work, held, error)
            windows.give_back(conversation, held.row["payload"])
            if error.closes_window:
                windows.close(conversation, work.now)
    else:
        await _note(work, held, reason_of(error))
    await outbox.remove(work.tx, held.row["id"])
    await save(work, [conversation])


async def _tell_writer(work: Work, held: Held, error: SendError) -> None:
    """Who wrote it may be elsewhere by now. Each failing is told: a message may be sent again and fail again."""
    writer = await work.tx.fetchval("select sender_agent_id from message where id = $1", held.row["message_id"])
    if writer is not None:
        key = f"send_failed:{held.row['message_id']}:{held.conversation.version}"
        place = {"conversation_id": held.conversation.id, "message_id": held.row["message_id"]}
        await notify(work, [writer], "send_failed", key, **place, data={"why": reason_of(error)})


async def record_uncertain(work: Work, held: Held, error: SendError) -> None:
    """Nobody knows; a person decides."""
    if held.row["act"] == "send":
        await work.tx.execute(
            "update message set state = 'uncertain', reason = $2, version = $3 where id = $1 and state <> 'sent'",
            held.row["message_id"],
            reason_of(error),
            held.conversation.next_version(),
        )
    else:
        await _note(work, held, reason_of(error))
    await outbox.remove(work.tx, held.row["id"])
    await save(work, [held.conversation])


def reason_of(error: SendError) -> dict[str, str]:
    return {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}


def _with_late(reason: Sentence) -> Sentence:
    return Sentence(f"{TOO_LATE.zh}{reason.zh}", f"{TOO_LATE.en} {reason.en}")


async def _set(work: Work, held: Held, state: str, reason: dict[str, Any]) -> None:
    await work.tx.execute(
        "update message set state = $2, reason = $3, version = $4 where id = $1 and state <> 'sent'",
        held.row["message_id"],
        state,
        reason,
        held.conversation.next_version(),
    )


async def _note(work: Work, held: Held, reason: dict[str, Any]) -> None:
    """A recall that did not work leaves the message as it is, with the reason beside it."""
    await work.tx.execute(
        "update message set reason = $2, version = $3 where id = $1",
        held.row["message_id"],
        reason,
        held.conversation.next_version(),
    )
