"""Sums by day, counted again from the customers themselves whenever something of a day changed.

A day is deleted and added up anew in one unit of work, so readers see the sums before or after, and whatever was counted too late is
counted with the next change. Customers that were merged or lie in the recycle bin do not count, on any day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from customers.reports.due import waiting_hours
from scrm.company import FACTS
from scrm.db import RETRYABLE, Row, Tx
from scrm.services import Services

LOCK_KEY = 7_226_042
DAYS_AT_ONCE = 31

TAKE = """
delete from report_due where id in (select id from report_due order by id limit 20000 for update skip locked) returning hour
"""
_DAYS = "unnest($1::date[], $2::timestamptz[], $3::timestamptz[]) d (day, begin, finish)"
_LIVE = "u.merged_into is null and u.deleted_at is null"
# Both halves name the day themselves; a customer made and gone on one day counts in both.
CUSTOMERS = f"""
select day, owner_id, source, sum(made)::int as made, sum(gone)::int as gone from (
  select d.day, coalesce(u.owner_id, 0) as owner_id, u.source, 1 as made, 0 as gone
  from {_DAYS} join customer u on u.created_at >= d.begin and u.created_at < d.finish and {_LIVE}
  union all
  select d.day, coalesce(u.owner_id, 0), u.source, 0, 1
  from {_DAYS} join contact_link l on l.state = 'deleted_by_contact' and l.ended_at >= d.begin and l.ended_at < d.finish
    join contact k on k.id = l.contact_id join customer u on u.id = k.customer_id and {_LIVE}
) one group by 1, 2, 3
"""  # noqa: S608 - made of constants
COHORTS = f"""
select d.day, coalesce(u.owner_id, 0) as owner_id, coalesce(f.id, 0) as stage_id, count(*)::int as n,
  count(*) filter (where s.kind = 'lost')::int as lost
from {_DAYS} join customer u on u.created_at >= d.begin and u.created_at < d.finish and {_LIVE}
left join stage s on s.id = u.stage_id
left join lateral (
  select t.id from stage t where t.kind <> 'lost' and (t.id = u.stage_id or exists (
    select from stage_history h where h.customer_id = u.id and h.to_id = t.id)) order by t.position desc, t.id desc limit 1
) f on true
group by 1, 2, 3
"""  # noqa: S608 - made of constants
MOVES = f"""
select d.day, coalesce(h.owner_id, 0) as owner_id, coalesce(h.from_id, 0) as from_id, coalesce(h.to_id, 0) as to_id,
  count(*)::int as n, sum(h.seconds)::bigint as seconds
from {_DAYS} join stage_history h on h.at >= d.begin and h.at < d.finish join customer u on u.id = h.customer_id and {_LIVE}
group by 1, 2, 3, 4
"""  # noqa: S608 - made of constants
TABLES = {
    "customer_day": ("day, owner_id, source, made, gone", CUSTOMERS),
    "stage_cohort": ("day, owner_id, stage_id, n, lost", COHORTS),
    "stage_day": ("day, owner_id, from_id, to_id, n, seconds", MOVES),
}
ALL_DAYS = """
select distinct (at at time zone $1)::date as day from (
  select created_at as at from customer union all select at from stage_history
  union all select ended_at from contact_link where state = 'deleted_by_contact' and ended_at is not null
) moments
union select day from customer_day union select day from stage_cohort union select day from stage_day order by 1
"""


async def fold(services: Services) -> bool:
    """A round: adds up anew some of the days that are due. True: there are more."""
    try:
        async with services.work() as work:
            if not await work.tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
                return False
            rows = await work.tx.fetch(TAKE)
            if not rows:
                return False
            zone = (await FACTS.load(work.tx)).clock
            due = sorted({row["hour"].astimezone(zone).date() for row in rows}, reverse=True)
            now, later = due[:DAYS_AT_ONCE], due[DAYS_AT_ONCE:]
            await count(work.tx, zone, now)
            # The newest first; the others wait for the next round.
            await work.tx.execute(
                "insert into report_due (hour) select * from unnest($1::timestamptz[])",
                [datetime.combine(day, time(12), zone) for day in later],
            )
    except RETRYABLE:
        return True
    return bool(later)


async def count(tx: Tx, zone: ZoneInfo, days: Sequence[date]) -> None:
    """Adds these days up anew."""
    arguments = bounds(zone, days)
    for table, (columns, sql) in TABLES.items():
        await tx.execute(f"delete from {table} where day = any($1::date[])", arguments[0])  # noqa: S608 - two constants
        await tx.execute(f"insert into {table} ({columns}) {sql}", *arguments)


def bounds(zone: ZoneInfo, days: Sequence[date]) -> tuple[list[date], list[datetime], list[datetime]]:
    days = list(days)
    begins = [datetime.combine(day, time(), zone) for day in days]
    return days, begins, [datetime.combine(day + timedelta(days=1), time(), zone) for day in days]


@dataclass(frozen=True, slots=True)
class Compared:
    days: int
    waiting: int
    """Days that the next rounds will add up anyway."""
    differences: list[tuple[str, str, str, str]]


async def rebuild(services: Services) -> None:
    """Adds every day up anew, also those that a changed time zone has moved."""
    zone = (await FACTS.load(services.db)).clock
    days = [row["day"] for row in await services.db.fetch(ALL_DAYS, zone.key)]
    for start in range(0, len(days), DAYS_AT_ONCE):
        async with services.work() as work:
            await work.tx.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
            await count(work.tx, zone, days[start : start + DAYS_AT_ONCE])


async def compare(tx: Tx) -> Compared:
    """Whether the sums are what the customers add up to, but for days that wait to be added up anew. To be read in one moment."""
    zone = (await FACTS.load(tx)).clock
    waiting = {hour.astimezone(zone).date() for hour in await waiting_hours(tx)}
    days = [row["day"] for row in await tx.fetch(ALL_DAYS, zone.key) if row["day"] not in waiting]
    found: list[tuple[str, str, str, str]] = []
    for start in range(0, len(days), DAYS_AT_ONCE):
        part = days[start : start + DAYS_AT_ONCE]
        for table, (columns, sql) in TABLES.items():
            told = f"select {columns} from {table} where day = any($1::date[])"  # noqa: S608 - made of constants
            rows: list[Row] = await tx.fetch(
                f"with told as ({told}), really as ({sql}) select 'sums' as told_by, * from (table told except table really) t "  # noqa: S608
                "union all select 'customers', * from (table really except table told) r",
                *bounds(zone, part),
            )
            found += [(table, str(row["day"]), f"{row['told_by']} say", _said(row)) for row in rows]
    return Compared(len(days), len(waiting), found)


def _said(row: Row) -> str:
    values: dict[str, Any] = {name: value for name, value in row.items() if name not in ("told_by", "day")}
    return ", ".join(f"{name} {value}" for name, value in values.items())
