"""Opening a chat in the place of audit."""

from __future__ import annotations

from audit.chats.facts import chat_facts
from audit.chats.looks import note_look
from audit.chats.shapes import AuditChat, ViewedChatInput
from inbox.others import of_another
from scrm.http import Request, Route
from scrm.permissions import AUDIT_READ, Scope


async def look(request: Request, body: ViewedChatInput) -> AuditChat:
    """What is known about a chat. That it was opened is written to the trail, once within five minutes."""
    async with request.services.work() as work:
        chat = await chat_facts(work.tx, Scope.of(request.principal), body.conversation_id)
        if of_another(request, chat.conversation):
            await request.need_reason("chats", body.conversation_id)
        await note_look(work, request.principal, body.conversation_id, request.address)
        return chat


def api_routes() -> list[Route]:
    return [
        Route(
            "POST",
            "/api/audit/views",
            look,
            AUDIT_READ,
            "Open a chat for audit; leaves a line in the trail",
            errors=(404,),
        ),
    ]
