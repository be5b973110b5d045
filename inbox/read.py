"""What has been read."""

from __future__ import annotations

from inbox.rows import Conversation, lock_one, save
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.services import Work


async def mark_read(work: Work, principal: Principal, conversation_id: int, seq: int) -> None:
    """Everything up to ``seq`` is read. Going back is no error and changes nothing: requests may overtake each other."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    seq = min(seq, conversation.last_seq)
    if seq <= conversation.read_seq:
        return
    conversation.read_seq = seq
    conversation.unread = await work.tx.fetchval(
        "select count(*) from message where conversation_id = $1 and seq > $2 and direction = 'in'",
        conversation_id,
        seq,
    )
    conversation.next_version()
    await save(work, [conversation])


def read_all(conversation: Conversation) -> bool:
    """Of a locked conversation, which the caller saves. False: nothing was unread."""
    if conversation.read_seq >= conversation.last_seq and conversation.unread == 0:
        return False
    conversation.read_seq = conversation.last_seq
    conversation.unread = 0
    conversation.next_version()
    return True
