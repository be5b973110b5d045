"""Somebody opens a chat that is not theirs to answer: a line in the trail, one for one opening."""

from __future__ import annotations

from datetime import timedelta

from scrm import trail
from scrm.permissions import Principal
from scrm.services import Work

AGAIN_AFTER = timedelta(minutes=5)
"""Going to another message of the same chat is the same look."""
LOOK = """
insert into audit_look as l (agent_id, conversation_id, looked_at) values ($1, $2, $3)
on conflict (agent_id, conversation_id) do update set looked_at = $3 where l.looked_at <= $4 returning true
"""


async def note_look(work: Work, principal: Principal, conversation_id: int, address: str) -> bool:
    """Whether it was a new look. The caller has made sure that they may see it."""
    new = await work.tx.fetchval(LOOK, principal.agent_id, conversation_id, work.now, work.now - AGAIN_AFTER)
    if new:
        await trail.record(
            work, "archive.viewed", agent_id=principal.agent_id, object_kind="conversation", object_id=conversation_id,
            address=address,
        )  # fmt: skip
    return bool(new)
