"""The notification centre: what an agent should know of, as they may see it now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from scrm.db import Database, Row, Tx
from scrm.permissions import INBOX_READ, Principal, Scope
from scrm.services import Work
from scrm.views import Id, Input, View

EXCERPT = 140
NEWEST = 20

# The words of a note and the customer's name are read now, not when the notice was written: only who may see them gets them.
LIST = """
select n.id, n.kind, n.conversation_id, n.message_id, n.by_agent_id, n.data, n.created_at, n.read_at, seen.name, seen.text,
  seen.seq
from notification n left join lateral (
  select coalesce(nullif(k.name, ''), c.group_name) as name, m.seq,
    case when m.recalled_at is null or $6 then m.text end as text
  from conversation c join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
    left join message m on m.id = n.message_id and m.conversation_id = c.id
  where c.id = n.conversation_id and $7 and ($2 or c.assignee_id = $3 or $3 = any(c.collaborators)
    or ($4::bigint[] is not null and (a.team_id is null or a.team_id = any($4))))
) seen on true
where n.agent_id = $3 and ($1::bigint is null or n.id < $1) order by n.id desc limit $5
"""
UNREAD = "select count(*) from (select from notification where agent_id = $1 and read_at is null limit 1000) n"
READ = "update notification set read_at = $2 where agent_id = $1 and read_at is null and id = any($3::bigint[])"
READ_ALL = "update notification set read_at = $2 where agent_id = $1 and read_at is null and id <= $3"
READ_OF = "update notification set read_at = $2 where agent_id = $1 and read_at is null and conversation_id = $3"

PHONE = re.compile(r"(?<!\d)(1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?!\d)")


class NotificationView(View):
    """``title`` is the customer, ``text`` a piece of what it is about; both empty when the reader may not see them (now)."""

    id: int
    kind: str
    conversation_id: int | None
    message_id: int | None
    seq: int | None
    by_agent_id: int | None
    title: str
    text: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class NotificationPage(View):
    """Newest first. ``unread`` counts all, up to 1000."""

    notifications: list[NotificationView]
    unread: int
    more: bool


class NotificationQuery(Input):
    before: Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class NoticesRead(Input):
    """One of them: some by id, all up to an id (those that came meanwhile stay unread), or those of a conversation."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=200)] | None = None
    up_to: Id | None = None
    conversation_id: Id | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> NoticesRead:
        if sum(one is not None for one in (self.ids, self.up_to, self.conversation_id)) != 1:
            raise ValueError("Give one of ids, up_to and conversation_id.")
        return self


async def notification_page(tx: Tx | Database, principal: Principal, query: NotificationQuery) -> NotificationPage:
    scope = Scope.of(principal)
    rows = await tx.fetch(
        LIST,
        query.before,
        scope.everything,
        scope.agent_id,
        scope.teams,
        query.limit + 1,
        scope.recalled,
        principal.may(INBOX_READ),
    )
    return NotificationPage(
        notifications=_views(rows[: query.limit]),
        unread=await tx.fetchval(UNREAD, principal.agent_id),
        more=len(rows) > query.limit,
    )


async def mark_read(work: Work, principal: Principal, what: NoticesRead) -> None:
    """Reading what was read changes nothing. Other tabs of the reader hear of it."""
    me, now = principal.agent_id, work.now
    if what.ids is not None:
        done = await work.tx.execute(READ, me, now, what.ids)
    elif what.up_to is not None:
        done = await work.tx.execute(READ_ALL, me, now, what.up_to)
    else:
        done = await work.tx.execute(READ_OF, me, now, what.conversation_id)
    if done != "UPDATE 0":
        work.ring("notification", me)


def _views(rows: Sequence[Row]) -> list[NotificationView]:
    return [
        NotificationView(
            id=row["id"],
            kind=row["kind"],
            conversation_id=row["conversation_id"],
            message_id=row["message_id"],
            seq=row["seq"],
            by_agent_id=row["by_agent_id"],
            title=masked(row["name"] or ""),
            text=masked(" ".join((row["text"] or "").split()))[:EXCERPT],
            data=_data(row),
            created_at=row["created_at"],
            read_at=row["read_at"],
        )
        for row in rows
    ]


def _data(row: Row) -> dict[str, Any]:
    if row["conversation_id"] is not None and row["name"] is None:
        return {}
    return {name: masked(value) if isinstance(value, str) else value for name, value in row["data"].items()}


def masked(text: str) -> str:
    """Without the middle of phone numbers: notices pop up where others look over one's shoulder."""
    return PHONE.sub(r"\1****\2", text)
