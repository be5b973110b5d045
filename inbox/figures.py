"""Figures: events added up by day, account and agent.

An event is counted once: it is marked and added in one statement, whichever process does it and however often it is killed. Medians
are exact, because the seconds themselves are kept. Days are those of the company's time zone at the time of counting; after that has
been changed, ``scrm figures rebuild`` counts again.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inbox.rulebook import GENERAL
from scrm.db import RETRYABLE, Row, Tx
from scrm.services import Services

LOCK_KEY = 7_226_004
AT_ONCE = 2000
COUNTS = {
    "opened": "kind = 'opened'",
    "reopened": "kind = 'reopened'",
    "closed": "kind = 'closed'",
    "assigned": "kind = 'assigned'",
    "transferred": "kind = 'transfer_accepted'",
    "queued": "kind = 'queued'",
    "sla_started": "kind = 'sla_started'",
    "sla_met": "kind = 'sla_met'",
    "sla_breached": "kind = 'sla_breached'",
    "auto_replied": "kind = 'auto_replied'",
    "surveys_sent": "kind = 'survey_sent'",
}
LISTS = {
    "scores": ("(data->>'score')::int", "kind = 'survey_answered'"),
    "first_seconds": ("(data->>'working_seconds')::int", "kind = 'answered' and (data->>'first')::boolean"),
    "next_seconds": ("(data->>'working_seconds')::int", "kind = 'answered' and not (data->>'first')::boolean"),
}
"""What each column of ``figure_day`` counts or collects."""
COLUMNS = (*COUNTS, *LISTS)
WHOSE = """
coalesce(case kind when 'assigned' then (data->>'to')::bigint when 'survey_sent' then (data->>'agent_id')::bigint
  when 'survey_answered' then (data->>'agent_id')::bigint else coalesce(agent_id, assignee_id) end, 0)
"""
"""Whose figure an event is: who did it, else whose conversation it was then."""
COUNTED_KINDS = """
('opened', 'reopened', 'closed', 'assigned', 'transfer_accepted', 'queued', 'sla_started', 'sla_met', 'sla_breached',
 'auto_replied', 'survey_sent', 'survey_answered', 'answered')
"""
_SUMS = ",\n  ".join(
    [f"count(*) filter (where {what})::int as {name}" for name, what in COUNTS.items()]
    + [
        f"coalesce(array_agg({value} order by {value}) filter (where {what}), '{{}}') as {name}"
        for name, (value, what) in LISTS.items()
    ]
)
SUMS = f"""
select (at at time zone $1)::date as day, account_id, {WHOSE} as agent_id,
  {_SUMS}
"""
FOLD = f"""
with fresh as (
  select id from conversation_event where not counted order by id limit {AT_ONCE} for update skip locked
), marked as (
  update conversation_event e set counted = true from fresh where e.id = fresh.id
  returning e.at, e.account_id, e.kind, e.agent_id, e.assignee_id, e.data
), sums as (
  {SUMS} from marked where kind in {COUNTED_KINDS} group by 1, 2, 3
), added as (
  insert into figure_day as f (day, account_id, agent_id, {", ".join(COLUMNS)})
  select * from sums order by 1, 2, 3
  on conflict (day, account_id, agent_id) do update set
  {", ".join(f"{name} = f.{name} + excluded.{name}" for name in COUNTS)},
  {", ".join(f"{name} = array(select unnest(f.{name} || excluded.{name}) order by 1)" for name in LISTS)}
)
select count(*) from marked
"""  # noqa: S608 - made of constants
RECOUNT = f"""
insert into figure_day (day, account_id, agent_id, {", ".join(COLUMNS)})
{SUMS} from conversation_event where at >= $2 and at < $3 and counted and kind in {COUNTED_KINDS} group by 1, 2, 3
"""
DIFFERENCES = f"""
with really as (
  {SUMS} from conversation_event where at >= $2 and at < $3 and counted and kind in {COUNTED_KINDS} group by 1, 2, 3
), told as (
  select day, account_id, agent_id, {", ".join(COLUMNS)} from figure_day where day >= $4 and day <= $5
)
select 'figures' as told_by, * from (table told except table really) t
union all
select 'events' as told_by, * from (table really except table told) r order by 2, 3, 4, 1
"""  # noqa: S608 - made of constants


async def fold(services: Services) -> bool:
    """A round: counts what has not been counted. True: there may be more."""
    try:
        async with services.work() as work:
            if not await work.tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
                return False
            zone = (await GENERAL.load(work.tx)).time_zone
            counted: int = await work.tx.fetchval(FOLD, zone)
            if counted:
                work.ring("figures")
    except RETRYABLE:
        return True
    return counted == AT_ONCE


async def rebuild(tx: Tx, zone: str, first: date, last: date) -> int:
    """Counts the days again from the events; what comes in meanwhile is counted afterwards. Returns the rows written."""
    await tx.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
    begin, finish = bounds(zone, first, last)
    await tx.execute("delete from figure_day where day >= $1 and day <= $2", first, last)
    await tx.execute(
        "update conversation_event set counted = true where at >= $1 and at < $2 and not counted", begin, finish
    )
    done: str = await tx.execute(RECOUNT, zone, begin, finish)
    return int(done.split()[-1])


async def differences(tx: Tx, zone: str, first: date, last: date) -> list[Row]:
    """Rows of ``figure_day`` that are not what their events add up to, and what these do add up to."""
    begin, finish = bounds(zone, first, last)
    rows: list[Row] = await tx.fetch(DIFFERENCES, zone, begin, finish, first, last)
    return rows


def bounds(zone: str, first: date, last: date) -> tuple[datetime, datetime]:
    """From the first moment of ``first`` to the first one after ``last``."""
    where = ZoneInfo(zone)
    return (
        datetime.combine(first, time.min, where),
        datetime.combine(last + timedelta(days=1), time.min, where),
    )
