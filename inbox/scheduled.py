"""Answers that leave later.

A row says what, where, by whom and when; any worker that finds it due writes its messages and marks it done in one unit of work, so
it leaves once, whichever process dies. Whether it may leave is decided then, not when it was planned: the window may have closed and
the writer may have lost the conversation. What cannot leave is told to its writer and stays in sight.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from inbox.colleagues import blind, load_colleagues
from inbox.events import record_event
from inbox.library.uses import count_uses
from inbox.parts import PartView, Piece, StoredPart, part_view, resolve
from inbox.reply import MOST_PARTS, CapabilitiesOf, Token, able_to, check_part, part_tokens, write_answers
from inbox.rows import Conversation, lock_one, save
from scrm.channel import Kind
from scrm.db import Row, Tx
from scrm.errors import ApiError, Conflict, NotFound, Unprocessable
from scrm.notices import notify
from scrm.permissions import INBOX_ASSIGN, INBOX_REPLY, Principal
from scrm.services import Services, Work
from scrm.views import Id, Input, SentenceView, View, sentence_view

log = logging.getLogger(__name__)

SOONEST = timedelta(seconds=20)
LATEST = timedelta(days=366)
MOST_OPEN = 20
"""Of one conversation."""

COLUMNS = "s.id, s.conversation_id, s.agent_id, s.due_at, s.parts, s.quick_reply_id, s.state, s.reason, s.revision, s.client_token"
OPEN = f"""
select {COLUMNS} from scheduled_message s where s.conversation_id = $1 and s.state in ('waiting', 'failed')
order by s.due_at, s.id
"""  # noqa: S608
ONE = f"select {COLUMNS} from scheduled_message s where s.id = $1"  # noqa: S608
LOCK = f"{ONE} for update"
DUE = f"""
select {COLUMNS} from scheduled_message s where s.state = 'waiting' and s.due_at <= $1
order by s.due_at, s.id limit 1 for update skip locked
"""  # noqa: S608
INSERT = """
insert into scheduled_message (conversation_id, agent_id, client_token, due_at, parts, quick_reply_id, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (conversation_id, client_token) do nothing returning id
"""

LOST_RIGHT = {
    "code": "not_allowed",
    "zh": "你已无权回复该会话",
    "en": "You may no longer answer this conversation.",
}
REASONS = {
    "window_closed": "到点时回复窗口已关闭",
    "window_used_up": "到点时可回复条数已用完",
    "cannot_send": "到点时平台不允许从这里回复",
    "read_only": "该渠道不能从这里回复",
    "value_missing": "变量没有值",
    "kind_not_supported": "该渠道不支持这种内容",
    "too_long": "内容超过渠道限制",
    "link_not_allowed": "该渠道不允许带链接",
}


class ScheduleInput(Input):
    client_token: Token
    due_at: AwareDatetime
    parts: Annotated[list[Piece], Field(min_length=1, max_length=MOST_PARTS)]
    quick_reply_id: Id | None = None


class RescheduleInput(Input):
    """What is given is changed. ``revision``: the one that was seen; another one is refused. Files stay as they are: ``texts``
    replaces the texts of the pieces that are texts, in order."""

    revision: int
    due_at: AwareDatetime | None = None
    texts: Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=MOST_PARTS)] | None = None


class ScheduledView(View):
    id: int
    conversation_id: int
    agent_id: int
    due_at: datetime
    parts: list[PartView]
    state: Literal["waiting", "sent", "failed", "cancelled"]
    reason: SentenceView | None
    revision: int
    may_change: bool


class ScheduledList(View):
    scheduled: list[ScheduledView]


def scheduled_view(row: Row, principal: Principal) -> ScheduledView:
    url = f"/api/scheduled/{row['id']}/parts"
    return ScheduledView(
        id=row["id"],
        conversation_id=row["conversation_id"],
        agent_id=row["agent_id"],
        due_at=row["due_at"],
        parts=[part_view(part, f"{url}/{n}/content") for n, part in enumerate(row["parts"])],
        state=row["state"],
        reason=sentence_view(row["reason"]),
        revision=row["revision"],
        may_change=_may_change(principal, row),
    )


async def open_ones(tx: Tx, principal: Principal, conversation_id: int) -> ScheduledList:
    """Those that wait, and those that failed and were not put away, of a conversation that the asker sees."""
    return ScheduledList(scheduled=[scheduled_view(row, principal) for row in await tx.fetch(OPEN, conversation_id)])


async def find_scheduled(tx: Tx, scheduled_id: int) -> Row:
    """Raises :class:`NotFound`; the caller looks whether the conversation is the asker's to see."""
    row = await tx.fetchrow(ONE, scheduled_id)
    if row is None:
        raise NotFound("There is no such scheduled answer.")
    return row


async def schedule(
    work: Work, principal: Principal, conversation_id: int, new: ScheduleInput, capabilities: CapabilitiesOf
) -> tuple[int, bool]:
    """Returns its id, and whether it is new: the same token is the same answer.

    Raises :class:`NotFound`, :class:`Conflict`, :class:`Unprocessable` for what could never leave.
    """
    conversation = await _locked(work, conversation_id)
    known = await work.tx.fetchval(
        "select id from scheduled_message where conversation_id = $1 and client_token = $2",
        conversation_id,
        new.client_token,
    )
    if known is not None:
        return int(known), False
    _check_moment(work, new.due_at)
    _, able = await able_to(work, conversation, capabilities)
    parts = [await resolve(work, principal, part) for part in new.parts]
    for part in parts:
        check_part(part, able)
    if len(await work.tx.fetch(OPEN, conversation_id)) >= MOST_OPEN:
        raise Conflict(f"At most {MOST_OPEN} answers wait in one conversation.", code="too_many_scheduled")
    kept = [part.as_json() for part in parts]
    made = await work.tx.fetchval(
        INSERT, conversation_id, principal.agent_id, new.client_token, new.due_at, kept, new.quick_reply_id, work.now
    )
    await _tell(work, conversation, "scheduled", principal.agent_id, made, due_at=new.due_at.isoformat())
    return int(made), True


async def reschedule(
    work: Work, principal: Principal, scheduled_id: int, change: RescheduleInput, capabilities: CapabilitiesOf
) -> None:
    """Changes one that waits, or gives one that failed another moment. Raises :class:`NotFound`, :class:`Conflict`
    (``scheduled_gone``, ``changed_meanwhile``), :class:`Unprocessable`."""
    row, conversation = await _changeable(work, principal, scheduled_id)
    if row["revision"] != change.revision:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    due_at = change.due_at or row["due_at"]
    _check_moment(work, due_at)
    parts = [StoredPart.from_json(one) for one in row["parts"]]
    if change.texts is not None:
        parts = _with_texts(parts, change.texts)
        _, able = await able_to(work, conversation, capabilities)
        for part in parts:
            check_part(part, able)
    await work.tx.execute(
        "update scheduled_message set due_at = $2, parts = $3, state = 'waiting', reason = null, revision = revision + 1, "
        "updated_at = $4 where id = $1",
        scheduled_id, due_at, [part.as_json() for part in parts], work.now,
    )  # fmt: skip
    await _tell(work, conversation, "schedule_changed", principal.agent_id, scheduled_id, due_at=due_at.isoformat())


async def cancel(work: Work, principal: Principal, scheduled_id: int) -> None:
    """It will not leave; one that failed is put away. Again is harmless. Raises :class:`NotFound`, :class:`Conflict` when it has
    left already."""
    row, conversation = await _changeable(work, principal, scheduled_id)
    if row["state"] == "cancelled":
        return
    await work.tx.execute(
        "update scheduled_message set state = 'cancelled', revision = revision + 1, done_at = $2, updated_at = $2 where id = $1",
        scheduled_id,
        work.now,
    )
    await _tell(work, conversation, "schedule_cancelled", principal.agent_id, scheduled_id)


# ------------------------------------------------------------------------------------------------------------- sending


async def send_due(services: Services) -> bool:
    """Sends the one that is due longest; True when there may be more. The row stays locked until its messages are written, and
    other processes pass it by."""
    async with services.work() as work:
        row = await work.tx.fetchrow(DUE, work.now)
        if row is None:
            return False
        conversation = await _locked(work, row["conversation_id"])
        try:
            async with work.tx.transaction():
                await _send(work, row, conversation, services.connections.capabilities)
        except ApiError as error:
            fresh = await _locked(work, row["conversation_id"])
            await _fail(work, row, fresh, _reason(error))
    return True


async def _send(work: Work, row: Row, conversation: Conversation, capabilities: CapabilitiesOf) -> None:
    """Raises :class:`ApiError`; everything it wrote is then undone."""
    principal = await _writer(work, row, conversation)
    where = await able_to(work, conversation, capabilities)
    parts = [StoredPart.from_json(one) for one in row["parts"]]
    tokens = part_tokens(row["client_token"], len(parts))
    await write_answers(work, principal, conversation, where, list(zip(tokens, parts, strict=True)))
    await count_uses(work, principal, quick_reply_id=row["quick_reply_id"], parts=parts)
    await work.tx.execute(
        "update scheduled_message set state = 'sent', done_at = $2, updated_at = $2 where id = $1", row["id"], work.now
    )
    await _tell(work, conversation, "schedule_sent", None, row["id"])


async def _writer(work: Work, row: Row, conversation: Conversation) -> Principal:
    """Who planned it, with what they may do now. Raises :class:`Conflict` when that is no longer to answer here."""
    principal = (await load_colleagues(work, [row["agent_id"]])).get(row["agent_id"])
    if principal is None or not principal.may(INBOX_REPLY) or await blind(work, conversation, [principal]):
        raise Conflict(LOST_RIGHT["en"], code="not_allowed")
    return principal


async def _fail(work: Work, row: Row, conversation: Conversation, reason: dict[str, str]) -> None:
    await work.tx.execute(
        "update scheduled_message set state = 'failed', reason = $2, revision = revision + 1, done_at = $3, updated_at = $3 "
        "where id = $1",
        row["id"], reason, work.now,
    )  # fmt: skip
    await _tell(work, conversation, "schedule_failed", None, row["id"], why=reason)
    key = f"scheduled:{row['id']}:{row['revision']}"
    await notify(work, [row["agent_id"]], "send_failed", key, conversation_id=conversation.id, data={"why": reason})


def _reason(error: ApiError) -> dict[str, str]:
    if error.code == "not_allowed":
        return LOST_RIGHT
    return {"code": error.code, "zh": REASONS.get(error.code, "到点时无法发送"), "en": error.detail}


# -------------------------------------------------------------------------------------------------------------- inside


async def _changeable(work: Work, principal: Principal, scheduled_id: int) -> tuple[Row, Conversation]:
    """The row first, then its conversation, as the sender locks them."""
    row = await work.tx.fetchrow(LOCK, scheduled_id)
    if row is None:
        raise NotFound("There is no such scheduled answer.")
    if not _may_change(principal, row):
        raise Conflict("Only who planned it, or a manager, may change it.", code="not_yours")
    if row["state"] == "sent":
        raise Conflict("It has been sent already.", code="scheduled_gone")
    return row, await _locked(work, row["conversation_id"])


def _may_change(principal: Principal, row: Row) -> bool:
    return bool(row["agent_id"] == principal.agent_id or principal.may(INBOX_ASSIGN))


def _check_moment(work: Work, due_at: datetime) -> None:
    if not work.now + SOONEST <= due_at <= work.now + LATEST:
        raise Unprocessable(
            "Choose a moment in the future, within a year.", fields={"due_at": "It has passed, or is too far away."}
        )


def _with_texts(parts: Sequence[StoredPart], texts: Sequence[str]) -> list[StoredPart]:
    left = list(texts)
    made = [part.with_text(left.pop(0)) if part.kind == Kind.TEXT and left else part for part in parts]
    if left:
        raise Unprocessable("There are more texts than pieces.", fields={"texts": "Too many."})
    return made


async def _tell(
    work: Work, conversation: Conversation, kind: Any, agent_id: int | None, scheduled_id: int, **data: Any
) -> None:
    await record_event(work, conversation, kind, agent_id, scheduled_id=scheduled_id, **data)
    await save(work, [conversation])


async def _locked(work: Work, conversation_id: int) -> Conversation:
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation
