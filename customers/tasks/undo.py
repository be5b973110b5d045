"""Taking back a change of tasks: each is as it was, if nobody changed it meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from customers.changeable import hold_many
from customers.follow_ups.count import recount
from customers.tasks.due import recompute_due
from customers.tasks.finish import UNMADE
from scrm.errors import Conflict
from scrm.permissions import CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.undo import Kind, Undone

WHOSE = "select distinct customer_id from task where id = any($1::bigint[]) and customer_id is not null"
RESTORE = """
update task t set due_at = w.due_at, all_day = w.all_day, state = w.state, agent_id = w.agent_id, repeat = w.repeat,
  remind_before = w.remind_before, remind_at = w.remind_at, done_at = w.done_at, done_by_id = w.done_by_id, updated_at = $2,
  version = t.version + 1
from jsonb_to_recordset($1::jsonb) w (id bigint, version bigint, due_at timestamptz, all_day boolean, state text, agent_id bigint,
  repeat jsonb, remind_before int, remind_at timestamptz, done_at timestamptz, done_by_id bigint), task old
where t.id = w.id and t.version = w.version and old.id = t.id
returning t.id, t.customer_id, t.agent_id, old.agent_id as was_with, t.state
"""
UNTELL = """
update follow_up set deleted_at = $2 where id = $1 and agent_id = $3 and deleted_at is null and edited_at is null returning customer_id
"""


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Reminders that have passed meanwhile do not come again. The follow-up that told of it goes, and the next of a series too."""
    tasks = data["tasks"]
    ids = [one["id"] for one in tasks]
    customers = [row["customer_id"] for row in await work.tx.fetch(WHOSE, ids)]
    await hold_many(work, customers)
    for one in tasks:
        if one["remind_at"] is not None and datetime.fromisoformat(one["remind_at"]) <= work.now:
            one["remind_at"] = None
    rows = await work.tx.fetch(RESTORE, tasks, work.now)
    if not rows:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    opened = [row["id"] for row in rows if row["state"] == "open"]
    await work.tx.execute(UNMADE, opened)
    if data.get("follow_up_id") is not None:
        told = await work.tx.fetchval(UNTELL, data["follow_up_id"], work.now, principal.agent_id)
        if told is not None:
            await recount(work, [told])
    await recompute_due(work, customers)
    work.ring("task", *{one for row in rows for one in (row["agent_id"], row["was_with"]) if one is not None})
    return Undone(restored=len(rows), skipped=len(tasks) - len(rows))


def undo_kinds() -> dict[str, Kind]:
    return {"tasks.changed": Kind(CUSTOMERS_WRITE, restore)}
