"""The fields of one message in full, on request: who saw them is written down in the same unit of work."""

from __future__ import annotations

from typing import Any

from inbox.queries import find_message
from scrm.errors import NotFound
from scrm.http import Request, Route
from scrm.masking import masked_content
from scrm.permissions import CUSTOMERS_REVEAL, INBOX_READ, Scope
from scrm.trail import record
from scrm.views import View

CONTENT = "select content from message where id = $1"


class ContentView(View):
    content: dict[str, Any]


async def reveal(request: Request, message_id: int) -> ContentView:
    """Raises :class:`NotFound` also for a message in which nothing is hidden, and for one that was withdrawn from the asker."""
    scope, able = Scope.of(request.principal), request.services.connections.capabilities
    if not request.principal.may(INBOX_READ):
        raise NotFound("There is no such message.")
    async with request.services.work() as work:
        view = await find_message(work.tx, scope, message_id, able)
        content = await work.tx.fetchval(CONTENT, message_id)
        if masked_content(content) is content or (view.recalled_at is not None and not scope.recalled):
            raise NotFound("Nothing is hidden in this message.")
        await record(
            work, "message.fields_revealed", agent_id=request.principal.agent_id, object_kind="message",
            object_id=message_id, address=request.address, detail={"conversation_id": view.conversation_id},
        )  # fmt: skip
    return ContentView(content=content)


def api_routes() -> list[Route]:
    path = "/api/messages/{message_id}/reveal"
    return [
        Route(
            "POST",
            path,
            reveal,
            CUSTOMERS_REVEAL,
            "The fields of a message in full, written to the trail",
            reason="reveal",
        )
    ]
