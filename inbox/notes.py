"""Private notes: messages of a conversation that only colleagues see. They have their place (``seq``) among the others, but are
no answer: nothing is sent, nobody stops waiting, and the list keeps showing what was said to or by the customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from inbox.colleagues import blind, readers
from inbox.events import record_event
from inbox.helpers import let_in
from inbox.rows import Conversation, lock_one, save
from inbox.search_places import says_now
from inbox.text import clean
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, NotFound, Unprocessable
from scrm.notices import notify
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import Id

LONGEST = 5000
MOST_EDITS = 50

Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Mentions = Annotated[list[Id], Field(max_length=20)]


class NoteInput(BaseModel):
    """``mention_ids``: agents who shall read it. ``quote_id``: a message of the same conversation that it is about."""

    model_config = ConfigDict(extra="forbid")

    client_token: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    text: Text
    mention_ids: Mentions = []
    quote_id: Id | None = None


class NoteEdit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Text
    mention_ids: Mentions = []


INSERT = """
insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, sender_agent_id,
  sender_name, client_token, sent_at, created_at)
values ($1, $2, $3, 'note', 'text', $4, $5, 'sent', 'agent', $6, $7, $8, $9, $9) returning id
"""
FIND = """
select id, conversation_id, direction, text, content, sender_agent_id, recalled_at from message where id = $1
"""


async def write_note(work: Work, principal: Principal, conversation_id: int, note: NoteInput) -> tuple[int, bool]:
    """Returns the message's id and whether it is new: the same ``client_token`` is the same note, however often it comes.

    Raises :class:`NotFound`, :class:`Unprocessable`."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    known = await work.tx.fetchval(
        "select id from message where conversation_id = $1 and client_token = $2", conversation_id, note.client_token
    )
    if known is not None:
        return int(known), False
    content: dict[str, Any] = {}
    if note.mention_ids:
        content["mentions"] = list(dict.fromkeys(note.mention_ids))
    if note.quote_id is not None:
        content["quote"] = await quote_of(work, conversation_id, note.quote_id)
    message_id: int = await work.tx.fetchval(
        INSERT,
        conversation.id,
        conversation.next_seq(),
        conversation.next_version(),
        _written(note.text),
        content,
        principal.agent_id,
        principal.name,
        note.client_token,
        work.now,
    )
    await _mention(work, principal, conversation, message_id, note.mention_ids)
    await save(work, [conversation])
    return message_id, True


async def edit_note(work: Work, principal: Principal, message_id: int, edit: NoteEdit) -> None:
    """What it said before stays in ``content.edits``. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict`."""
    row, conversation = await _own_note(work, principal, message_id)
    text = _written(edit.text)
    content = dict(row["content"])
    before = set(content.get("mentions", ()))
    mentions = list(dict.fromkeys(edit.mention_ids))
    if text == row["text"] and set(mentions) == before:
        return
    edits = [*content.get("edits", ()), {"at": work.now.isoformat(), "text": row["text"]}]
    content["edits"] = edits[-MOST_EDITS:]
    content["mentions"] = mentions
    await work.tx.execute(
        "update message set text = $2, content = $3, version = $4 where id = $1",
        message_id,
        text,
        content,
        conversation.next_version(),
    )
    await says_now(work, message_id, text)
    await _mention(work, principal, conversation, message_id, [one for one in mentions if one not in before])
    await save(work, [conversation])


async def delete_note(work: Work, principal: Principal, message_id: int) -> None:
    """It is withdrawn, as a message is: that there was one stays, what it said is for those who may see such things."""
    row, conversation = await _own_note(work, principal, message_id, again=True)
    if row["recalled_at"] is not None:
        return
    await work.tx.execute(
        "update message set recalled_at = $2, recalled_by = 'agent', version = $3 where id = $1",
        message_id,
        work.now,
        conversation.next_version(),
    )
    await save(work, [conversation])


async def quote_of(work: Work, conversation_id: int, message_id: int) -> dict[str, Any]:
    """What a quotation shows. Raises :class:`Unprocessable` when there is no such message here, or it was withdrawn."""
    row = await work.tx.fetchrow(
        "select m.id, m.seq, m.kind, left(m.text, 200) as text, m.direction, coalesce(nullif(m.sender_name, ''), k.name, '') "
        "as name from message m join conversation c on c.id = m.conversation_id left join contact k on k.id = c.contact_id "
        "where m.id = $1 and m.conversation_id = $2 and m.recalled_at is null",
        message_id,
        conversation_id,
    )
    if row is None:
        raise Unprocessable("The quoted message is not there.", fields={"quote_id": "Choose another message."})
    return {
        "message_id": row["id"], "seq": row["seq"], "kind": row["kind"], "text": row["text"], "name": row["name"],
        "direction": row["direction"],
    }  # fmt: skip


async def _mention(
    work: Work, principal: Principal, conversation: Conversation, message_id: int, agent_ids: Sequence[int]
) -> None:
    """Tells them, and lets in those who would not see what they are told of."""
    people = await readers(work, agent_ids, "mention_ids")
    added = await let_in(work, conversation, await blind(work, conversation, people.values()))
    if added:
        await record_event(
            work, conversation, "helpers", principal.agent_id, added=added, removed=[], because="mention"
        )
    told = [one for one in people if one != principal.agent_id]
    key = f"mention:{message_id}"
    await notify(
        work, told, "mention", key, conversation_id=conversation.id, message_id=message_id, by=principal.agent_id
    )


async def _own_note(
    work: Work, principal: Principal, message_id: int, *, again: bool = False
) -> tuple[Row, Conversation]:
    where = await work.tx.fetchval("select conversation_id from message where id = $1", message_id)
    conversation = await lock_one(work, where) if where is not None else None
    row = await work.tx.fetchrow(FIND, message_id) if conversation is not None else None
    if row is None or conversation is None or row["direction"] != "note":
        raise NotFound("There is no such note.")
    if row["sender_agent_id"] != principal.agent_id:
        raise Forbidden("Only who wrote a note may change it.")
    if row["recalled_at"] is not None and not again:
        raise Conflict("This note was deleted.", code="deleted")
    return row, conversation


def _written(text: str) -> str:
    written = clean(text).strip()
    if not written:
        raise Unprocessable("Write something first.", fields={"text": "It is empty."})
    return written
