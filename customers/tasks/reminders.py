"""Reminders: what is due to be told is told once, whichever process dies, and however many look.

Each round takes the people who have something coming whom nobody else has taken (their row is held), and in one unit of work marks
their tasks told and writes the notices. What is late because nobody worked for a while (or the person was away) is told in one
notice for all of it, not in a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from scrm.db import Row
from scrm.notices import notify
from scrm.services import Services, Work

LATE = timedelta(minutes=10)
PEOPLE_AT_ONCE = 50

PEOPLE = """
select a.id from agent a where a.disabled_at is null and exists (
  select from task t where t.agent_id = a.id and t.state = 'open' and t.remind_at <= $1)
and a.id in (select distinct t.agent_id from task t where t.state = 'open' and t.remind_at <= $1)
order by a.id limit $2 for no key update of a skip locked
"""
CLAIM = """
update task t set reminded_at = $2, remind_at = null from task old left join customer u on u.id = old.customer_id
where old.id = t.id and t.agent_id = any($1::bigint[]) and t.state = 'open' and t.remind_at <= $2
returning t.id, t.agent_id, t.customer_id, t.version, old.remind_at as wanted_at,
  u.id is null or u.deleted_at is null as there
"""


async def remind_due(services: Services) -> bool:
    """True: there may be more."""
    async with services.work() as work:
        people = [row["id"] for row in await work.tx.fetch(PEOPLE, work.now, PEOPLE_AT_ONCE)]
        if not people:
            return False
        told: dict[int, list[Row]] = defaultdict(list)
        for row in await work.tx.fetch(CLAIM, people, work.now):
            if row["there"]:
                told[row["agent_id"]].append(row)
        for agent_id, rows in told.items():
            await _tell(work, agent_id, sorted(rows, key=lambda row: (row["wanted_at"], row["id"])))
        work.ring("task", *told)
    return len(people) == PEOPLE_AT_ONCE


async def _tell(work: Work, agent_id: int, rows: list[Row]) -> None:
    late = [row for row in rows if work.now - row["wanted_at"] > LATE]
    if len(late) > 1:
        key = f"late:{late[0]['id']}:{late[0]['wanted_at'].isoformat()}"
        await notify(work, [agent_id], "task_due", key, data={"count": len(late), "late": True})
    for row in rows if len(late) <= 1 else rows[len(late) :]:
        key = f"task:{row['id']}:{row['wanted_at'].isoformat()}"
        await notify(work, [agent_id], "task_due", key, task_id=row["id"], customer_id=row["customer_id"])
