"""How tasks look, and what is said about new ones."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from customers.scope import SEEN, CustomerScope
from customers.tasks.repeat import Anniversary, Every, Repeat, restored
from scrm.db import Row
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_READ, CUSTOMERS_WRITE, Principal
from scrm.views import Id, Input, View

Token = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Before = Annotated[int, Field(ge=0, le=14 * 24 * 60)]
State = Literal["open", "done", "cancelled"]

COLUMNS = """t.id, t.customer_id, t.agent_id, t.text, t.kind, t.due_at, t.all_day, t.state, t.repeat, t.remind_before,
  t.remind_at, t.follow_up_id, t.done_by_id, t.created_by, t.created_at, t.done_at, t.version, t.words"""
OF_MY_TEAMS = (
    """($3::bigint[] is not null and t.agent_id in (select m.agent_id from team_member m where m.team_id = any($3)))"""
)
VISIBLE = f"""
($1 or t.agent_id = $2 or t.created_by = $2 or {OF_MY_TEAMS} or (u.id is not null and {SEEN}))
"""
"""Whether a task is seen, of a statement with `task t left join customer u`: one's own, those that one gave, those within one's
reach, and those of customers that one sees."""
SHOWN = f"""
select {COLUMNS}, ($1 or {OF_MY_TEAMS}) as within_reach, case when $4 and {SEEN} then u.id end as shown_id,
  case when $4 and {SEEN} then u.name end as customer_name, case when $4 and {SEEN} then u.avatar end as customer_avatar
from task t left join customer u on u.id = t.customer_id
"""  # noqa: S608 - made of constants
"""$1 to $3 are those of :data:`~customers.scope.SEEN`, $4 whether customers are read at all. Of a customer that is hidden from the
reader, nothing is shown, the task itself is. Those of customers in the recycle bin are left out by :data:`THERE`."""
THERE = "(u.id is null or u.deleted_at is null)"


class NewTask(Input):
    """``agent_id``: who shall do it; oneself when absent. ``all_day``: due some time that day. ``remind_before``: minutes before it
    is due (of a whole day: before nine o'clock); null: no reminder."""

    text: Words = ""
    kind: Annotated[str, Field(max_length=40)] = ""
    due_at: AwareDatetime
    all_day: bool = False
    agent_id: Id | None = None
    remind_before: Before | None = 10
    repeat: Repeat | None = None


class TaskInput(NewTask):
    client_token: Token
    customer_id: Id | None = None


class TaskView(View):
    """``customer_name`` is null when the task is about nobody, or about somebody that the reader may not see (then so is the id).
    ``may_change``: the reader may do, move and cancel it. ``words``: ready to be copied to the customer."""

    id: int
    customer_id: int | None
    customer_name: str | None
    customer_avatar: str
    agent_id: int | None
    text: str
    kind: str
    due_at: datetime
    all_day: bool
    state: State
    repeat: Every | Anniversary | None
    remind_before: int | None
    remind_at: datetime | None
    follow_up_id: int | None
    done_by_id: int | None
    created_by: int | None
    created_at: datetime
    done_at: datetime | None
    version: int
    words: str
    may_change: bool


def arguments(principal: Principal) -> tuple[object, ...]:
    """For $1 to $4 of :data:`SHOWN`."""
    return *CustomerScope.of(principal).arguments, principal.may(CUSTOMERS_READ)


def may_change(principal: Principal, row: Row) -> bool:
    if not principal.may(CUSTOMERS_WRITE):
        return False
    mine = principal.agent_id in (row["agent_id"], row["created_by"])
    return mine or (principal.may(CUSTOMERS_ASSIGN) and bool(row["within_reach"]))


def task_view(principal: Principal, row: Row) -> TaskView:
    return TaskView(
        id=row["id"],
        customer_id=row["shown_id"],
        customer_name=row["customer_name"],
        customer_avatar=row["customer_avatar"] or "",
        agent_id=row["agent_id"],
        text=row["text"],
        kind=row["kind"],
        due_at=row["due_at"],
        all_day=row["all_day"],
        state=row["state"],
        repeat=restored(row["repeat"]),
        remind_before=row["remind_before"],
        remind_at=row["remind_at"],
        follow_up_id=row["follow_up_id"],
        done_by_id=row["done_by_id"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        done_at=row["done_at"],
        version=row["version"],
        words=row["words"],
        may_change=may_change(principal, row),
    )
