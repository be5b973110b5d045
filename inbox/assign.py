"""Whose conversation it is."""

from __future__ import annotations

from typing import Literal

from inbox import turns
from inbox.colleagues import must_answer
from inbox.events import record_event
from inbox.rows import Conversation, lock_one, save
from scrm.channel import Sentence
from scrm.errors import Forbidden, NotFound
from scrm.notices import notify
from scrm.permissions import INBOX_ASSIGN, Principal
from scrm.services import Work

TAKEN = Sentence("自己接手", "Taken over by hand")
GIVEN = Sentence("手动分配", "Assigned by hand")
GIVEN_BACK = Sentence("放回待分配", "Given back by hand")

END_TRANSFER = """
update transfer set state = $2, decided_at = $3, answer = $4 where conversation_id = $1 and state = 'waiting'
returning id, from_agent_id, to_agent_id, note, added_helper
"""


async def assign(work: Work, principal: Principal, conversation_id: int, agent_id: int | None) -> None:
    """Gives the conversation to an agent, or to nobody. Taking what is nobody's, or giving back one's own, needs no more than
    the right to reply. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    await assign_one(work, principal, conversation, agent_id)
    await save(work, [conversation])


async def assign_one(work: Work, principal: Principal, conversation: Conversation, agent_id: int | None) -> bool:
    """The same for a locked conversation, which the caller saves. False: it is theirs already."""
    if conversation.assignee_id == agent_id:
        return False
    takes = agent_id == principal.agent_id and conversation.assignee_id is None
    gives_back = agent_id is None and conversation.assignee_id == principal.agent_id
    if not (takes or gives_back or principal.may(INBOX_ASSIGN)):
        raise Forbidden("Only a manager may give a conversation to somebody else.")
    if agent_id is not None:
        await must_answer(work, agent_id)
    why = GIVEN_BACK if agent_id is None else TAKEN if agent_id == principal.agent_id else GIVEN
    return await give(work, conversation, agent_id, by=principal.agent_id, why=why)


async def give(
    work: Work,
    conversation: Conversation,
    agent_id: int | None,
    *,
    by: int | None,
    why: Sentence,
    rule_id: int | None = None,
    tell: bool = True,
) -> bool:
    """Every change of a (locked) conversation's assignee: by hand, by rule, by transfer. Writes the event with the reason,
    takes back a transfer that waits, and tells who got it. ``by`` None: the service. False: nothing changed."""
    before = conversation.assignee_id
    if before == agent_id:
        return False
    await end_transfer(work, conversation, "cancelled", by)
    conversation.assignee_id = agent_id
    conversation.assigned_at = work.now if agent_id is not None else None
    turns.assigned(work, conversation)
    because = {"why": {"zh": why.zh, "en": why.en}, **({"rule_id": rule_id} if rule_id is not None else {})}
    if agent_id is None:
        await record_event(work, conversation, "unassigned", by, **{"from": before}, **because)
        return True
    if agent_id in conversation.collaborators:
        conversation.collaborators = [one for one in conversation.collaborators if one != agent_id]
    await record_event(work, conversation, "assigned", by, to=agent_id, **{"from": before}, **because)
    if tell and agent_id != by:
        key = f"assigned:{conversation.id}:{conversation.version}"
        await notify(work, [agent_id], "assigned", key, conversation_id=conversation.id, by=by, data=because)
    return True


async def end_transfer(
    work: Work,
    conversation: Conversation,
    state: Literal["accepted", "declined", "cancelled"],
    by: int | None,
    answer: str = "",
) -> bool:
    """Ends the transfer that waits, if there is one; who was let in only to decide is let out again."""
    if conversation.transfer_to is None:
        return False
    row = await work.tx.fetchrow(END_TRANSFER, conversation.id, state, work.now, answer)
    conversation.transfer_to = None
    if row is None:
        conversation.next_version()
        return False
    if row["added_helper"]:
        conversation.collaborators = [one for one in conversation.collaborators if one != row["to_agent_id"]]
    data = {"from": row["from_agent_id"], "to": row["to_agent_id"]}
    if state == "accepted":
        await record_event(work, conversation, "transfer_accepted", by, **data)
    elif state == "declined":
        await record_event(work, conversation, "transfer_declined", by, note=answer, **data)
    else:
        await record_event(work, conversation, "transfer_cancelled", by, **data)
    return True
