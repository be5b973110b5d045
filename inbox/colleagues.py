"""Other people than the one who asks: what they may do, and whether they see a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inbox.rows import Conversation
from scrm.auth import principal_of
from scrm.errors import Unprocessable
from scrm.permissions import INBOX_READ, INBOX_REPLY, Principal, Scope
from scrm.services import Work
from scrm.sessions import WHO

ACTIVE = f"""
select {WHO} from agent a join role r on r.key = a.role where a.id = any($1::bigint[]) and a.disabled_at is null
"""  # noqa: S608 - made of constants


async def load_colleagues(work: Work, agent_ids: Iterable[int]) -> dict[int, Principal]:
    """Those of them who work here now, by id."""
    wanted = sorted(set(agent_ids))
    if not wanted:
        return {}
    return {row["agent_id"]: principal_of(row) for row in await work.tx.fetch(ACTIVE, wanted)}


async def readers(work: Work, agent_ids: Iterable[int], field: str) -> Mapping[int, Principal]:
    """Raises :class:`Unprocessable` naming ``field`` when one of them does not read the inbox."""
    wanted = set(agent_ids)
    found = await load_colleagues(work, wanted)
    if any(one not in found or not found[one].may(INBOX_READ) for one in wanted):
        raise Unprocessable(
            "One of these people does not work in the inbox.", fields={field: "Choose active colleagues."}
        )
    return found


async def must_answer(work: Work, agent_id: int) -> Principal:
    """Raises :class:`Unprocessable` when this agent may not answer customers."""
    found = (await load_colleagues(work, [agent_id])).get(agent_id)
    if found is None or not found.may(INBOX_REPLY):
        raise Unprocessable("This person cannot answer customers.", fields={"agent_id": "Choose an active rep."})
    return found


async def blind(work: Work, conversation: Conversation, people: Iterable[Principal]) -> list[int]:
    """Those who do not see the conversation as it stands."""
    team_id = await work.tx.fetchval("select team_id from account where id = $1", conversation.account_id)
    held = tuple(conversation.collaborators)
    return [one.agent_id for one in people if not Scope.of(one).covers(team_id, conversation.assignee_id, held)]
