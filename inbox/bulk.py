"""One act on many conversations: one request, one unit of work, and for each row whether it was done or why not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from inbox.assign import assign_one
from inbox.labels import MOST_ON_ONE, relabel_one
from inbox.queries import SEEN, conversations_by_id
from inbox.read import read_all
from inbox.rows import Conversation, lock, save
from inbox.snooze import snooze_one
from inbox.status import close_one, reopen_one
from inbox.undo import remember_changes, snapshot
from inbox.views import BulkDone, BulkResult
from scrm.errors import ApiError
from scrm.permissions import Principal, Scope
from scrm.services import Work
from scrm.undo import Step
from scrm.views import Id, Input

MOST = 200
KINDS = {
    "assign": "conversation.assign",
    "close": "conversation.close",
    "reopen": "conversation.reopen",
    "read": "conversation.read",
    "label": "conversation.label",
    "snooze": "conversation.snooze",
}
VISIBLE = f"""
select c.id from conversation c join account a on a.id = c.account_id where c.id = any($1::bigint[]) and {SEEN}
"""  # noqa: S608 - made of constants


class BulkInput(Input):
    """``assign`` takes ``agent_id`` (null: to nobody), ``label`` takes ``add`` and ``remove``, ``snooze`` takes ``until`` (null:
    until the customer writes)."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]
    act: Literal["assign", "close", "reopen", "read", "label", "snooze"]
    agent_id: Id | None = None
    add: Annotated[list[Id], Field(default_factory=list, max_length=MOST_ON_ONE)]
    remove: Annotated[list[Id], Field(default_factory=list, max_length=MOST_ON_ONE)]
    until: datetime | None = None

    @model_validator(mode="after")
    def _complete(self) -> BulkInput:
        if self.act == "label" and not (self.add or self.remove):
            raise ValueError("Name labels to add or to remove.")
        return self


Act = Callable[[Conversation], Awaitable[object]]


async def act_on_many(work: Work, principal: Principal, body: BulkInput) -> tuple[BulkDone, Step | None]:
    """Rows that the asker does not see are reported like rows that are not there."""
    scope = Scope.of(principal)
    seen = await work.tx.fetch(VISIBLE, body.ids, scope.everything, scope.agent_id, scope.teams)
    locked = await lock(work, [row["id"] for row in seen])
    before = {one.id: snapshot(one) for one in locked.values()}
    act = _act(work, principal, body)
    results = []
    for conversation_id in dict.fromkeys(body.ids):
        conversation = locked.get(conversation_id)
        if conversation is None:
            results.append(_refused(conversation_id, "not_found", "There is no such conversation."))
            continue
        try:
            await act(conversation)
        except ApiError as error:
            results.append(_refused(conversation_id, error.code, error.detail))
        else:
            results.append(BulkResult(id=conversation_id, done=True, error="", detail=""))
    await save(work, locked.values())
    step = await remember_changes(work, principal, KINDS[body.act], before)
    done = BulkDone(results=results, conversations=await conversations_by_id(work.tx, list(locked)))
    return done, step


def _act(work: Work, principal: Principal, body: BulkInput) -> Act:
    me = principal.agent_id

    def assign(one: Conversation) -> Awaitable[object]:
        return assign_one(work, principal, one, body.agent_id)

    def close(one: Conversation) -> Awaitable[object]:
        return close_one(work, one, by=me, how="bulk")

    def reopen(one: Conversation) -> Awaitable[object]:
        return reopen_one(work, one, by=me)

    async def read(one: Conversation) -> object:
        return read_all(one)

    def label(one: Conversation) -> Awaitable[object]:
        return relabel_one(work, one, body.add, body.remove, by=me)

    def snooze(one: Conversation) -> Awaitable[object]:
        return snooze_one(work, one, body.until, by=me)

    return {"assign": assign, "close": close, "reopen": reopen, "read": read, "label": label, "snooze": snooze}[
        body.act
    ]


def _refused(conversation_id: int, code: str, detail: str) -> BulkResult:
    return BulkResult(id=conversation_id, done=False, error=code, detail=detail)
