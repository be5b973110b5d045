"""Handing a conversation over to a colleague: asked with a note, accepted or declined, or, when the company does not want to ask,
done at once."""

from __future__ import annotations

from pydantic import BaseModel

from inbox.assign import end_transfer, give
from inbox.colleagues import blind, must_answer
from inbox.events import record_event
from inbox.helpers import let_in
from inbox.notes import INSERT as INSERT_NOTE
from inbox.rows import Conversation, lock_one, save
from inbox.text import clean
from scrm.channel import Sentence
from scrm.company import Setting
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.notices import notify
from scrm.permissions import INBOX_ASSIGN, Principal
from scrm.services import Work

HANDED_OVER = Sentence("同事转交", "Handed over by a colleague")
ACCEPTED = Sentence("接受了转交", "Accepted the handover")

ASK = """
insert into transfer (conversation_id, from_agent_id, to_agent_id, note, added_helper, created_at)
values ($1, $2, $3, $4, $5, $6)
"""


class TransferSettings(BaseModel):
    """Whether the one who is asked has to say yes."""

    acceptance: bool = True


TRANSFERS = Setting("transfer", TransferSettings())


async def transfer(work: Work, principal: Principal, conversation_id: int, agent_id: int, note: str) -> None:
    """By the rep in charge, or a manager, or of what is nobody's. Asking somebody else takes the first question back.

    Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`, :class:`Conflict` (``theirs``, ``closed``)."""
    conversation = await _locked(work, conversation_id)
    if not (principal.may(INBOX_ASSIGN) or conversation.assignee_id in (None, principal.agent_id)):
        raise Forbidden("Only the rep in charge or a manager may hand this over.")
    if agent_id == principal.agent_id:
        raise Unprocessable("Take it yourself instead.", fields={"agent_id": "This is you."})
    if agent_id == conversation.assignee_id:
        raise Conflict("It is theirs already.", code="theirs")
    if conversation.status == "closed":
        raise Conflict("It is closed. Open it first.", code="closed")
    colleague = await must_answer(work, agent_id)
    note = clean(note).strip()
    if not (await TRANSFERS.load(work.tx)).acceptance:
        await _write_note(work, principal, conversation, note)
        await give(work, conversation, agent_id, by=principal.agent_id, why=HANDED_OVER)
    elif conversation.transfer_to != agent_id:
        await end_transfer(work, conversation, "cancelled", principal.agent_id)
        unseen = await blind(work, conversation, [colleague])
        await let_in(work, conversation, unseen)
        await work.tx.execute(
            ASK, conversation.id, principal.agent_id, agent_id, note, bool(unseen), work.now
        )  # fmt: skip
        conversation.transfer_to = agent_id
        await record_event(work, conversation, "transfer_asked", principal.agent_id, to=agent_id, note=note)
        await _tell(work, principal, conversation, [agent_id], "transfer_asked", note)
    await save(work, [conversation])


async def accept(work: Work, principal: Principal, conversation_id: int) -> None:
    """Raises :class:`Conflict` (``not_asked``) when nothing waits for this agent any more."""
    conversation, _ = await _asked(work, principal, conversation_id)
    await end_transfer(work, conversation, "accepted", principal.agent_id)
    await give(work, conversation, principal.agent_id, by=principal.agent_id, why=ACCEPTED)
    await save(work, [conversation])


async def decline(work: Work, principal: Principal, conversation_id: int, why: str) -> None:
    """Tells who asked. Raises :class:`Conflict` (``not_asked``)."""
    conversation, asked_by = await _asked(work, principal, conversation_id)
    why = clean(why).strip()
    await end_transfer(work, conversation, "declined", principal.agent_id, why)
    if asked_by is not None:
        await _tell(work, principal, conversation, [asked_by], "transfer_declined", why)
    await save(work, [conversation])


async def cancel(work: Work, principal: Principal, conversation_id: int) -> None:
    """By who asked, the rep in charge, or a manager. Harmless when nothing waits."""
    conversation = await _locked(work, conversation_id)
    asked_by = await _asked_by(work, conversation_id)
    if not (principal.may(INBOX_ASSIGN) or principal.agent_id in (asked_by, conversation.assignee_id)):
        raise Forbidden("Only who asked, the rep in charge, or a manager may take this back.")
    await end_transfer(work, conversation, "cancelled", principal.agent_id)
    await save(work, [conversation])


async def _asked(work: Work, principal: Principal, conversation_id: int) -> tuple[Conversation, int | None]:
    conversation = await _locked(work, conversation_id)
    if conversation.transfer_to != principal.agent_id:
        raise Conflict("Nobody asks you to take this over any more.", code="not_asked")
    return conversation, await _asked_by(work, conversation_id)


async def _asked_by(work: Work, conversation_id: int) -> int | None:
    found: int | None = await work.tx.fetchval(
        "select from_agent_id from transfer where conversation_id = $1 and state = 'waiting'", conversation_id
    )
    return found


async def _tell(
    work: Work, principal: Principal, conversation: Conversation, agent_ids: list[int], kind: str, note: str
) -> None:
    key = f"{kind}:{conversation.id}:{conversation.version}"
    data = {"note": note} if note else {}
    await notify(
        work, agent_ids, kind, key, conversation_id=conversation.id, by=principal.agent_id, data=data
    )  # fmt: skip


async def _write_note(work: Work, principal: Principal, conversation: Conversation, note: str) -> None:
    if note:
        seq, version = conversation.next_seq(), conversation.next_version()
        who = principal.agent_id, principal.name
        await work.tx.execute(INSERT_NOTE, conversation.id, seq, version, note, {}, *who, None, work.now)


async def _locked(work: Work, conversation_id: int) -> Conversation:
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation
