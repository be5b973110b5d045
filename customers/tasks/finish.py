"""Done, or not to be done: a task that comes again makes the next one as it is done, once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from customers.tasks.add import values_of
from customers.tasks.change import UNDO, told
from customers.tasks.hold import hold_task
from customers.tasks.repeat import following
from customers.tasks.times import remind_moment
from customers.timeline import Line, tell
from scrm.company import FACTS
from scrm.db import Row
from scrm.errors import Conflict
from scrm.permissions import Principal
from scrm.services import Work
from scrm.undo import Step, remember
from scrm.views import Input

CLOSE = """
update task set state = $2, done_at = $3, done_by_id = $4, updated_at = $3, version = version + 1 where id = $1 returning version
"""
REOPEN = """
update task set state = 'open', done_at = null, done_by_id = null, remind_at = $3, updated_at = $2, version = version + 1
where id = $1 returning version
"""
NEXT = """
insert into task (customer_id, agent_id, text, kind, due_at, all_day, repeat, remind_before, remind_at, created_by, previous_id,
  created_at, updated_at)
select t.customer_id, t.agent_id, t.text, t.kind, $2, t.all_day, $3, t.remind_before, $4, t.created_by, t.id, $5, $5
from task t where t.id = $1
on conflict (previous_id) where previous_id is not null do nothing returning id
"""
FIELDS = "select fields from customer where id = $1"
UNMADE = """
delete from task n where n.previous_id = any($1::bigint[]) and n.state = 'open' and n.version = 1 and n.reminded_at is null
"""


class Closing(Input):
    """``version``: the one that was seen; another one is refused."""

    version: Annotated[int, Field(ge=1)]


async def finish(
    work: Work, principal: Principal, task_id: int, version: int | None, *, follow_up_id: int | None = None
) -> Step | None:
    """It is done, perhaps told in a follow-up. One that is done already stays as it is, however often this is asked.

    Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict` (``changed_meanwhile``, ``task_closed``)."""
    row = await hold_task(work, principal, task_id)
    if row["state"] == "done":
        return None
    _must_be_open(row, version)
    step = await _close(work, principal, row, "done", follow_up_id)
    await make_next(work, row)
    if row["customer_id"] is not None and follow_up_id is None:
        await tell(work, [_line(principal, row, "task.done")])
    await told(work, [row])
    return step


async def cancel(work: Work, principal: Principal, task_id: int, version: int) -> Step | None:
    """It will not be done; a series ends with it. Again is harmless. Raises as :func:`finish`."""
    row = await hold_task(work, principal, task_id)
    if row["state"] == "cancelled":
        return None
    _must_be_open(row, version)
    step = await _close(work, principal, row, "cancelled", None)
    if row["customer_id"] is not None:
        await tell(work, [_line(principal, row, "task.cancelled")])
    await told(work, [row])
    return step


async def reopen(work: Work, principal: Principal, task_id: int, version: int) -> None:
    """What was done or cancelled is open again; the next one of its series goes, if nobody touched it. Again is harmless."""
    row = await hold_task(work, principal, task_id)
    if row["state"] == "open":
        return
    if row["version"] != version:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    zone = (await FACTS.load(work.tx)).clock
    remind_at = remind_moment(
        row["due_at"], all_day=row["all_day"], before=row["remind_before"], zone=zone, now=work.now
    )
    await work.tx.execute(REOPEN, task_id, work.now, remind_at)
    await work.tx.execute(UNMADE, [task_id])
    await told(work, [row])


async def make_next(work: Work, row: Row) -> int | None:
    """The next of a series, by the same hands. The unique ``previous_id`` lets there be one, whoever else does this task."""
    if row["repeat"] is None:
        return None
    zone = (await FACTS.load(work.tx)).clock
    fields: dict[str, Any] = {}
    if row["customer_id"] is not None:
        fields = await work.tx.fetchval(FIELDS, row["customer_id"]) or {}
    found = following(row["repeat"], all_day=row["all_day"], zone=zone, now=work.now, fields=fields)
    if found is None:
        return None
    due_at, repeat = found
    made: int | None = await work.tx.fetchval(
        NEXT, row["id"], due_at, repeat, _reminder(row, due_at, zone, work.now), work.now
    )
    return made


def _reminder(row: Row, due_at: datetime, zone: Any, now: datetime) -> datetime | None:
    return remind_moment(due_at, all_day=row["all_day"], before=row["remind_before"], zone=zone, now=now)


async def _close(work: Work, principal: Principal, row: Row, state: str, follow_up_id: int | None) -> Step:
    version = await work.tx.fetchval(CLOSE, row["id"], state, work.now, follow_up_id)
    return await remember(
        work, principal, UNDO, {"tasks": [{**values_of(row), "version": version}], "follow_up_id": follow_up_id}
    )


def _must_be_open(row: Row, version: int | None) -> None:
    if version is not None and row["version"] != version:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    if row["state"] != "open":
        raise Conflict("This task is done or cancelled; open it again first.", code="task_closed")


def _line(principal: Principal, row: Row, kind: str) -> Line:
    return Line(row["customer_id"], kind, agent_id=principal.agent_id, object_kind="task", object_id=row["id"])
