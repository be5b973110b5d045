"""Moving a task on the calendar, giving it to somebody else, and saying it differently."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from customers.tasks.add import (
    check_moment,
    check_repeat,
    due_moment,
    taker,
    tell_doer,
    values_of,
)
from customers.tasks.due import recompute_due
from customers.tasks.hold import hold_task
from customers.tasks.repeat import Repeat, stored
from customers.tasks.times import remind_moment
from customers.tasks.views import Before, Words
from scrm.company import FACTS
from scrm.db import Row
from scrm.errors import Conflict
from scrm.permissions import Principal
from scrm.services import Work
from scrm.undo import Step, remember
from scrm.views import Id, Input

UNDO = "tasks.changed"

SAVE = """
update task set text = $2, kind = $3, due_at = $4, all_day = $5, agent_id = $6, remind_before = $7, remind_at = $8, repeat = $9,
  updated_at = $10, version = version + 1 where id = $1 returning version
"""


class TaskChange(Input):
    """What is given is changed. ``version``: the one that was seen; another one is refused. ``repeat`` null ends the series."""

    version: Annotated[int, Field(ge=1)]
    text: Words | None = None
    kind: Annotated[str, Field(max_length=40)] | None = None
    due_at: AwareDatetime | None = None
    all_day: bool | None = None
    agent_id: Id | None = None
    remind_before: Before | None = None
    repeat: Repeat | None = None


async def change(work: Work, principal: Principal, task_id: int, wanted: TaskChange) -> Step | None:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict` (``changed_meanwhile``, ``task_closed``),
    :class:`Unprocessable`."""
    row = await hold_task(work, principal, task_id, wanted.version)
    if row["state"] != "open":
        raise Conflict("This task is done or cancelled; open it again first.", code="task_closed")
    given = wanted.model_fields_set
    zone = (await FACTS.load(work.tx)).clock
    all_day = row["all_day"] if wanted.all_day is None else wanted.all_day
    due_at = row["due_at"]
    moved = wanted.due_at is not None or all_day != row["all_day"]
    if moved:
        due_at = due_moment(wanted.due_at or row["due_at"], all_day=all_day, zone=zone)
        check_moment(work, due_at)
    before = wanted.remind_before if "remind_before" in given else row["remind_before"]
    remind_at = row["remind_at"]
    if moved or "remind_before" in given:
        remind_at = remind_moment(due_at, all_day=all_day, before=before, zone=zone, now=work.now)
    repeat: dict[str, Any] | None = row["repeat"]
    if "repeat" in given:
        await check_repeat(work, wanted.repeat)
        repeat = None if wanted.repeat is None else stored(wanted.repeat, due_at, zone)
    agent_id = row["agent_id"] if wanted.agent_id is None else wanted.agent_id
    doer = await taker(work, principal, agent_id) if agent_id != row["agent_id"] else None
    version = await work.tx.fetchval(
        SAVE,
        task_id,
        row["text"] if wanted.text is None else wanted.text,
        row["kind"] if wanted.kind is None else wanted.kind,
        due_at,
        all_day,
        agent_id,
        before,
        remind_at,
        repeat,
        work.now,
    )
    if doer is not None and doer.agent_id != principal.agent_id:
        await tell_doer(work, principal, doer, task_id, row["customer_id"], f"given:{task_id}:{version}")
    await told(work, [row], agent_id)
    if not moved and doer is None:
        return None
    return await remember(work, principal, UNDO, {"tasks": [{**values_of(row), "version": version}]})


async def told(work: Work, rows: list[Row], *more: int | None) -> None:
    """After a change: what is due next of the customers, and the pages of those whose tasks they are."""
    await recompute_due(work, [row["customer_id"] for row in rows])
    work.ring("task", *{one for one in (*(row["agent_id"] for row in rows), *more) if one is not None})
