"""Whose conversation it is."""

from __future__ import annotations

from inbox.rows import lock_one, save
from scrm.errors import Forbidden, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work


async def assign(work: Work, principal: Principal, conversation_id: int, agent_id: int | None) -> None:
    """Gives the conversation to an agent, or to nobody. Taking it oneself, or giving back one's own, needs no more than the
    right to reply. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    if conversation.assignee_id == agent_id:
        return
    own = agent_id == principal.agent_id and conversation.assignee_id is None
    gives_back = agent_id is None and conversation.assignee_id == principal.agent_id
    if not (own or gives_back or "inbox.assign" in principal.permissions):
        raise Forbidden("Only a manager may give a conversation to somebody else.")
    if agent_id is not None:
        able = await work.tx.fetchval(
            "select true from agent where id = $1 and disabled_at is null and role in ('rep', 'manager', 'admin')",
            agent_id,
        )
        if not able:
            raise Unprocessable("This person cannot answer customers.", fields={"agent_id": "Choose an active rep."})
    conversation.assignee_id = agent_id
    conversation.next_version()
    await save(work, [conversation])
