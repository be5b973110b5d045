"""Who did what, added up from the rows themselves by one statement: nothing is kept that could differ from them.

$1 the zone, $2 and $3 from when to when, $4 the unit, $5 whose (null: everybody's), $6 now. Each part reads its own stretch of an
index by time, so a report costs what happened in its days, whatever happened before.
"""

from __future__ import annotations

_WHOSE = "($5::bigint[] is null or {who} = any($5))"
_BUCKET = "date_trunc($4, {at} at time zone $1)::date"
_SETS = "grouping sets ((agent_id, bucket), (agent_id), (bucket), ())"


def _part(table: str, who: str, at: str, where: str) -> str:
    counted = "t.customer_id" if table.startswith("follow_up") else "null::bigint"
    return (
        f"select {who} as agent_id, {_BUCKET.format(at=at)} as bucket, {counted} as customer_id from {table} "  # noqa: S608
        f"where {at} >= $2 and {at} < $3 and {who} is not null and {_WHOSE.format(who=who)} and {where}"
    )


WRITER = "coalesce(t.created_by, t.owner_id)"
FOLLOW_UPS = _part("follow_up t", "t.agent_id", "t.at", "t.deleted_at is null")
NEW_CUSTOMERS = _part("customer t", WRITER, "t.created_at", "t.merged_into is null and t.deleted_at is null")
TASKS_DONE = _part("task t", "t.agent_id", "t.done_at", "t.state = 'done'")
LATE_OPEN = _part("task t", "t.agent_id", "t.due_at", "t.state = 'open' and t.due_at < $6")
LATE_DONE = _part("task t", "t.agent_id", "t.due_at", "t.state = 'done' and t.done_at > t.due_at")

SUMS = f"""
select 'follow_ups' as what, agent_id, bucket, grouping(agent_id) + 2 * grouping(bucket) as level, count(*) as n,
  count(distinct customer_id) as touched from ({FOLLOW_UPS}) x group by {_SETS}
union all
select 'new_customers', agent_id, bucket, grouping(agent_id) + 2 * grouping(bucket), count(*), 0
from ({NEW_CUSTOMERS}) x group by {_SETS}
union all
select 'tasks_done', agent_id, bucket, grouping(agent_id) + 2 * grouping(bucket), count(*), 0
from ({TASKS_DONE}) x group by {_SETS}
union all
select 'tasks_overdue', agent_id, bucket, grouping(agent_id) + 2 * grouping(bucket), count(*), 0
from ({LATE_OPEN} union all {LATE_DONE}) x group by {_SETS}
"""  # noqa: S608 - made of constants
