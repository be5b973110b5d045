"""The rows behind a figure, newest first, by pages. Of customers that the reader may not see only that there is something."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from customers.activity.report import stretch
from customers.cursors import after, cursor
from customers.reports.asking import Asked, ReportQuery
from customers.scope import SEEN, CustomerScope
from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.permissions import CUSTOMERS_READ, Principal
from scrm.views import Id, View

Figure = Literal["follow_ups", "touched", "new_customers", "tasks_done", "tasks_overdue"]

# $1 to $3 the reader, $4 whether they read customers, $5 and $6 from when to when, $7 whose, $8 and $9 the cursor, $10 how many.
_WHOSE = "($7::bigint[] is null or {who} = any($7)) and {who} is not null"
_AFTER = "($8::timestamptz is null or ({at}, {id}) < ($8, $9::bigint))"
_SHOWN = f"""
select r.*, seen.id as customer_id, seen.name as customer_name from r left join lateral (
  select u.id, u.name from customer u where u.id = r.whose and u.deleted_at is null and $4 and {SEEN}) seen on true
order by r.at desc, r.id desc
"""  # noqa: S608 - made of constants


def _rows(columns: str, table: str, who: str, at: str, where: str, key: str = "t.id") -> str:
    inner = (
        f"select {columns} from {table} where {at} >= $5 and {at} < $6 and {_WHOSE.format(who=who)} and {where} "  # noqa: S608
        f"and {_AFTER.format(at=at, id=key)} order by {at} desc, {key} desc limit $10"
    )
    return f"with r as ({inner}) {_SHOWN}"


_TASK = "t.id, {at} as at, t.agent_id, t.customer_id as whose, t.kind, t.text, '' as outcome, t.state, 1 as n, t.done_at, t.due_at"
_EMPTY = "null::timestamptz as done_at, null::timestamptz as due_at"
ROWS: dict[str, str] = {
    "follow_ups": _rows(
        f"t.id, t.at, t.agent_id, t.customer_id as whose, t.kind, t.text, t.outcome, '' as state, 1 as n, {_EMPTY}",
        "follow_up t", "t.agent_id", "t.at", "t.deleted_at is null",
    ),
    "touched": f"""
with r as (
  select t.customer_id as id, max(t.at) as at, null::bigint as agent_id, t.customer_id as whose, '' as kind, '' as text,
    '' as outcome, '' as state, count(*)::int as n, {_EMPTY}
  from follow_up t where t.at >= $5 and t.at < $6 and {_WHOSE.format(who="t.agent_id")} and t.deleted_at is null
  group by t.customer_id having ($8::timestamptz is null or (max(t.at), t.customer_id) < ($8, $9::bigint))
  order by max(t.at) desc, t.customer_id desc limit $10
) {_SHOWN}""",  # noqa: S608
    "new_customers": _rows(
        f"t.id, t.created_at as at, coalesce(t.created_by, t.owner_id) as agent_id, t.id as whose, '' as kind, '' as text, "
        f"'' as outcome, '' as state, 1 as n, {_EMPTY}",
        "customer t", "coalesce(t.created_by, t.owner_id)", "t.created_at", "t.merged_into is null and t.deleted_at is null",
    ),
    "tasks_done": _rows(_TASK.format(at="t.done_at"), "task t", "t.agent_id", "t.done_at", "t.state = 'done'"),
    "tasks_overdue": _rows(
        _TASK.format(at="t.due_at"), "task t", "t.agent_id", "t.due_at",
        "(t.state = 'open' and t.due_at < $11::timestamptz or t.state = 'done' and t.done_at > t.due_at)",
    ),
}  # fmt: skip


class ActivityRowsQuery(ReportQuery):
    """``owner_id``: whose, one person's; absent, everybody's within reach."""

    figure: Figure
    cursor: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class ActivityRow(View):
    """What is written about a customer whom the reader may not see is left out (``hidden``), and so is who they are."""

    id: int
    at: datetime
    agent_id: int | None
    customer_id: Id | None
    customer_name: str | None
    kind: str
    text: str
    outcome: str
    state: str
    n: int
    due_at: datetime | None
    done_at: datetime | None
    hidden: bool


class ActivityRows(View):
    rows: list[ActivityRow]
    next_cursor: str | None


async def activity_rows(
    tx: Tx, principal: Principal, asked: Asked, query: ActivityRowsQuery, now: datetime
) -> ActivityRows:
    begin, end = stretch(asked, (await FACTS.load(tx)).clock)
    at, last = after(query.cursor)
    scope = CustomerScope.of(principal).arguments
    may_read = principal.may(CUSTOMERS_READ)
    more = [now] if query.figure == "tasks_overdue" else []
    rows = await tx.fetch(
        ROWS[query.figure], *scope, may_read, begin, end, asked.owner_ids, at, last, query.limit + 1, *more
    )
    kept = rows[: query.limit]
    return ActivityRows(
        rows=[_view(row) for row in kept],
        next_cursor=cursor(kept[-1]["at"], kept[-1]["id"]) if len(rows) > len(kept) else None,
    )


def _view(row: Row) -> ActivityRow:
    hidden = row["whose"] is not None and row["customer_id"] is None
    return ActivityRow(
        id=row["id"],
        at=row["at"],
        agent_id=row["agent_id"],
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
        kind=row["kind"],
        text="" if hidden else row["text"],
        outcome="" if hidden else row["outcome"],
        state=row["state"],
        n=row["n"],
        due_at=row["due_at"],
        done_at=row["done_at"],
        hidden=hidden,
    )
