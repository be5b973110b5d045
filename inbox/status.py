"""Open and closed."""

from __future__ import annotations

from typing import Literal

from inbox import turns
from inbox.assign import end_transfer
from inbox.events import record_event
from inbox.rows import Conversation, lock_one, save
from scrm import jobs
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.services import Work

END_SESSION = "end_session"
How = Literal["agent", "macro", "bulk"]


async def close(work: Work, principal: Principal, conversation_id: int) -> None:
    """Done for now; the customer's next message opens it again. Where the platform keeps sessions, it is ended there too."""
    conversation = await _locked(work, conversation_id)
    await close_one(work, conversation, by=principal.agent_id)
    await save(work, [conversation])


async def reopen(work: Work, principal: Principal, conversation_id: int) -> None:
    """Opens a closed one, or wakes one that sleeps."""
    conversation = await _locked(work, conversation_id)
    await reopen_one(work, conversation, by=principal.agent_id)
    await save(work, [conversation])


async def close_one(work: Work, conversation: Conversation, *, by: int | None, how: How = "agent") -> bool:
    """Of a locked conversation, which the caller saves. False: it was closed."""
    if conversation.status == "closed":
        return False
    await end_transfer(work, conversation, "cancelled", by)
    conversation.status = "closed"
    conversation.closed_at = work.now
    conversation.snoozed_until = None
    conversation.unread = 0
    conversation.read_seq = conversation.last_seq
    await record_event(work, conversation, "closed", by, by=how)
    await turns.closed(work, [conversation])
    # The version names this very closing, so each is told to the platform once.
    key = f"{conversation.id}:{conversation.version}"
    await jobs.put(work, END_SESSION, [key], [{"conversation_id": conversation.id}])
    return True


async def reopen_one(work: Work, conversation: Conversation, *, by: int | None) -> bool:
    """Of a locked conversation, which the caller saves. False: it was open."""
    if conversation.status == "open":
        return False
    slept = conversation.status == "snoozed"
    if not slept:
        turns.reopened(conversation)
    conversation.status = "open"
    conversation.closed_at = None
    conversation.snoozed_until = None
    await record_event(work, conversation, "woke" if slept else "reopened", by, by="agent")
    return True


async def _locked(work: Work, conversation_id: int) -> Conversation:
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation
