"""Colleagues who help in a conversation: they see it wherever it is, and stay when it goes to somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.colleagues import readers
from inbox.events import record_event
from inbox.rows import Conversation, lock_one, save
from scrm.errors import Forbidden, NotFound, Unprocessable
from scrm.notices import notify
from scrm.permissions import INBOX_ASSIGN, Principal
from scrm.services import Work

MOST = 20


async def change_helpers(
    work: Work, principal: Principal, conversation_id: int, add: Sequence[int], remove: Sequence[int]
) -> None:
    """Whoever answers here may add; one leaves by oneself, or is removed by the assignee or a manager.

    Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    may_remove = principal.may(INBOX_ASSIGN) or conversation.assignee_id == principal.agent_id
    if not may_remove and set(remove) - {principal.agent_id}:
        raise Forbidden("Only the rep in charge or a manager may remove a helper.")
    await readers(work, add, "add")
    added = await let_in(work, conversation, add)
    removed = [one for one in conversation.collaborators if one in set(remove)]
    if len(conversation.collaborators) - len(removed) > MOST:
        raise Unprocessable(f"A conversation has at most {MOST} helpers.", fields={"add": "These are too many."})
    conversation.collaborators = [one for one in conversation.collaborators if one not in removed]
    if added or removed:
        await record_event(work, conversation, "helpers", principal.agent_id, added=added, removed=removed)
        told = [one for one in added if one != principal.agent_id]
        key = f"helper:{conversation.id}:{conversation.version}"
        await notify(work, told, "helper", key, conversation_id=conversation.id, by=principal.agent_id)
    await save(work, [conversation])


async def let_in(work: Work, conversation: Conversation, agent_ids: Sequence[int]) -> list[int]:
    """Adds those who are neither helping nor in charge; the caller writes the event. Returns who is new."""
    held = {*conversation.collaborators, conversation.assignee_id}
    added = [one for one in dict.fromkeys(agent_ids) if one not in held]
    conversation.collaborators = [*conversation.collaborators, *added]
    return added
