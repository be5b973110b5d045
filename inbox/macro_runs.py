"""Running a macro on one or many conversations, in one unit of work.

Each conversation is done whole or not at all: an act that cannot be done takes back those before it there, and the others go on. The
same token is the same run. What was sent cannot be taken back; everything else can.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from inbox.assign import assign_one
from inbox.labels import relabel_one
from inbox.library.macros import MacroAction, find_macro
from inbox.library.quick_replies import find_reply
from inbox.library.uses import count_uses
from inbox.notes import NoteInput, write_note
from inbox.parts import StoredPart
from inbox.queries import SEEN
from inbox.reply import CapabilitiesOf, able_to, part_tokens, write_answers
from inbox.rows import Conversation, lock, lock_one, save
from inbox.snooze import snooze_one
from inbox.status import close_one
from inbox.undo import Snapshot, remember_changes, snapshot
from scrm.db import Row
from scrm.errors import ApiError, Forbidden, NotFound
from scrm.permissions import LIBRARY_READ, Principal, Scope
from scrm.services import Services, Work
from scrm.trail import record
from scrm.undo import Step
from scrm.views import Id, Input, View

MOST = 200
KEPT_DAYS = 7
UNDO = "conversation.macro"

KNOWN = "select result from macro_run where agent_id = $1 and client_token = $2"
VISIBLE = f"""
select c.id from conversation c join account a on a.id = c.account_id where c.id = any($1::bigint[]) and {SEEN}
"""  # noqa: S608
OLD = "delete from macro_run where created_at < now() - interval '7 days'"
ANSWERED = ("waiting_since", "unread", "read_seq", "sla_policy_id", "sla_kind", "sla_due_at", "sla_breached_at")
"""What an answer decides for good: undoing the rest must not make the customer wait again."""


class RunInput(Input):
    client_token: Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
    conversation_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]


class RunOutcome(View):
    """``code`` and ``detail`` say why nothing was done there; ``action`` counts from 0."""

    conversation_id: int
    done: bool
    action: int | None
    code: str
    detail: str


class RunResult(View):
    outcomes: list[RunOutcome]
    done: int
    failed: int


async def run_macro(
    work: Work, principal: Principal, macro_id: int, run: RunInput, capabilities: CapabilitiesOf
) -> tuple[RunResult, Step | None]:
    """Raises :class:`NotFound`, :class:`Forbidden`; what cannot be done in a conversation is in the result."""
    if not principal.may(LIBRARY_READ):
        raise Forbidden("You may not use the library.")
    # One run of a person after the other: a repeated request waits here and finds the first one's result.
    await work.tx.execute("select from agent where id = $1 for no key update", principal.agent_id)
    known = await work.tx.fetchval(KNOWN, principal.agent_id, run.client_token)
    if known is not None:
        return RunResult.model_validate(known), None
    macro = await find_macro(work.tx, principal, macro_id)
    scope = Scope.of(principal)
    seen = await work.tx.fetch(VISIBLE, run.conversation_ids, scope.everything, scope.agent_id, scope.teams)
    held = await lock(work, [row["id"] for row in seen])
    before: dict[int, Snapshot] = {one.id: snapshot(one) for one in held.values()}
    outcomes = [
        await _run_one(work, principal, macro, one, run.client_token, before, capabilities, known=one in held)
        for one in dict.fromkeys(run.conversation_ids)
    ]
    done = [one for one in outcomes if one.done]
    step = await remember_changes(
        work, principal, UNDO, {one.conversation_id: before[one.conversation_id] for one in done}
    )
    result = RunResult(outcomes=outcomes, done=len(done), failed=len(outcomes) - len(done))
    await work.tx.execute("update macro set uses = uses + 1 where id = $1 and $2 > 0", macro_id, len(done))
    await work.tx.execute(
        "insert into macro_run (agent_id, client_token, macro_id, result, created_at) values ($1, $2, $3, $4, $5)",
        principal.agent_id, run.client_token, macro_id, result.model_dump(mode="json"), work.now,
    )  # fmt: skip
    detail = {"done": result.done, "failed": result.failed}
    await record(work, "macro.run", agent_id=principal.agent_id, object_kind="macro", object_id=macro_id, detail=detail)
    return result, step


async def forget_old(services: Services) -> None:
    await services.db.execute(OLD)


async def _run_one(
    work: Work, principal: Principal, macro: Row, conversation_id: int, token: str, before: dict[int, Snapshot],
    capabilities: CapabilitiesOf, *, known: bool,
) -> RunOutcome:  # fmt: skip
    if not known:
        return RunOutcome(
            conversation_id=conversation_id,
            done=False,
            action=None,
            code="not_found",
            detail="There is no such conversation.",
        )
    number = 0
    acting = _Acting(work, principal, token, capabilities)
    try:
        async with work.tx.transaction():
            for number, kept in enumerate(macro["actions"]):
                await acting.act(conversation_id, MacroAction.model_validate(kept), number)
    except ApiError as error:
        return RunOutcome(
            conversation_id=conversation_id, done=False, action=number, code=error.code, detail=error.detail
        )
    if acting.answered is not None:
        before[conversation_id] = {**before[conversation_id], **{name: acting.answered[name] for name in ANSWERED}}
    return RunOutcome(conversation_id=conversation_id, done=True, action=None, code="", detail="")


class _Acting:
    """The acts of one run in one conversation, each on the row as the act before left it."""

    def __init__(self, work: Work, principal: Principal, token: str, capabilities: CapabilitiesOf) -> None:
        self._work = work
        self._principal = principal
        self._token = token
        self._capabilities = capabilities
        self.answered: Mapping[str, Any] | None = None

    async def act(self, conversation_id: int, action: MacroAction, number: int) -> None:
        """Raises :class:`ApiError` when it cannot be done."""
        work, me = self._work, self._principal
        token = f"{self._token}-{number}"
        if action.kind == "note":
            await write_note(work, me, conversation_id, NoteInput(client_token=token, text=action.text))
            return
        conversation = await lock_one(work, conversation_id)
        if conversation is None:
            raise NotFound("There is no such conversation.")
        match action.kind:
            case "reply":
                await self._reply(conversation, action, token)
            case "label":
                await relabel_one(work, conversation, action.label_ids, [], by=me.agent_id)
            case "unlabel":
                await relabel_one(work, conversation, [], action.label_ids, by=me.agent_id)
            case "assign_me":
                await assign_one(work, me, conversation, me.agent_id)
            case "assign":
                await assign_one(work, me, conversation, action.agent_id)
            case "unassign":
                await assign_one(work, me, conversation, None)
            case "close":
                await close_one(work, conversation, by=me.agent_id, how="macro")
            case "snooze":
                until = work.now + timedelta(hours=action.hours) if action.hours else None
                await snooze_one(work, conversation, until, by=me.agent_id)
        await save(work, [conversation])

    async def _reply(self, conversation: Conversation, action: MacroAction, token: str) -> None:
        assert action.quick_reply_id is not None
        row = await find_reply(self._work.tx, self._principal, action.quick_reply_id)
        parts = [StoredPart.from_json(one) for one in row["parts"]]
        where = await able_to(self._work, conversation, self._capabilities)
        pieces = list(zip(part_tokens(token, len(parts)), parts, strict=True))
        await write_answers(self._work, self._principal, conversation, where, pieces)
        await count_uses(self._work, self._principal, quick_reply_id=row["id"], parts=parts)
        self.answered = snapshot(conversation)
