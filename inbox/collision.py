"""Two answers at once: the second writer is stopped, told what the first one said, and decides."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inbox.rows import Conversation
from scrm.errors import Conflict
from scrm.permissions import Principal
from scrm.services import Work
from scrm.views import MAX_ID

SeenSeq = Annotated[
    int | None,
    Field(
        ge=0,
        le=MAX_ID,
        description="The last message its writer had before their eyes: when a colleague answered after it, this answer is "
        "stopped (`answered_meanwhile`). Without it, it is sent in any case.",
    ),
]

NEWER_ANSWER = """
select m.id, m.seq, m.sender_agent_id, m.sender_name, m.sent_at from message m
where m.conversation_id = $1 and m.seq > $2 and m.direction = 'out' and m.sender_kind = 'agent' and m.state <> 'failed'
  and m.sender_agent_id is distinct from $3 and m.recalled_at is null order by m.seq desc limit 1
"""


async def check_unanswered(work: Work, principal: Principal, conversation: Conversation, seen_seq: int | None) -> None:
    """Raises :class:`Conflict` (``answered_meanwhile``) when somebody else answered after what the writer has seen. Under the
    conversation's lock, so of two who send at once the second one hears of the first."""
    if seen_seq is None or conversation.last_seq <= seen_seq:
        return
    row = await work.tx.fetchrow(NEWER_ANSWER, conversation.id, seen_seq, principal.agent_id)
    if row is None:
        return
    name = row["sender_name"] or "Somebody"
    seconds = max(int((work.now - row["sent_at"]).total_seconds()), 0)
    raise Conflict(
        f"{name} answered {seconds} s ago. Read it first, then send this anyway or drop it.",
        code="answered_meanwhile",
        fields={
            "agent_id": str(row["sender_agent_id"] or ""),
            "name": name,
            "seconds": str(seconds),
            "message_id": str(row["id"]),
            "seq": str(row["seq"]),
        },
    )
