"""Chats of others: somebody opened one that is not theirs to answer. The policy may want to know why; whoever writes the trail is told,
without a statement more for those who read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inbox.views import ConversationView
from scrm.http import Request

OPENED, SEARCHED = "chat_opened", "chats_searched"
"""Topics of :mod:`scrm.news`."""
OWN = """
select exists (select from account a join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
  where a.id = $1 and i.agent_id = $2)
"""


@dataclass(frozen=True, slots=True)
class Opened:
    agent_id: int
    conversation_id: int
    at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class Searched:
    agent_id: int
    words: str
    at: datetime
    address: str


def of_another(request: Request, conversation: ConversationView) -> bool:
    """Given to a colleague, or held by an employee in a client of their own (:data:`OWN` tells whether that is the asker). What is given
    to nobody is everybody's work."""
    me = request.principal.agent_id
    if me == conversation.assignee_id or me in conversation.collaborator_ids:
        return False
    if conversation.assignee_id is not None:
        return True
    able = request.services.connections.capabilities(conversation.channel)
    return able is not None and able.read_only_reason is not None


async def opened(request: Request, conversation: ConversationView) -> None:
    """Call it before what is in the chat is told. Raises :class:`~scrm.privacy.ReasonNeeded`."""
    if not of_another(request, conversation):
        return
    me, services = request.principal.agent_id, request.services
    if await request.reasons.missing(request.principal, "chats", conversation.id) and not (
        conversation.assignee_id is None and await services.db.fetchval(OWN, conversation.account_id, me)
    ):
        await request.need_reason("chats", conversation.id)
    services.news.tell(OPENED, [Opened(me, conversation.id, services.clock.now(), request.address)])


def searched(request: Request, words: str) -> None:
    request.services.news.tell(
        SEARCHED, [Searched(request.principal.agent_id, words, request.services.clock.now(), request.address)]
    )
