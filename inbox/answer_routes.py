"""Answering over HTTP, beyond one message: several pieces, drafts, answers that leave later, macros at work."""

from __future__ import annotations

from inbox import drafts, macro_runs, scheduled
from inbox.drafts import DraftInput, DraftList, SavedDraft
from inbox.library.find_replies import FilledReply, FillInput, filled_reply
from inbox.library.routes import DownloadQuery, hand_out_part
from inbox.macro_runs import RunInput, RunResult
from inbox.queries import conversation_row, find_message
from inbox.reply import Stack, reply_stack
from inbox.scheduled import RescheduleInput, ScheduledList, ScheduledView, ScheduleInput, scheduled_view
from inbox.views import MessageView
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import INBOX_READ, INBOX_REPLY, Scope
from scrm.services import Work
from scrm.undo import undoable
from scrm.views import View


class AnswerView(View):
    """The messages of a stack, in order."""

    messages: list[MessageView]


async def send_stack(request: Request, conversation_id: int, body: Stack) -> Reply[AnswerView]:
    scope, able = Scope.of(request.principal), request.services.connections.capabilities
    async with request.services.work() as work:
        await conversation_row(work.tx, scope, conversation_id)
        ids, created = await reply_stack(work, request.principal, conversation_id, body, able)
        messages = [await find_message(work.tx, scope, one, able) for one in ids]
    return Reply(AnswerView(messages=messages), status=201 if created else 200)


async def fill(request: Request, reply_id: int, body: FillInput) -> FilledReply:
    async with request.services.work() as work:
        await conversation_row(work.tx, Scope.of(request.principal), body.conversation_id)
        return await filled_reply(work, request.principal, reply_id, body.conversation_id)


async def list_drafts(request: Request) -> DraftList:
    async with request.services.db.pool.acquire() as tx:
        return await drafts.list_drafts(tx, request.principal)


async def save_draft(request: Request, conversation_id: int, body: DraftInput) -> SavedDraft:
    async with request.services.work() as work:
        await conversation_row(work.tx, Scope.of(request.principal), conversation_id)
        return await drafts.save_draft(work, request.principal, conversation_id, body)


async def list_scheduled(request: Request, conversation_id: int) -> ScheduledList:
    async with request.services.db.pool.acquire() as tx:
        await conversation_row(tx, Scope.of(request.principal), conversation_id)
        return await scheduled.open_ones(tx, request.principal, conversation_id)


async def schedule(request: Request, conversation_id: int, body: ScheduleInput) -> Reply[ScheduledView]:
    able = request.services.connections.capabilities
    async with request.services.work() as work:
        await conversation_row(work.tx, Scope.of(request.principal), conversation_id)
        made, new = await scheduled.schedule(work, request.principal, conversation_id, body, able)
        row = await scheduled.find_scheduled(work.tx, made)
    return Reply(scheduled_view(row, request.principal), status=201 if new else 200)


async def reschedule(request: Request, scheduled_id: int, body: RescheduleInput) -> ScheduledView:
    able = request.services.connections.capabilities
    async with request.services.work() as work:
        await _visible(work, request, scheduled_id)
        await scheduled.reschedule(work, request.principal, scheduled_id, body, able)
        return scheduled_view(await scheduled.find_scheduled(work.tx, scheduled_id), request.principal)


async def cancel(request: Request, scheduled_id: int) -> ScheduledView:
    async with request.services.work() as work:
        await _visible(work, request, scheduled_id)
        await scheduled.cancel(work, request.principal, scheduled_id)
        return scheduled_view(await scheduled.find_scheduled(work.tx, scheduled_id), request.principal)


async def scheduled_file(request: Request, scheduled_id: int, part: int, query: DownloadQuery) -> Raw:
    async with request.services.db.pool.acquire() as tx:
        row = await scheduled.find_scheduled(tx, scheduled_id)
        await conversation_row(tx, Scope.of(request.principal), row["conversation_id"])
    return await hand_out_part(request, row["parts"], part, download=query.download)


async def run_macro(request: Request, macro_id: int, body: RunInput) -> Reply[RunResult]:
    able = request.services.connections.capabilities
    async with request.services.work() as work:
        result, step = await macro_runs.run_macro(work, request.principal, macro_id, body, able)
    return undoable(result, step)


async def _visible(work: Work, request: Request, scheduled_id: int) -> None:
    """Raises :class:`NotFound` for an answer in a conversation that the asker does not see."""
    row = await scheduled.find_scheduled(work.tx, scheduled_id)
    await conversation_row(work.tx, Scope.of(request.principal), row["conversation_id"])


def api_routes() -> list[Route]:
    one, later = "/api/conversations/{conversation_id}", "/api/scheduled/{scheduled_id}"
    return [
        Route("POST", f"{one}/answers", send_stack, INBOX_REPLY, "Answer with several pieces, in order", status=201,
              also=(200,), errors=(409,)),
        Route("POST", "/api/quick-replies/{reply_id}/fill", fill, INBOX_REPLY, "A quick reply with a conversation's values"),
        Route("GET", "/api/drafts", list_drafts, INBOX_READ, "What one typed and has not sent"),
        Route("POST", f"{one}/draft", save_draft, INBOX_READ, "Keep what is typed"),
        Route("GET", f"{one}/scheduled", list_scheduled, INBOX_READ, "Answers that leave later, or could not"),
        Route("POST", f"{one}/scheduled", schedule, INBOX_REPLY, "Answer later", status=201, also=(200,), errors=(409,)),
        Route("PATCH", later, reschedule, INBOX_REPLY, "Change an answer that leaves later", errors=(409,)),
        Route("POST", f"{later}/cancel", cancel, INBOX_REPLY, "Do not send it, or put it away", errors=(409,)),
        Route("GET", f"{later}/parts/{{part}}/content", scheduled_file, INBOX_READ, "The file of one of its pieces",
              also=(206, 304), errors=(416,), binary="*/*"),
        Route("POST", "/api/macros/{macro_id}/run", run_macro, INBOX_REPLY, "Run a macro on conversations"),
    ]  # fmt: skip
