"""The inbox over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from inbox import assign, others, read, settle, status, uploads
from inbox.counts import load_tallies
from inbox.listing import ListQuery, list_conversations
from inbox.queries import (
    ChangesQuery,
    PageQuery,
    changes,
    conversation_row,
    find_conversation,
    find_message,
    message_page,
    one_moment,
)
from inbox.reply import Draft, reply
from inbox.undo import remember_changes, snapshots
from inbox.views import ChangesPage, ConversationPage, ConversationView, CountsView, MessagePage, MessageView
from scrm.http import Reply, Request, Route
from scrm.permissions import INBOX_READ, INBOX_REPLY, Scope
from scrm.services import Work
from scrm.undo import undoable
from scrm.views import MAX_ID, Id, Input


class ReadInput(Input):
    seq: Annotated[int, Field(ge=0, le=MAX_ID)]


class AssignInput(Input):
    agent_id: Id | None


class SettleInput(Input):
    outcome: Literal["sent", "failed"]


async def conversations(request: Request, query: ListQuery) -> ConversationPage:
    async with one_moment(request.services.db) as tx:
        return await list_conversations(tx, Scope.of(request.principal), query, request.services.clock.now())


async def counts(request: Request) -> CountsView:
    async with one_moment(request.services.db) as tx:
        return (await load_tallies(tx)).view(Scope.of(request.principal))


async def conversation(request: Request, conversation_id: int) -> ConversationView:
    async with one_moment(request.services.db) as tx:
        return await find_conversation(tx, Scope.of(request.principal), conversation_id)


async def messages(request: Request, conversation_id: int, query: PageQuery) -> MessagePage:
    able = request.services.connections.capabilities
    async with one_moment(request.services.db) as tx:
        page = await message_page(tx, Scope.of(request.principal), conversation_id, query, able)
    await others.opened(request, page.conversation)
    return page


async def changed(request: Request, conversation_id: int, query: ChangesQuery) -> ChangesPage:
    able = request.services.connections.capabilities
    async with one_moment(request.services.db) as tx:
        page = await changes(tx, Scope.of(request.principal), conversation_id, query, able)
    await others.opened(request, page.conversation)
    return page


async def send(request: Request, conversation_id: int, body: Draft) -> Reply[MessageView]:
    scope, able = Scope.of(request.principal), request.services.connections.capabilities
    async with request.services.work() as work:
        await conversation_row(work.tx, scope, conversation_id)
        message_id, created = await reply(work, request.principal, conversation_id, body, able)
        view = await find_message(work.tx, scope, message_id, able)
    return Reply(view, status=201 if created else 200)


async def mark_read(request: Request, conversation_id: int, body: ReadInput) -> ConversationView:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        # Who looks on without answering (an auditor) must not make it look as if somebody had taken notice.
        if request.principal.may(INBOX_REPLY):
            await read.mark_read(work, request.principal, conversation_id, body.seq)
        return await _shown(work, request, conversation_id)


async def give(request: Request, conversation_id: int, body: AssignInput) -> Reply[ConversationView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        before = await snapshots(work, [conversation_id])
        await assign.assign(work, request.principal, conversation_id, body.agent_id)
        step = await remember_changes(work, request.principal, "conversation.assign", before)
        return undoable(await _shown(work, request, conversation_id), step)


async def close(request: Request, conversation_id: int) -> Reply[ConversationView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        before = await snapshots(work, [conversation_id])
        await status.close(work, request.principal, conversation_id)
        step = await remember_changes(work, request.principal, "conversation.close", before)
        return undoable(await _shown(work, request, conversation_id), step)


async def reopen(request: Request, conversation_id: int) -> Reply[ConversationView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        before = await snapshots(work, [conversation_id])
        await status.reopen(work, request.principal, conversation_id)
        step = await remember_changes(work, request.principal, "conversation.reopen", before)
        return undoable(await _shown(work, request, conversation_id), step)


async def retry_message(request: Request, message_id: int) -> MessageView:
    scope, able = Scope.of(request.principal), request.services.connections.capabilities
    async with request.services.work() as work:
        await find_message(work.tx, scope, message_id, able)
        await settle.retry(work, request.principal, message_id, able)
        return await find_message(work.tx, scope, message_id, able)


async def settle_message(request: Request, message_id: int, body: SettleInput) -> MessageView:
    scope, able = Scope.of(request.principal), request.services.connections.capabilities
    async with request.services.work() as work:
        await find_message(work.tx, scope, message_id, able)
        await settle.settle(work, request.principal, message_id, body.outcome)
        return await find_message(work.tx, scope, message_id, able)


async def recall_message(request: Request, message_id: int) -> MessageView:
    scope, able = Scope.of(request.principal), request.services.connections.capabilities
    async with request.services.work() as work:
        await find_message(work.tx, scope, message_id, able)
        await settle.recall(work, request.principal, message_id, able)
        return await find_message(work.tx, scope, message_id, able)


async def _visible(work: Work, request: Request, conversation_id: int) -> None:
    await conversation_row(work.tx, Scope.of(request.principal), conversation_id)


async def _shown(work: Work, request: Request, conversation_id: int) -> ConversationView:
    """After the act, to the one who did it: also when they just gave the conversation away."""
    scope = Scope.of(request.principal)
    everything = replace(scope, reach="all")
    return await find_conversation(work.tx, everything, conversation_id)


def api_routes() -> list[Route]:
    one = "/api/conversations/{conversation_id}"
    message = "/api/messages/{message_id}"
    return [
        Route("GET", "/api/conversations", conversations, INBOX_READ, "A page of the conversation list"),
        Route("GET", "/api/conversations/counts", counts, INBOX_READ, "How many are open, unread, waiting"),
        Route("GET", one, conversation, INBOX_READ, "One conversation"),
        Route("GET", f"{one}/messages", messages, INBOX_READ, "A page of its messages, ordered by seq"),
        Route("GET", f"{one}/changes", changed, INBOX_READ, "Messages new or changed since a version"),
        Route("POST", f"{one}/messages", send, INBOX_REPLY, "Answer the customer", status=201, also=(200,), errors=(409,)),
        Route("POST", f"{one}/read", mark_read, INBOX_READ, "Mark as read up to a message"),
        Route("POST", f"{one}/assign", give, INBOX_REPLY, "Take it, give it to somebody, give it back"),
        Route("POST", f"{one}/close", close, INBOX_REPLY, "Close it"),
        Route("POST", f"{one}/reopen", reopen, INBOX_REPLY, "Open it again"),
        Route("POST", f"{message}/retry", retry_message, INBOX_REPLY, "Send a failed message again", errors=(409,)),
        Route("POST", f"{message}/settle", settle_message, INBOX_REPLY, "Say what became of a message", errors=(409,)),
        Route("POST", f"{message}/recall", recall_message, INBOX_REPLY, "Withdraw a sent message", errors=(409,)),
        Route(
            "POST", "/api/uploads", uploads.upload, INBOX_REPLY, "Upload a file to send", status=201, upload=True,
        ),
        Route(
            "GET", "/api/attachments/{attachment_id}/content", uploads.content, INBOX_READ, "The bytes of a file",
            also=(206, 304), errors=(416,), binary="*/*",
        ),
    ]  # fmt: skip
