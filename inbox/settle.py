"""What a person decides about a message of ours: send again, it did arrive, it did not, take it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from inbox import windows
from inbox.reply import LONGEST_WAIT, CapabilitiesOf, check_permitted
from inbox.rows import Conversation, lock_one, save
from scrm import outbox
from scrm.db import Row
from scrm.errors import Conflict, NotFound
from scrm.permissions import Principal
from scrm.services import Work


async def retry(work: Work, principal: Principal, message_id: int, capabilities: CapabilitiesOf) -> None:
    """Queues a failed or uncertain message again. Raises :class:`NotFound`, :class:`Conflict` as a reply does."""
    message, conversation, account = await _locked(work, message_id)
    if message["state"] not in ("failed", "uncertain"):
        raise Conflict("Only a message that failed, or whose fate is unknown, can be sent again.", code="not_retryable")
    able = capabilities(account["channel"])
    if able is None:
        raise Conflict("The adapter of this channel is not installed.", code="cannot_send")
    check_permitted(conversation, account, able, work.now)
    expires_at = conversation.window_expires_at if able.window is not None else None
    if expires_at is not None and message["state"] == "failed":
        windows.use(conversation)
    await _set_state(work, message_id, "queued", conversation)
    await outbox.put(
        work,
        message_id=message_id,
        conversation_id=conversation.id,
        connection_id=account["connection_id"],
        give_up_at=min(expires_at or work.now + LONGEST_WAIT, work.now + LONGEST_WAIT),
        payload={
            "window_kind": conversation.window_kind if able.window is not None else "",
            "window_key": conversation.window_key if able.window is not None else {},
            "window_expires_at": expires_at.isoformat() if expires_at else None,
        },
    )
    await save(work, [conversation])


async def settle(work: Work, principal: Principal, message_id: int, outcome: Literal["sent", "failed"]) -> None:
    """A person looked at the customer's side and says what became of an uncertain message."""
    message, conversation, _ = await _locked(work, message_id)
    if message["state"] != "uncertain":
        raise Conflict("The fate of this message is known.", code="not_uncertain")
    await _set_state(work, message_id, outcome, conversation, settled_by=principal.name)
    await save(work, [conversation])


async def recall(work: Work, principal: Principal, message_id: int, capabilities: CapabilitiesOf) -> None:
    """Asks the platform to withdraw a sent message; the outcome comes with the next push.

    Raises :class:`NotFound`, :class:`Conflict` when it is too late or the platform cannot.
    """
    message, conversation, account = await _locked(work, message_id)
    able = capabilities(account["channel"])
    within = able.recall_within if able is not None else None
    if within is None or message["platform_message_id"] is None or message["state"] != "sent":
        raise Conflict("This message cannot be recalled.", code="not_recallable")
    if message["recalled_at"] is not None:
        return
    if work.now > message["sent_at"] + within:
        raise Conflict(f"It can be recalled for {_minutes(within)} minutes only.", code="too_late")
    await outbox.put(
        work,
        message_id=message_id,
        conversation_id=conversation.id,
        connection_id=account["connection_id"],
        act="recall",
        give_up_at=message["sent_at"] + within,
        payload={"window_key": conversation.window_key},
    )
    await save(work, [conversation])


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


async def _locked(work: Work, message_id: int) -> tuple[Row, Conversation, Row]:
    """The message, its conversation (locked first: everything about a message is decided under that lock), its account."""
    where = await work.tx.fetchval(
        "select conversation_id from message where id = $1 and direction = 'out'", message_id
    )
    conversation = await lock_one(work, where) if where is not None else None
    if conversation is None:
        raise NotFound("There is no such message of ours.")
    message = await work.tx.fetchrow("select * from message where id = $1", message_id)
    account = await work.tx.fetchrow("select * from account where id = $1", conversation.account_id)
    if message is None or account is None:
        raise NotFound("There is no such message of ours.")
    return message, conversation, account


async def _set_state(
    work: Work, message_id: int, state: str, conversation: Conversation, *, settled_by: str = ""
) -> None:
    reason = None
    if settled_by:
        reason = {"code": "settled", "zh": f"由{settled_by}确认", "en": f"Confirmed by {settled_by}"}
    await work.tx.execute(
        "update message set state = $2, version = $3, reason = $4 where id = $1",
        message_id,
        state,
        conversation.next_version(),
        reason,
    )
