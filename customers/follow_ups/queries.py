"""Reads of follow-ups, within the reader's reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from customers.cursors import after, cursor
from customers.follow_ups.views import AnsweredTask, EarlierText, FollowUpFile, FollowUpPage, FollowUpView
from customers.scope import SEEN, CustomerScope
from customers.tasks.views import SHOWN, TaskView, task_view
from customers.tasks.views import arguments as task_arguments
from scrm.db import Database, Row, Tx
from scrm.errors import NotFound
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_WRITE, Principal
from scrm.views import Input

CORRECTABLE = timedelta(hours=24)

COLUMNS = """f.id, f.customer_id, f.agent_id, f.kind, f.text, f.outcome, f.mentions, f.files, f.conversation_id, f.at, f.created_at,
  f.edited_at, f.edits,
  ($1 or ($3::bigint[] is not null and f.agent_id in (select m.agent_id from team_member m where m.team_id = any($3)))
   or u.owner_id = $2) as within_reach"""
FIND = f"""
select {COLUMNS} from follow_up f join customer u on u.id = f.customer_id
where f.id = $4 and f.deleted_at is null and u.deleted_at is null and {SEEN}
"""  # noqa: S608 - made of constants
PAGE = f"""
select {COLUMNS} from follow_up f join customer u on u.id = f.customer_id
where f.customer_id = $4 and f.deleted_at is null
  and ($5::timestamptz is null or (f.at, f.id) < ($5, $6::bigint)) and ($7::text is null or f.kind = $7)
order by f.at desc, f.id desc limit $8
"""  # noqa: S608 - made of constants
NEXT = f"{SHOWN} where t.follow_up_id = any($5::bigint[]) order by t.id"
ANSWERED = "select id, done_by_id, text, due_at, all_day from task where done_by_id = any($1::bigint[]) order by id"


class FollowUpQuery(Input):
    kind: Annotated[str, Field(max_length=40)] | None = None
    cursor: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


def arguments(principal: Principal) -> tuple[object, ...]:
    return CustomerScope.of(principal).arguments


async def follow_up(tx: Tx | Database, principal: Principal, follow_up_id: int, now: datetime) -> FollowUpView:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(FIND, *arguments(principal), follow_up_id)
    if row is None:
        raise NotFound("There is no such follow-up.")
    return (await views(tx, principal, [row], now))[0]


async def follow_ups(
    tx: Tx | Database, principal: Principal, customer_id: int, query: FollowUpQuery, now: datetime
) -> FollowUpPage:
    """Of a customer that the asker sees (the caller has looked)."""
    at, last = after(query.cursor)
    rows = await tx.fetch(PAGE, *arguments(principal), customer_id, at, last, query.kind, query.limit + 1)
    kept = rows[: query.limit]
    return FollowUpPage(
        follow_ups=await views(tx, principal, kept, now),
        next_cursor=cursor(kept[-1]["at"], kept[-1]["id"]) if len(rows) > len(kept) else None,
    )


async def views(tx: Tx | Database, principal: Principal, rows: Sequence[Row], now: datetime) -> list[FollowUpView]:
    """With the next steps that they made and the tasks that they answered: two reads for any number."""
    ids = [row["id"] for row in rows]
    nexts: dict[int, TaskView] = {}
    answered: dict[int, list[AnsweredTask]] = {}
    if ids:
        for task in await tx.fetch(NEXT, *task_arguments(principal), ids):
            nexts.setdefault(task["follow_up_id"], task_view(principal, task))
        for task in await tx.fetch(ANSWERED, ids):
            one = AnsweredTask(id=task["id"], text=task["text"], due_at=task["due_at"], all_day=task["all_day"])
            answered.setdefault(task["done_by_id"], []).append(one)
    return [_view(principal, row, nexts, answered, now) for row in rows]


def _view(
    principal: Principal,
    row: Row,
    nexts: Mapping[int, TaskView],
    answered: Mapping[int, list[AnsweredTask]],
    now: datetime,
) -> FollowUpView:
    mine = row["agent_id"] == principal.agent_id
    manages = principal.may(CUSTOMERS_ASSIGN) and (row["within_reach"] or mine)
    return FollowUpView(
        id=row["id"],
        customer_id=row["customer_id"],
        agent_id=row["agent_id"],
        kind=row["kind"],
        text=row["text"],
        outcome=row["outcome"],
        mentions=row["mentions"],
        files=[
            FollowUpFile(
                name=one["name"],
                mime=one["mime"],
                size=one["size"],
                url=f"/api/follow-ups/{row['id']}/files/{n}/content",
            )
            for n, one in enumerate(row["files"])
        ],
        conversation_id=row["conversation_id"],
        at=row["at"],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        edits=[EarlierText(**one) for one in row["edits"]],
        answered=answered.get(row["id"], []),
        next=nexts.get(row["id"]),
        may_change=principal.may(CUSTOMERS_WRITE) and (manages or (mine and now - row["created_at"] <= CORRECTABLE)),
    )
