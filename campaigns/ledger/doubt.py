"""Tickets of which nobody knows whether the platform took them. It is asked; it is never guessed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from campaigns.ledger import aside, calls
from scrm.channel import Sentence
from scrm.channel_campaigns import AsksMembers, Broadcasts, TaskRef
from scrm.db import Row
from scrm.errors import RetryLater, SendError
from scrm.services import Services

log = logging.getLogger(__name__)

SETTLES = timedelta(minutes=2)
"""After so long a task that is not in the platform's list was not made."""
GIVE_UP = timedelta(hours=48)
SOONEST, LATEST = timedelta(seconds=30), timedelta(minutes=15)
"""Between two looks, longer the longer it lasts."""
CANNOT_TELL = Sentence("平台尚未说明该任务发给谁。", "The platform does not tell yet to whom this task goes.")

DUE = """
select t.*, a.external_id as member, d.groups from broadcast_ticket t join account a on a.id = t.account_id
cross join lateral (select exists (select from delivery d where d.ticket_id = t.id and d.group_chat_id is not null) as groups) d
where t.state = 'doubt' and t.due_at <= $1 order by t.due_at, t.id limit 1
"""
# Whoever looks holds it for a while: looking takes several calls.
HOLD = "update broadcast_ticket set due_at = $2 where id = $1 and state = 'doubt' and due_at <= $3 returning id"
KNOWN = "select platform_id from broadcast_ticket where connection_id = $1 and platform_id = any($2::text[])"
# Tickets of one member say the same words: whose a task is, its recipients tell. Of groups a platform may tell only those that were sent.
RECIPIENTS = """
select k.external_id from delivery d join contact k on k.id = d.contact_id where d.ticket_id = $1
"""
RIVALS = """
select exists (select from broadcast_ticket where account_id = $1 and id <> $2 and text = $3 and state in ('calling', 'doubt'))
"""
FOUND = """
update broadcast_ticket set state = 'asked', platform_id = $2, look_at = $3, reason = null where id = $1 and state = 'doubt' returning *
"""
AGAIN = "update broadcast_ticket set state = 'queued', due_at = $2 where id = $1 and state = 'doubt'"
# The platform's own list says so.
NOT_MADE = AGAIN.replace("due_at = $2", "due_at = $2, doubted_at = null")
UNKNOWN = """
update broadcast_ticket set state = 'uncertain', finished_at = $2 where id = $1 and state = 'doubt' returning id
"""
EVERYBODY = """
update delivery set state = 'uncertain', reason = 'unknown', updated_at = $2 where ticket_id = $1 and state in ('sending', 'asked')
"""


async def resolve(services: Services) -> bool:
    """One ticket in doubt. True: there may be more."""
    now = services.clock.now()
    ticket = await services.db.fetchrow(DUE, now)
    if ticket is None:
        return False
    called = ticket["called_at"] or ticket["created_at"]
    if await services.db.fetchval(HOLD, ticket["id"], now + min(max((now - called) / 4, SOONEST), LATEST), now) is None:
        return True
    try:
        await _resolve(services, ticket, now)
    except Exception as error:
        if aside.is_nobodys(error):
            raise
        log.exception("ticket %s stays in doubt", ticket["id"])
        await aside.put(services, ticket["run_id"], "doubt", error)
    else:
        await aside.forget(services, ticket["run_id"], "doubt")
    return True


async def _resolve(services: Services, ticket: Row, now: datetime) -> None:
    loaded = services.connections.held(ticket["connection_id"])
    adapter: object = loaded.adapter if loaded is not None else None
    if isinstance(adapter, Broadcasts) and ticket["way"] == "broadcast":
        # The platform drops a repetition of our key and tells the id of the first, while it remembers the key.
        if now - (ticket["doubted_at"] or ticket["created_at"]) > calls.KEY_LASTS:
            await _give_up(services, ticket)
        else:
            await services.db.execute(AGAIN, ticket["id"], now)
        return
    try:
        task_id = await _look(services, adapter, ticket)
    except SendError as error:
        log.info("ticket %s stays in doubt: %s", ticket["id"], error)
        if now - (ticket["called_at"] or ticket["created_at"]) > GIVE_UP:
            await _give_up(services, ticket)
        return
    async with services.work() as work:
        if task_id is not None:
            await work.tx.execute(FOUND, ticket["id"], task_id, work.now)
            await work.tx.execute(calls.ON_THE_WAY, ticket["id"], work.now)
        elif now - ticket["called_at"] > SETTLES:
            await work.tx.execute(NOT_MADE, ticket["id"], now)
        work.ring("campaign", ticket["campaign_id"])


async def _look(services: Services, adapter: object, ticket: Row) -> str | None:
    """The task that this ticket's call made, if it made one. Raises :class:`SendError` while the platform does not tell."""
    if not isinstance(adapter, AsksMembers):
        raise RetryLater("cannot_tell", CANNOT_TELL)
    since, until = ticket["called_at"] - timedelta(minutes=5), services.clock.now() + timedelta(minutes=5)
    listed: list[TaskRef] = []
    cursor = ""
    while True:
        page, cursor = await adapter.tasks(groups=ticket["groups"], since=since, until=until, cursor=cursor)
        listed += page
        if not cursor:
            break
    ids = [one.task_id for one in listed if one.text == ticket["text"]]
    taken = {row["platform_id"] for row in await services.db.fetch(KNOWN, ticket["connection_id"], ids)}
    waits: SendError | None = None
    for task_id in ids:
        if task_id in taken:
            continue
        try:
            if ticket["member"] in await _members(adapter, task_id) and await _is_of(
                services, adapter, ticket, task_id
            ):
                return task_id
        except RetryLater as error:
            # It is still handed out: perhaps it is this one.
            waits = error
    if waits is not None:
        raise waits
    return None


async def _is_of(services: Services, adapter: AsksMembers, ticket: Row, task_id: str) -> bool:
    """Whether this task of the member goes to this ticket's recipients. Raises :class:`RetryLater` while that cannot be told."""
    if ticket["groups"]:
        if await services.db.fetchval(RIVALS, ticket["account_id"], ticket["id"], ticket["text"]):
            raise RetryLater("cannot_tell", CANNOT_TELL)
        return True
    page, _ = await adapter.asked_results(task_id, ticket["member"], "")
    if not page:
        raise RetryLater("cannot_tell", CANNOT_TELL)
    ours = {row["external_id"] for row in await services.db.fetch(RECIPIENTS, ticket["id"])}
    return any(one.external_id in ours for one in page)


async def _members(adapter: AsksMembers, task_id: str) -> Sequence[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page, cursor = await adapter.asked_members(task_id, cursor)
        found += [one.account_id for one in page]
        if not cursor:
            return found


async def _give_up(services: Services, ticket: Row) -> None:
    async with services.work() as work:
        if await work.tx.fetchval(UNKNOWN, ticket["id"], work.now) is not None:
            await work.tx.execute(EVERYBODY, ticket["id"], work.now)
            work.ring("campaign", ticket["campaign_id"])
