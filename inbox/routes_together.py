"""Working together on a conversation, over HTTP: notes, snooze, labels, helpers, transfers, and what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from inbox import helpers, labels, notes, snooze, transfer
from inbox.history import History, HistoryQuery, history
from inbox.labels import LabelInput, LabelList, NewLabel, Relabel
from inbox.notes import NoteEdit, NoteInput
from inbox.queries import conversation_row, find_conversation, find_message, one_moment
from inbox.transfer import TRANSFERS, TransferSettings
from inbox.undo import remember_changes, snapshots
from inbox.views import ConversationView, MessageView
from inbox.within import SearchQuery, SearchResult, search
from scrm.http import Reply, Request, Route
from scrm.permissions import INBOX_READ, INBOX_REPLY, INBOX_SETTINGS, Scope
from scrm.services import Work
from scrm.trail import record
from scrm.undo import undoable
from scrm.views import Id, Input, View


class SnoozeInput(Input):
    """``until`` null: until the customer writes."""

    until: AwareDatetime | None


class HelpersInput(Input):
    add: Annotated[list[Id], Field(default_factory=list, max_length=20)]
    remove: Annotated[list[Id], Field(default_factory=list, max_length=20)]


class TransferInput(Input):
    agent_id: Id
    note: Annotated[str, Field(max_length=1000)] = ""


class DeclineInput(Input):
    why: Annotated[str, Field(max_length=500)] = ""


class TransferSettingsView(View):
    acceptance: bool = Field(description="Whether the one who is asked has to say yes.")


class TransferSettingsInput(Input):
    acceptance: bool


async def add_note(request: Request, conversation_id: int, body: NoteInput) -> Reply[MessageView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        message_id, created = await notes.write_note(work, request.principal, conversation_id, body)
        view = await _message(work, request, message_id)
    return Reply(view, status=201 if created else 200)


async def edit_note(request: Request, message_id: int, body: NoteEdit) -> MessageView:
    async with request.services.work() as work:
        await _message(work, request, message_id)
        await notes.edit_note(work, request.principal, message_id, body)
        return await _message(work, request, message_id)


async def delete_note(request: Request, message_id: int) -> MessageView:
    async with request.services.work() as work:
        await _message(work, request, message_id)
        await notes.delete_note(work, request.principal, message_id)
        return await _message(work, request, message_id)


async def put_to_sleep(request: Request, conversation_id: int, body: SnoozeInput) -> Reply[ConversationView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        before = await snapshots(work, [conversation_id])
        await snooze.snooze(work, request.principal, conversation_id, _utc(body.until))
        step = await remember_changes(work, request.principal, "conversation.snooze", before)
        return undoable(await _shown(work, request, conversation_id), step)


async def relabel(request: Request, conversation_id: int, body: Relabel) -> Reply[ConversationView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        before = await snapshots(work, [conversation_id])
        await labels.relabel(work, request.principal, conversation_id, body)
        step = await remember_changes(work, request.principal, "conversation.label", before)
        return undoable(await _shown(work, request, conversation_id), step)


async def change_helpers(request: Request, conversation_id: int, body: HelpersInput) -> Reply[ConversationView]:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        before = await snapshots(work, [conversation_id])
        await helpers.change_helpers(work, request.principal, conversation_id, body.add, body.remove)
        step = await remember_changes(work, request.principal, "conversation.helpers", before)
        return undoable(await _shown(work, request, conversation_id), step)


async def ask_transfer(request: Request, conversation_id: int, body: TransferInput) -> ConversationView:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        await transfer.transfer(work, request.principal, conversation_id, body.agent_id, body.note)
        return await _shown(work, request, conversation_id)


async def accept_transfer(request: Request, conversation_id: int) -> ConversationView:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        await transfer.accept(work, request.principal, conversation_id)
        return await _shown(work, request, conversation_id)


async def decline_transfer(request: Request, conversation_id: int, body: DeclineInput) -> ConversationView:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        await transfer.decline(work, request.principal, conversation_id, body.why)
        return await _shown(work, request, conversation_id)


async def cancel_transfer(request: Request, conversation_id: int) -> ConversationView:
    async with request.services.work() as work:
        await _visible(work, request, conversation_id)
        await transfer.cancel(work, request.principal, conversation_id)
        return await _shown(work, request, conversation_id)


async def happened(request: Request, conversation_id: int, query: HistoryQuery) -> History:
    async with one_moment(request.services.db) as tx:
        return await history(tx, Scope.of(request.principal), conversation_id, query)


async def search_within(request: Request, conversation_id: int, query: SearchQuery) -> SearchResult:
    async with one_moment(request.services.db) as tx:
        return await search(tx, Scope.of(request.principal), conversation_id, query)


async def all_labels(request: Request) -> LabelList:
    async with one_moment(request.services.db) as tx:
        return await labels.list_labels(tx)


async def add_label(request: Request, body: NewLabel) -> Reply[LabelList]:
    async with request.services.work() as work:
        await labels.add_label(work, request.principal, body, address=request.address)
        return Reply(await labels.list_labels(work.tx), status=201)


async def change_label(request: Request, label_id: int, body: LabelInput) -> LabelList:
    async with request.services.work() as work:
        await labels.change_label(work, request.principal, label_id, body, address=request.address)
        return await labels.list_labels(work.tx)


async def transfer_settings(request: Request) -> TransferSettingsView:
    return TransferSettingsView(acceptance=(await TRANSFERS.load(request.services.db)).acceptance)


async def change_transfer_settings(request: Request, body: TransferSettingsInput) -> TransferSettingsView:
    async with request.services.work() as work:
        me = request.principal.agent_id
        await TRANSFERS.save(work, TransferSettings(acceptance=body.acceptance), by=me)
        detail: dict[str, Any] = {"key": "transfer", "acceptance": body.acceptance}
        await record(work, "setting.changed", agent_id=me, address=request.address, detail=detail)
    return TransferSettingsView(acceptance=body.acceptance)


async def _visible(work: Work, request: Request, conversation_id: int) -> None:
    await conversation_row(work.tx, Scope.of(request.principal), conversation_id)


async def _shown(work: Work, request: Request, conversation_id: int) -> ConversationView:
    """After the act, to the one who did it: also when it is out of their sight now."""
    return await find_conversation(work.tx, replace(Scope.of(request.principal), reach="all"), conversation_id)


async def _message(work: Work, request: Request, message_id: int) -> MessageView:
    able = request.services.connections.capabilities
    return await find_message(work.tx, Scope.of(request.principal), message_id, able)


def _utc(moment: datetime | None) -> datetime | None:
    """To whole seconds: what a person chose is no finer."""
    return None if moment is None else moment.replace(microsecond=0)


def api_routes() -> list[Route]:
    one = "/api/conversations/{conversation_id}"
    note = "/api/notes/{message_id}"
    label = "/api/labels/{label_id}"
    asked = f"{one}/transfer"
    return [
        Route("POST", f"{one}/notes", add_note, INBOX_REPLY, "Write a private note", status=201, also=(200,)),
        Route("PATCH", note, edit_note, INBOX_REPLY, "Change one's own note; what it said stays known", errors=(409,)),
        Route("DELETE", note, delete_note, INBOX_REPLY, "Withdraw one's own note"),
        Route("POST", f"{one}/snooze", put_to_sleep, INBOX_REPLY, "Out of sight until a time or a reply", errors=(409,)),
        Route("POST", f"{one}/labels", relabel, INBOX_REPLY, "Add and remove labels"),
        Route("POST", f"{one}/helpers", change_helpers, INBOX_REPLY, "Add and remove colleagues who help"),
        Route("POST", asked, ask_transfer, INBOX_REPLY, "Ask a colleague to take it over", errors=(409,)),
        Route("POST", f"{asked}/accept", accept_transfer, INBOX_REPLY, "Take over what one was asked to", errors=(409,)),
        Route("POST", f"{asked}/decline", decline_transfer, INBOX_REPLY, "Say no, and why", errors=(409,)),
        Route("POST", f"{asked}/cancel", cancel_transfer, INBOX_REPLY, "Take the question back"),
        Route("GET", f"{one}/events", happened, INBOX_READ, "What happened besides messages, newest first"),
        Route("GET", f"{one}/search", search_within, INBOX_READ, "Where words stand in this conversation"),
        Route("GET", "/api/labels", all_labels, INBOX_READ, "All labels, in order"),
        Route("POST", "/api/labels", add_label, INBOX_SETTINGS, "Add a label", status=201, errors=(409,)),
        Route("PATCH", label, change_label, INBOX_SETTINGS, "Change, move, put away or bring back a label", errors=(409,)),
        Route("GET", "/api/settings/transfer", transfer_settings, INBOX_READ, "How handing over works"),
        Route("PATCH", "/api/settings/transfer", change_transfer_settings, INBOX_SETTINGS, "Change how handing over works"),
    ]  # fmt: skip
