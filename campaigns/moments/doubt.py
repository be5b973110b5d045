"""Moments of which nobody knows whether the platform took them. Its list is asked; it is never guessed.

A moment is made by a job of the platform, so it may show in the list a good while after the call: only a list that was read an hour later and
does not hold it says that it was not made. Then it is called again. While the list cannot be read nothing happens, and after two days a
person has to decide.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from scrm.channel_campaigns import Moments, TaskRef
from scrm.db import Row
from scrm.errors import SendError
from scrm.services import Services

log = logging.getLogger(__name__)

SETTLES = timedelta(hours=1)
GIVE_UP = timedelta(hours=48)
SLACK = timedelta(minutes=5)
"""Clocks differ."""

DUE = "select * from moment_task where state = 'doubt' and due_at <= $1 order by due_at, id limit 1"
# Whoever looks holds it for a while; later looks are rarer.
HOLD = """
update moment_task set due_at = $2::timestamptz + greatest(interval '30 seconds', ($2 - called_at) / 10)
where id = $1 and state = 'doubt' and due_at <= $2 returning id
"""
KNOWN = "select moment_id from moment_task where connection_id = $1 and moment_id = any($2::text[])"
OURS = "select a.external_id from moment_post p join account a on a.id = p.account_id where p.task_id = $1"
FOUND = """
update moment_task set state = 'open', moment_id = $2, made_at = $3, look_at = $4, reason = null where id = $1 and state = 'doubt' returning id
"""
ASKED = "update moment_post set state = 'asked' where task_id = $1 and state = 'planned'"
NOT_MADE = "update moment_task set state = 'queued', due_at = $2, called_at = null where id = $1 and state = 'doubt'"
UNKNOWN = "update moment_task set state = 'uncertain', finished_at = $2 where id = $1 and state = 'doubt' returning id"
ALL_UNKNOWN = "update moment_post set state = 'uncertain' where task_id = $1 and state in ('planned', 'asked')"


async def resolve(services: Services) -> bool:
    """One task in doubt. True: there may be more."""
    now = services.clock.now()
    task = await services.db.fetchrow(DUE, now)
    if task is None:
        return False
    if await services.db.fetchval(HOLD, task["id"], now) is None:
        return True
    loaded = services.connections.held(task["connection_id"])
    age = now - task["called_at"]
    if loaded is None or not isinstance(loaded.adapter, Moments):
        await _give_up(services, task, late=age > GIVE_UP)
        return True
    try:
        found = await _look(services, loaded.adapter, task)
    except SendError as error:
        log.info("moment task %s stays in doubt: %s", task["id"], error)
        await _give_up(services, task, late=age > GIVE_UP)
        return True
    async with services.work() as work:
        if found is not None:
            await work.tx.execute(FOUND, task["id"], found.task_id, found.made_at, work.now)
            await work.tx.execute(ASKED, task["id"])
        elif age > SETTLES:
            await work.tx.execute(NOT_MADE, task["id"], now)
        work.ring("campaign", task["campaign_id"])
        work.ring("moment", task["run_id"])
    return True


async def _look(services: Services, adapter: Moments, task: Row) -> TaskRef | None:
    """The moment that this task's call made, if it made one: with its words, for its members, and nobody else's. Raises
    :class:`SendError` while the platform does not tell."""
    since, until = task["called_at"] - SLACK, services.clock.now() + SLACK
    listed: list[TaskRef] = []
    cursor = ""
    while True:
        page, cursor = await adapter.moments(since=since, until=until, cursor=cursor)
        listed += [one for one in page if one.text.strip() == task["text"].strip() and one.made_at >= since]
        if not cursor:
            break
    known = await services.db.fetch(KNOWN, task["connection_id"], [one.task_id for one in listed])
    taken = {row["moment_id"] for row in known}
    ours = {row["external_id"] for row in await services.db.fetch(OURS, task["id"])}
    for one in sorted(listed, key=lambda ref: ref.made_at):
        if one.task_id not in taken and await _is_for(adapter, one.task_id, ours):
            return one
    return None


async def _is_for(adapter: Moments, moment_id: str, ours: set[str]) -> bool:
    """Whether all whom it asks are ours. Somebody whom the platform refused is not in its list."""
    cursor, some = "", False
    while True:
        page, cursor = await adapter.moment_members(moment_id, cursor)
        if any(one.account_id not in ours for one in page):
            return False
        some = some or bool(page)
        if not cursor:
            return some


async def _give_up(services: Services, task: Row, *, late: bool) -> None:
    if not late:
        return
    async with services.work() as work:
        if await work.tx.fetchval(UNKNOWN, task["id"], work.now) is not None:
            await work.tx.execute(ALL_UNKNOWN, task["id"])
            work.ring("campaign", task["campaign_id"])
