"""Later: out of sight until a moment, or until the customer writes (see ``inbox.arrivals``), whichever comes first."""

from __future__ import annotations

from datetime import datetime, timedelta

from inbox.events import Happened, record_event, record_events
from inbox.rows import Conversation, lock, lock_one, save
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.notices import notify
from scrm.permissions import Principal
from scrm.services import Services, Work

LONGEST = timedelta(days=366)
AT_ONCE = 200

DUE = """
select id from conversation where status = 'snoozed' and snoozed_until <= $1
order by snoozed_until limit $2 for update skip locked
"""


async def snooze(work: Work, principal: Principal, conversation_id: int, until: datetime | None) -> None:
    """``until`` None: until the customer writes. Raises :class:`NotFound`, :class:`Conflict` (``closed``),
    :class:`Unprocessable`."""
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    await snooze_one(work, conversation, until, by=principal.agent_id)
    await save(work, [conversation])


async def snooze_one(work: Work, conversation: Conversation, until: datetime | None, *, by: int) -> bool:
    """Of a locked conversation, which the caller saves. False: it sleeps just so already."""
    if until is not None and not work.now < until <= work.now + LONGEST:
        raise Unprocessable(
            "Choose a moment within the next year.", fields={"until": "It has passed, or is more than a year away."}
        )
    if conversation.status == "closed":
        raise Conflict("It is closed. Open it first.", code="closed")
    if conversation.status == "snoozed" and conversation.snoozed_until == until:
        return False
    conversation.status = "snoozed"
    conversation.snoozed_until = until
    await record_event(work, conversation, "snoozed", by, until=until.isoformat() if until is not None else None)
    return True


async def wake_due(services: Services) -> bool:
    """Wakes what is due. The row itself is what is due: a process that dies here leaves it so, and another one, or the next
    round, does it; two at once skip each other's rows. True: there may be more."""
    async with services.work() as work:
        due = [row["id"] for row in await work.tx.fetch(DUE, work.now, AT_ONCE)]
        if not due:
            return False
        conversations = list((await lock(work, due)).values())
        for conversation in conversations:
            conversation.status = "open"
            conversation.snoozed_until = None
        await record_events(work, [Happened(one, "woke", None, {"by": "time"}) for one in conversations])
        for conversation in conversations:
            if conversation.assignee_id is not None:
                key = f"woke:{conversation.id}:{conversation.version}"
                await notify(work, [conversation.assignee_id], "woke", key, conversation_id=conversation.id)
        await save(work, conversations)
    return len(due) == AT_ONCE
