"""Many tasks at once: moved to a moment or by days, given to somebody, done, or cancelled. What cannot be is left and counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, model_validator

from customers.tasks.add import check_moment, due_moment, taker, values_of
from customers.tasks.change import UNDO, told
from customers.tasks.finish import make_next
from customers.tasks.hold import hold_tasks
from customers.tasks.times import day_of, end_of_day, moment, remind_moment
from customers.tasks.views import may_change
from customers.timeline import Line, tell
from scrm.company import FACTS
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.notices import notify
from scrm.permissions import Principal
from scrm.services import Work
from scrm.undo import Step, remember
from scrm.views import Id, Input, View

MOST = 500

SAVE = """
update task t set due_at = w.due_at, all_day = w.all_day, remind_at = w.remind_at, updated_at = $5, version = t.version + 1
from unnest($1::bigint[], $2::timestamptz[], $3::boolean[], $4::timestamptz[]) w (id, due_at, all_day, remind_at)
where t.id = w.id
"""
GIVE = "update task set agent_id = $2, updated_at = $3, version = version + 1 where id = any($1::bigint[])"
CLOSE = """
update task set state = $2, done_at = $3, updated_at = $3, version = version + 1 where id = any($1::bigint[])
"""
BLIND = """
update customer set readers = array_append(readers, $2), version = version + 1, updated_at = $3
where id = any($1::bigint[]) and owner_id is distinct from $2 and not ($2 = any(readers || writers))
"""


class TasksChange(Input):
    """``move``: to ``due_at``, or by ``days`` at the same time of day. ``give``: to ``agent_id``."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]
    act: Literal["move", "give", "done", "cancel"]
    due_at: AwareDatetime | None = None
    all_day: bool | None = None
    days: Annotated[int, Field(ge=1, le=366)] | None = None
    agent_id: Id | None = None

    @model_validator(mode="after")
    def _whole(self) -> TasksChange:
        if self.act == "move" and (self.due_at is None) == (self.days is None):
            raise ValueError("Give one of due_at and days.")
        if self.act == "give" and self.agent_id is None:
            raise ValueError("Give agent_id.")
        return self


class TasksChanged(View):
    """``skipped``: those that are not open, or not the asker's to change."""

    changed: int
    skipped: int


async def change_many(work: Work, principal: Principal, wanted: TasksChange) -> tuple[TasksChanged, Step | None]:
    """Raises :class:`Forbidden`, :class:`Unprocessable`; never half of them."""
    ids = sorted(set(wanted.ids))
    doer = await taker(work, principal, wanted.agent_id) if wanted.act == "give" and wanted.agent_id else None
    rows = [
        row
        for row in await hold_tasks(work, principal, ids)
        if row["state"] == "open" and may_change(principal, row) and not (doer and row["agent_id"] == doer.agent_id)
    ]
    counted = TasksChanged(changed=len(rows), skipped=len(ids) - len(rows))
    if not rows:
        return counted, None
    if wanted.act == "move":
        await _move(work, rows, wanted)
    elif doer is not None:
        await _give(work, principal, rows, doer)
    else:
        await _close(work, principal, rows, "done" if wanted.act == "done" else "cancelled")
    await told(work, rows, doer.agent_id if doer else None)
    data = {"tasks": [{**values_of(row), "version": row["version"] + 1} for row in rows]}
    return counted, await remember(work, principal, UNDO, data, count=len(rows))


async def _move(work: Work, rows: list[Row], wanted: TasksChange) -> None:
    zone = (await FACTS.load(work.tx)).clock
    moved: list[tuple[int, datetime, bool, datetime | None]] = []
    for row in rows:
        all_day = row["all_day"] if wanted.all_day is None else wanted.all_day
        due_at = (
            due_moment(wanted.due_at, all_day=all_day, zone=zone)
            if wanted.due_at is not None
            else _later(row["due_at"], wanted.days or 1, all_day=all_day, zone=zone, now=work.now)
        )
        remind_at = remind_moment(due_at, all_day=all_day, before=row["remind_before"], zone=zone, now=work.now)
        moved.append((row["id"], due_at, all_day, remind_at))
    for _, due_at, _, _ in moved[:1] if wanted.due_at is not None else ():
        check_moment(work, due_at)
    columns: list[list[Any]] = [list(column) for column in zip(*moved, strict=True)]
    await work.tx.execute(SAVE, *columns, work.now)


def _later(due_at: datetime, days: int, *, all_day: bool, zone: Any, now: datetime) -> datetime:
    """The same time of day, ``days`` after it was due; what is late, ``days`` after today."""
    local = due_at.astimezone(zone)
    try:
        day = max(local.date(), day_of(now, zone)) + timedelta(days=days)
        return end_of_day(day, zone) if all_day else moment(day, local.time(), zone).astimezone(UTC)
    except OverflowError as error:
        raise Unprocessable("That is too far away.", fields={"days": "Choose fewer days."}) from error


async def _give(work: Work, principal: Principal, rows: list[Row], doer: Principal) -> None:
    ids = [row["id"] for row in rows]
    await work.tx.execute(GIVE, ids, doer.agent_id, work.now)
    customers = sorted({row["customer_id"] for row in rows if row["customer_id"] is not None})
    await work.tx.execute(BLIND, customers, doer.agent_id, work.now)
    if doer.agent_id != principal.agent_id:
        key = f"given:{ids[0]}:{rows[0]['version'] + 1}:{len(ids)}"
        only = rows[0] if len(rows) == 1 else None
        await notify(
            work, [doer.agent_id], "task_given", key, by=principal.agent_id, data={"count": len(ids)},
            task_id=only["id"] if only else None, customer_id=only["customer_id"] if only else None,
        )  # fmt: skip


async def _close(work: Work, principal: Principal, rows: list[Row], state: str) -> None:
    await work.tx.execute(CLOSE, [row["id"] for row in rows], state, work.now)
    if state == "done":
        for row in rows:
            await make_next(work, row)
    kind = f"task.{state}"
    await tell(work, [
        Line(row["customer_id"], kind, agent_id=principal.agent_id, object_kind="task", object_id=row["id"])
        for row in rows if row["customer_id"] is not None
    ])  # fmt: skip
