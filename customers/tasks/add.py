"""A new task: one's own, or one for a colleague."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from customers.changeable import hold
from customers.let_in import colleagues, let_in
from customers.tasks.due import recompute_due
from customers.tasks.repeat import Anniversary, Every, stored
from customers.tasks.times import day_of, end_of_day, remind_moment
from customers.tasks.views import NewTask, TaskInput
from customers.timeline import Line, tell
from scrm.company import FACTS
from scrm.errors import Conflict, Forbidden, Unprocessable
from scrm.notices import notify
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_WRITE, Principal
from scrm.services import Work

GRACE = timedelta(minutes=5)
FARTHEST = timedelta(days=3660)

INSERT = """
insert into task (customer_id, agent_id, text, kind, due_at, all_day, repeat, remind_before, remind_at, follow_up_id, created_by,
  client_token, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
on conflict (created_by, client_token) where client_token is not null do nothing returning id
"""
KNOWN = "select id, customer_id from task where created_by = $1 and client_token = $2"
FIELD = "select kind from custom_field where key = $1 and archived_at is null"


async def add(work: Work, principal: Principal, new: TaskInput) -> tuple[int, bool]:
    """Returns its id and whether it is new: the same ``client_token`` is the same task, however often it comes.

    Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    customer = await hold(work, principal, new.customer_id) if new.customer_id is not None else None
    customer_id = customer["id"] if customer is not None else None
    if customer is None and isinstance(new.repeat, Anniversary):
        raise Unprocessable("A date of nobody comes never.", fields={"repeat": "Choose a customer first."})
    task_id = await write(work, principal, customer_id, new, client_token=new.client_token)
    if task_id is None:
        known = await work.tx.fetchrow(KNOWN, principal.agent_id, new.client_token)
        if known is None or known["customer_id"] != customer_id:
            raise Conflict("This token was used for another task.", code="token_used")
        return known["id"], False
    if customer_id is not None:
        await tell(work, [
            Line(customer_id, "task.added", agent_id=principal.agent_id, object_kind="task", object_id=task_id,
                 data={"due_at": new.due_at.isoformat()})
        ])  # fmt: skip
        await recompute_due(work, [customer_id])
    return task_id, True


async def write(
    work: Work,
    principal: Principal,
    customer_id: int | None,
    new: NewTask,
    *,
    follow_up_id: int | None = None,
    client_token: str | None = None,
) -> int | None:
    """The row, and what its doer is told. The caller holds the customer, sums up what is due, and tells its story. None: the token
    is known."""
    agent_id = principal.agent_id if new.agent_id is None else new.agent_id
    zone = (await FACTS.load(work.tx)).clock
    due_at = due_moment(new.due_at, all_day=new.all_day, zone=zone)
    check_moment(work, due_at)
    await check_repeat(work, new.repeat)
    doer = await taker(work, principal, agent_id)
    task_id: int | None = await work.tx.fetchval(
        INSERT,
        customer_id,
        agent_id,
        new.text,
        new.kind,
        due_at,
        new.all_day,
        None if new.repeat is None else stored(new.repeat, due_at, zone),
        new.remind_before,
        remind_moment(due_at, all_day=new.all_day, before=new.remind_before, zone=zone, now=work.now),
        follow_up_id,
        principal.agent_id,
        client_token,
        work.now,
    )
    if task_id is None:
        return None
    work.ring("task", agent_id)
    if doer.agent_id != principal.agent_id:
        await tell_doer(work, principal, doer, task_id, customer_id, f"given:{task_id}:1")
    return task_id


async def taker(work: Work, principal: Principal, agent_id: int) -> Principal:
    """Who shall do it. Raises :class:`Forbidden` for a colleague that the asker may not give work to, :class:`Unprocessable` for
    one who cannot do it."""
    if agent_id == principal.agent_id:
        return principal
    if not principal.may(CUSTOMERS_ASSIGN) or principal.reach == "own":
        raise Forbidden("You may only plan your own tasks.")
    found = (await colleagues(work, [agent_id])).get(agent_id)
    if found is None or not found.may(CUSTOMERS_WRITE):
        raise Unprocessable("This person cannot do tasks.", fields={"agent_id": "Choose an active colleague."})
    if principal.reach == "team" and not set(principal.team_ids) & set(found.team_ids):
        raise Forbidden("This colleague is not of your teams.")
    return found


async def tell_doer(
    work: Work, principal: Principal, doer: Principal, task_id: int, customer_id: int | None, key: str
) -> None:
    """A colleague has a task now; they see its customer from now on."""
    if customer_id is not None:
        await let_in(work, customer_id, [doer], by_id=principal.agent_id)
    await notify(
        work, [doer.agent_id], "task_given", key, customer_id=customer_id, task_id=task_id, by=principal.agent_id
    )


async def check_repeat(work: Work, repeat: Every | Anniversary | None) -> None:
    if isinstance(repeat, Anniversary) and await work.tx.fetchval(FIELD, repeat.field) != "date":
        raise Unprocessable("There is no such date field.", fields={"repeat": "Choose a date field."})


def check_moment(work: Work, due_at: datetime) -> None:
    """Raises :class:`Unprocessable` for what has passed."""
    if not work.now - GRACE <= due_at <= work.now + FARTHEST:
        raise Unprocessable("Choose a moment in the future.", fields={"due_at": "It has passed, or is too far away."})


def due_moment(at: datetime, *, all_day: bool, zone: ZoneInfo) -> datetime:
    return end_of_day(day_of(at, zone), zone) if all_day else at


def values_of(row: Any) -> dict[str, Any]:
    """What undoing needs to know of a task before it was changed."""
    names = ("due_at", "remind_at", "done_at")
    return {
        **{name: None if row[name] is None else row[name].isoformat() for name in names},
        **{name: row[name] for name in ("id", "all_day", "state", "agent_id", "repeat", "remind_before", "done_by_id")},
    }
