"""The notification centre: what an agent should know of, as they may see it now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from customers.scope import SEEN, CustomerScope
from scrm.db import Database, Row, Tx
from scrm.permissions import CUSTOMERS_READ, INBOX_READ, Principal, Scope
from scrm.services import Work
from scrm.views import Id, Input, View

EXCERPT = 140
NEWEST = 20

# The words of a note and the customer's name are read now, not when the notice was written: only who may see them gets them.
LIST = f"""
select n.id, n.kind, n.conversation_id, n.message_id, n.by_agent_id, n.data, n.created_at, n.read_at,
  coalesce(seen.name, whose.name) as name, coalesce(seen.text, said.text, todo.text) as text, seen.seq,
  whose.id as customer_id, todo.id as task_id,
  (n.conversation_id is not null and seen.name is null) or (n.customer_id is not null and whose.id is null) as hidden
from notification n left join lateral (
  select coalesce(nullif(k.name, ''), c.group_name) as name, m.seq,
    case when m.recalled_at is null or $6 then m.text end as text
  from conversation c join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
    left join message m on m.id = n.message_id and m.conversation_id = c.id
  where c.id = n.conversation_id and $7 and ($8 or c.assignee_id = $2 or $2 = any(c.collaborators)
    or ($3::bigint[] is not null and (a.team_id is null or a.team_id = any($3))))
) seen on true
left join lateral (
  select u.id, u.name from customer u where u.id = n.customer_id and u.deleted_at is null and $9 and {SEEN}
) whose on true
left join follow_up said on n.kind = 'mention' and said.id = (n.data ->> 'follow_up_id')::bigint
  and said.customer_id = whose.id and said.deleted_at is null
left join task todo on todo.id = n.task_id and (todo.agent_id = $2 or todo.created_by = $2)
where n.agent_id = $2 and ($4::bigint is null or n.id < $4) order by n.id desc limit $5
"""  # noqa: S608 - made of constants
UNREAD = "select count(*) from (select from notification where agent_id = $1 and read_at is null limit 1000) n"
READ = "update notification set read_at = $2 where agent_id = $1 and read_at is null and id = any($3::bigint[])"
READ_ALL = "update notification set read_at = $2 where agent_id = $1 and read_at is null and id <= $3"
READ_OF = "update notification set read_at = $2 where agent_id = $1 and read_at is null and conversation_id = $3"

PHONE = re.compile(r"(?<!\d)(1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?!\d)")


class NotificationView(View):
    """``title`` is the customer, ``text`` a piece of what it is about (a message, a follow-up, a task); both empty when the reader
    may not see them (now), as are the ids of customer and task."""

    id: int
    kind: str
    conversation_id: int | None
    message_id: int | None
    customer_id: int | None
    task_id: int | None
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
        *CustomerScope.of(principal).arguments,
        query.before,
        query.limit + 1,
        scope.recalled,
        principal.may(INBOX_READ),
        scope.everything,
        principal.may(CUSTOMERS_READ),
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
            customer_id=row["customer_id"],
            task_id=row["task_id"],
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
    if row["hidden"]:
        return {}
    return {name: masked(value) if isinstance(value, str) else value for name, value in row["data"].items()}


def masked(text: str) -> str:
    """Without the middle of phone numbers: notices pop up where others look over one's shoulder."""
    return PHONE.sub(r"\1****\2", text)
