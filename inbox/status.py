"""Open and closed."""

from __future__ import annotations

from inbox.rows import lock_one, save
from scrm import jobs
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.services import Work

END_SESSION = "end_session"


async def close(work: Work, principal: Principal, conversation_id: int) -> None:
    """Done for now; the customer's next message opens it again. Where the platform keeps sessions, it is ended there too."""
    await _set_status(work, conversation_id, "closed")


async def reopen(work: Work, principal: Principal, conversation_id: int) -> None:
    await _set_status(work, conversation_id, "open")


async def _set_status(work: Work, conversation_id: int, status: str) -> None:
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    if conversation.status == status:
        return
    conversation.status = status
    conversation.closed_at = work.now if status == "closed" else None
    if status == "closed":
        conversation.waiting_since = None
        conversation.unread = 0
        conversation.read_seq = conversation.last_seq
    version = conversation.next_version()
    await save(work, [conversation])
    if status == "closed":
        # The version names this very closing, so each is told to the platform once.
        key = f"{conversation_id}:{version}"
        await jobs.put(work, END_SESSION, [key], [{"conversation_id": conversation_id}])
