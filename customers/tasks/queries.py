"""Reads of tasks: one's day, a stretch of the calendar, those of a customer, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from customers.cursors import after, cursor
from customers.tasks.times import QuickMoment, day_of, end_of_day, quick_moments
from customers.tasks.views import SHOWN, THERE, VISIBLE, TaskView, arguments, task_view
from customers.workdays import MarkedDay, marked_days
from scrm.company import FACTS
from scrm.db import Database, Row, Tx
from scrm.errors import Forbidden, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_ASSIGN, Principal
from scrm.views import Id, Input, View

MOST_OF_A_KIND = 200
MOST_ON_CALENDAR = 2000
LONGEST_STRETCH = 62

ONE = f"{SHOWN} where t.id = $5 and {THERE} and {VISIBLE}"
OPEN = f"""
{SHOWN} where t.agent_id = $5 and t.state = 'open' and t.due_at >= $6 and t.due_at < $7 and {THERE}
order by t.due_at, t.id limit $8
"""
DONE = f"""
{SHOWN} where t.agent_id = $5 and t.state = 'done' and t.done_at >= $6 and {THERE} order by t.done_at desc, t.id desc limit $7
"""
COUNT = f"""
select count(*) filter (where t.due_at < $2) as overdue, count(*) filter (where t.due_at >= $2) as today
from task t left join customer u on u.id = t.customer_id
where t.agent_id = $1 and t.state = 'open' and t.due_at <= $3 and {THERE}
"""  # noqa: S608 - made of constants
CALENDAR = f"""
{SHOWN} where t.agent_id = any($5::bigint[]) and t.state <> 'cancelled' and t.due_at >= $6 and t.due_at < $7
  and {THERE} order by t.due_at, t.id limit $8
"""
OF_CUSTOMER_OPEN = f"{SHOWN} where t.customer_id = $5 and t.state = 'open' order by t.due_at, t.id limit 200"
OF_CUSTOMER_CLOSED = f"""
{SHOWN} where t.customer_id = $5 and t.state <> 'open' and ($6::timestamptz is null or (t.due_at, t.id) < ($6, $7::bigint))
order by t.due_at desc, t.id desc limit $8
"""
REACHED = """
select a.id from agent a where a.id = any($1::bigint[]) and ($2 or a.id = $3 or ($4::bigint[] is not null and a.id in
  (select m.agent_id from team_member m where m.team_id = any($4))))
"""
Ids = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}(,[1-9][0-9]{0,17}){0,49}$", max_length=950)]
FAR_BACK = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class TodayQuery(Input):
    """``agent_id``: a colleague's day, for managers."""

    agent_id: Id | None = None


class TaskCounts(View):
    """One's own open tasks: ``overdue`` now, ``today`` those due by the end of the day."""

    overdue: int
    today: int


class Today(View):
    """``overdue`` first, then what is due ``today`` by time, then what is due today without a time, then ``tomorrow`` and what was
    ``done`` today. Of each at most 200; ``counts`` counts all. ``moments``: the quick ones for moving."""

    now: datetime
    time_zone: str
    agent_id: int
    overdue: list[TaskView]
    today: list[TaskView]
    untimed: list[TaskView]
    tomorrow: list[TaskView]
    done: list[TaskView]
    counts: TaskCounts
    moments: list[QuickMoment]


class CalendarQuery(Input):
    """Days of the company's calendar, both included. ``agents``: whose, ids with commas between them; one's own when absent."""

    first: date
    last: date
    agents: Ids | None = None


class StretchView(View):
    """``more``: there are more tasks than fit. ``marks``: public holidays, and weekends on which people work."""

    now: datetime
    time_zone: str
    tasks: list[TaskView]
    marks: list[MarkedDay]
    more: bool


class TaskListQuery(Input):
    cursor: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class CustomerTasks(View):
    """``open`` by when they are due (on the first page), ``closed`` from the latest."""

    open: list[TaskView]
    closed: list[TaskView]
    next_cursor: str | None


class Moments(View):
    now: datetime
    time_zone: str
    moments: list[QuickMoment]


async def one_task(tx: Tx | Database, principal: Principal, task_id: int) -> TaskView:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, *arguments(principal), task_id)
    if row is None:
        raise NotFound("There is no such task.")
    return task_view(principal, row)


async def moments(tx: Tx | Database, now: datetime) -> Moments:
    facts = await FACTS.load(tx)
    return Moments(now=now, time_zone=facts.zone, moments=quick_moments(now, facts.clock))


async def count_tasks(tx: Tx | Database, agent_id: int, now: datetime) -> TaskCounts:
    zone = (await FACTS.load(tx)).clock
    row = await tx.fetchrow(COUNT, agent_id, now, end_of_day(day_of(now, zone), zone))
    return TaskCounts(overdue=row["overdue"], today=row["today"]) if row else TaskCounts(overdue=0, today=0)


async def today(tx: Tx, principal: Principal, query: TodayQuery, now: datetime) -> Today:
    """Raises :class:`Forbidden` for a day that is not the asker's to see."""
    facts = await FACTS.load(tx)
    zone = facts.clock
    agent_id = query.agent_id or principal.agent_id
    await _reached(tx, principal, [agent_id])
    day = day_of(now, zone)
    ends, morrow_ends = end_of_day(day, zone), end_of_day(day + timedelta(days=1), zone)
    second = timedelta(seconds=1)
    begins = end_of_day(day - timedelta(days=1), zone) + second

    async def between(first: datetime, until: datetime) -> list[TaskView]:
        rows = await tx.fetch(OPEN, *arguments(principal), agent_id, first, until, MOST_OF_A_KIND)
        return _views(principal, rows)

    due = await between(now, ends + second)
    return Today(
        now=now,
        time_zone=facts.zone,
        agent_id=agent_id,
        overdue=await between(FAR_BACK, now),
        today=[one for one in due if not one.all_day],
        untimed=[one for one in due if one.all_day],
        tomorrow=await between(ends + second, morrow_ends + second),
        done=_views(principal, await tx.fetch(DONE, *arguments(principal), agent_id, begins, MOST_OF_A_KIND)),
        counts=await count_tasks(tx, agent_id, now),
        moments=quick_moments(now, zone),
    )


async def calendar(tx: Tx, principal: Principal, query: CalendarQuery, now: datetime) -> StretchView:
    """Raises :class:`Forbidden` for days that are not the asker's to see, :class:`Unprocessable` for too many of them."""
    if not 0 <= (query.last - query.first).days < LONGEST_STRETCH or not 1970 <= query.first.year <= 2200:
        raise Unprocessable(
            "Choose a stretch of at most two months.", fields={"last": "It is not after first, or too late."}
        )
    facts = await FACTS.load(tx)
    zone = facts.clock
    agents = sorted({int(one) for one in query.agents.split(",")}) if query.agents else [principal.agent_id]
    await _reached(tx, principal, agents)
    second = timedelta(seconds=1)
    begins = end_of_day(query.first - timedelta(days=1), zone) + second
    rows = await tx.fetch(
        CALENDAR, *arguments(principal), agents, begins, end_of_day(query.last, zone) + second, MOST_ON_CALENDAR + 1
    )
    return StretchView(
        now=now,
        time_zone=facts.zone,
        tasks=_views(principal, rows[:MOST_ON_CALENDAR]),
        marks=marked_days(query.first, query.last),
        more=len(rows) > MOST_ON_CALENDAR,
    )


async def tasks_of_customer(
    tx: Tx | Database, principal: Principal, customer_id: int, query: TaskListQuery
) -> CustomerTasks:
    """Of a customer that the asker sees (the caller has looked)."""
    held = arguments(principal)
    at, last = after(query.cursor)
    opened = await tx.fetch(OF_CUSTOMER_OPEN, *held, customer_id) if query.cursor is None else []
    closed = await tx.fetch(OF_CUSTOMER_CLOSED, *held, customer_id, at, last, query.limit + 1)
    kept = closed[: query.limit]
    return CustomerTasks(
        open=_views(principal, opened),
        closed=_views(principal, kept),
        next_cursor=cursor(kept[-1]["due_at"], kept[-1]["id"]) if len(closed) > len(kept) else None,
    )


async def _reached(tx: Tx, principal: Principal, agent_ids: Sequence[int]) -> None:
    """Others' days are for managers, as far as they reach. Raises :class:`Forbidden`."""
    others = set(agent_ids) - {principal.agent_id}
    if not others:
        return
    teams = None if principal.reach == "own" else list(principal.team_ids)
    if principal.may(CUSTOMERS_ASSIGN):
        found = await tx.fetch(REACHED, sorted(others), principal.reach == "all", principal.agent_id, teams)
        others -= {row["id"] for row in found}
    if others:
        raise Forbidden("You may see your own days only, or those of your teams.")


def _views(principal: Principal, rows: Sequence[Row]) -> list[TaskView]:
    return [task_view(principal, row) for row in rows]
