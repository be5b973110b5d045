"""What makes a plan begin, read from the stories of customers between two ids: each plan one statement."""

# ruff: noqa: S608 - made of constants; values are parameters
from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.sop.begin import Beginning, begin
from campaigns.sop.fitting import begins, came_by
from campaigns.sop.plans import Planned
from campaigns.sop.shapes import Added, Dated, Reached, Tagged
from customers.filtering import Arguments, Asking
from customers.tasks.times import day_of, moment
from scrm.services import Work

TAG = "t.kind = 'tag.added' and exists (select from jsonb_array_elements(t.data -> 'tags') x where (x ->> 'id')::bigint = any({ids}))"
STAGE = "t.kind = 'stage.changed' and t.object_id = any({ids})"
ADDED = "t.kind = 'contact.added' and exists (select from contact_link l where l.id = t.object_id and l.state = 'active' and {came})"


async def begin_by(work: Work, planned: Planned, lines: tuple[int, int], asking: Asking, zone: ZoneInfo) -> list[int]:
    """Lets a plan begin for those with whom it happened in these lines. Raises :class:`Unprocessable`."""
    start, arguments = planned.plan.start, Arguments()
    if isinstance(start, Dated):
        touched = f"select distinct customer_id from timeline where id > {arguments.add(lines[0], 'bigint')} and id <= {arguments.add(lines[1], 'bigint')}"
        return await begin_on(work, planned, day_of(work.now, zone), asking, zone, arguments, touched)
    happened = _happened(start, arguments)
    sql = f"""
select t.id, t.customer_id, least(t.at, {arguments.add(work.now, "timestamptz")}) as at, t.account_id
from timeline t join customer u on u.id = t.customer_id
where t.id > {arguments.add(lines[0], "bigint")} and t.id <= {arguments.add(lines[1], "bigint")} and {happened}
  and t.at >= {arguments.add(planned.enabled_at.replace(microsecond=0), "timestamptz")} and {begins(planned.plan, asking, arguments)} order by t.id
"""
    rows = await work.tx.fetch(sql, *arguments.values)
    whose = isinstance(start, Added)
    found = [
        Beginning(row["customer_id"], f"line:{row['id']}", row["at"], row["account_id"] if whose else None)
        for row in rows
    ]
    return await begin(work, planned, found, zone)


def _happened(start: Added | Tagged | Reached, arguments: Arguments) -> str:
    if isinstance(start, Tagged):
        return TAG.format(ids=arguments.add(list(start.tag_ids), "bigint[]"))
    if isinstance(start, Reached):
        return STAGE.format(ids=arguments.add(list(start.stage_ids), "bigint[]"))
    return ADDED.format(came=came_by(start, arguments))


async def begin_on(
    work: Work, planned: Planned, day: date, asking: Asking, zone: ZoneInfo, arguments: Arguments, among: str = ""
) -> list[int]:
    """Lets a plan begin for those whose date comes on this day (or ``days_before`` later). Raises :class:`Unprocessable`."""
    start = planned.plan.start
    assert isinstance(start, Dated)
    target = day + timedelta(days=start.days_before)
    value = f"u.fields ->> {arguments.add(start.field, 'text')}"
    if start.yearly:
        fits = f"right({value}, 6) = any({arguments.add(_ends(target), 'text[]')})"
    else:
        fits = f"{value} = {arguments.add(target.isoformat(), 'text')}"
    chosen = f"and u.id in ({among})" if among else ""
    sql = (
        f"select u.id from customer u where {fits} {chosen} and {begins(planned.plan, asking, arguments)} order by u.id"
    )
    rows = await work.tx.fetch(sql, *arguments.values)
    what = f"date:{target.year if start.yearly else target.isoformat()}"
    began_at = moment(day, datetime.min.time(), zone)
    return await begin(work, planned, [Beginning(row["id"], what, began_at) for row in rows], zone)


def _ends(day: date) -> list[str]:
    """``-06-01``; who was born on the 29th of February has their day on the 28th in other years."""
    ends = [f"-{day:%m-%d}"]
    if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
        ends.append("-02-29")
    return ends
