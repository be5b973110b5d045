"""Tasks that somebody is about to change: looked up within their reach, customer first, and held until the unit of work ends."""

from __future__ import annotations

from collections.abc import Sequence

from customers.changeable import hold_many
from customers.tasks.views import SHOWN, THERE, VISIBLE, arguments, may_change
from scrm.db import Row
from scrm.errors import Conflict, Forbidden, NotFound
from scrm.permissions import Principal
from scrm.services import Work

WHOSE = "select distinct customer_id from task where id = any($1::bigint[]) and customer_id is not null"
HOLD = f"{SHOWN} where t.id = any($5::bigint[]) and {THERE} and {VISIBLE} order by t.id for no key update of t"


async def hold_tasks(work: Work, principal: Principal, task_ids: Sequence[int]) -> list[Row]:
    """Those of them that the asker sees, by id."""
    await hold_many(work, [row["customer_id"] for row in await work.tx.fetch(WHOSE, list(task_ids))])
    rows: list[Row] = await work.tx.fetch(HOLD, *arguments(principal), list(task_ids))
    return rows


async def hold_task(work: Work, principal: Principal, task_id: int, version: int | None = None) -> Row:
    """Raises :class:`NotFound`, also for what the asker may not see, :class:`Forbidden` for what they see only, and
    :class:`Conflict` (``changed_meanwhile``) when it is not the version that they saw."""
    rows = await hold_tasks(work, principal, [task_id])
    if not rows:
        raise NotFound("There is no such task.")
    row = rows[0]
    if not may_change(principal, row):
        raise Forbidden("Only who does a task, who gave it, or a manager may change it.")
    if version is not None and row["version"] != version:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    return row
