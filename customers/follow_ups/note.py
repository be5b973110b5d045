"""Writing down what was said or agreed, and the next step, in one act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from customers.changeable import hold
from customers.follow_ups.count import recount
from customers.follow_ups.kinds import check_kind
from customers.follow_ups.views import FollowUpInput
from customers.let_in import let_in, readers
from customers.tasks.add import write
from customers.tasks.due import recompute_due
from customers.tasks.finish import finish
from customers.tasks.hold import hold_task
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import Conflict, Unprocessable
from scrm.notices import notify
from scrm.permissions import Principal
from scrm.services import Work
from scrm.undo import Step

OLDEST = timedelta(days=366)
AHEAD = timedelta(minutes=5)

INSERT = """
insert into follow_up (customer_id, agent_id, kind, text, outcome, mentions, files, conversation_id, client_token, at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (agent_id, client_token) where client_token is not null do nothing returning id
"""
KNOWN = "select id, customer_id from follow_up where agent_id = $1 and client_token = $2"
FILES = """
select f.id, f.sha256, f.name, f.mime, f.size, f.kind from attachment f
where f.id = any($1::bigint[]) and f.message_id is null and f.uploaded_by = $2 and f.state = 'stored'
"""
OF_CUSTOMER = """
select exists (select from conversation c join contact k on k.id = c.contact_id where c.id = $1 and k.customer_id = $2)
"""


async def note(work: Work, principal: Principal, customer_id: int, new: FollowUpInput) -> tuple[int, Step | None]:
    """Returns its id, and how to undo the task that it answers; the same ``client_token`` is the same follow-up, with its next
    step, however often it comes.

    Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict`, :class:`Unprocessable`."""
    customer = await hold(work, principal, customer_id)
    known = await work.tx.fetchrow(KNOWN, principal.agent_id, new.client_token)
    if known is not None:
        if known["customer_id"] != customer["id"]:
            raise Conflict("This token was used for another follow-up.", code="token_used")
        return known["id"], None
    await _check(work, customer["id"], new)
    # The row of the customer is held: whoever comes with the same token waits above and finds it.
    follow_up_id: int = await work.tx.fetchval(
        INSERT,
        customer["id"],
        principal.agent_id,
        new.kind,
        new.text,
        new.outcome,
        list(dict.fromkeys(new.mention_ids)),
        await _files(work, principal, new.file_ids),
        new.conversation_id,
        new.client_token,
        new.at or work.now,
        work.now,
    )
    await mention(work, principal, customer["id"], follow_up_id, new.mention_ids)
    step = await _answer(work, principal, customer, new.task_id, follow_up_id)
    if new.next is not None:
        await write(work, principal, customer["id"], new.next, follow_up_id=follow_up_id)
    await recount(work, [customer["id"]])
    await recompute_due(work, [customer["id"]])
    await tell(work, [
        Line(customer["id"], "follow_up.noted", at=new.at, agent_id=principal.agent_id, object_kind="follow_up",
             object_id=follow_up_id, data={"kind": new.kind, "outcome": new.outcome})
    ])  # fmt: skip
    return follow_up_id, step


async def mention(work: Work, principal: Principal, customer_id: int, follow_up_id: int, agent_ids: list[int]) -> None:
    """Tells them once, and lets in those who would not see what they are told of."""
    people = await readers(work, agent_ids, "mention_ids")
    await let_in(work, customer_id, people.values(), by_id=principal.agent_id)
    told = [one for one in people if one != principal.agent_id]
    await notify(
        work, told, "mention", f"follow_up:{follow_up_id}", customer_id=customer_id, by=principal.agent_id,
        data={"follow_up_id": follow_up_id},
    )  # fmt: skip


async def _answer(
    work: Work, principal: Principal, customer: Row, task_id: int | None, follow_up_id: int
) -> Step | None:
    if task_id is None:
        return None
    task = await hold_task(work, principal, task_id)
    if task["customer_id"] != customer["id"]:
        raise Unprocessable("This task is about another customer.", fields={"task_id": "Choose another task."})
    return await finish(work, principal, task_id, None, follow_up_id=follow_up_id)


async def _check(work: Work, customer_id: int, new: FollowUpInput) -> None:
    if not new.text and not new.outcome and not new.file_ids:
        raise Unprocessable("Write something first.", fields={"text": "It is empty."})
    await check_kind(work.tx, new.kind)
    if new.at is not None and not work.now - OLDEST <= new.at <= work.now + AHEAD:
        raise Unprocessable(
            "A follow-up has been; plan a next step for what comes.", fields={"at": "Choose a past moment."}
        )
    if new.conversation_id is not None and not await work.tx.fetchval(OF_CUSTOMER, new.conversation_id, customer_id):
        raise Unprocessable("This conversation is with somebody else.", fields={"conversation_id": "Leave it out."})


async def _files(work: Work, principal: Principal, file_ids: list[int]) -> list[dict[str, Any]]:
    """Raises :class:`Unprocessable` for one that is not an upload of the asker's own."""
    if not file_ids:
        return []
    found = {row["id"]: row for row in await work.tx.fetch(FILES, file_ids, principal.agent_id)}
    if any(one not in found for one in file_ids):
        raise Unprocessable("One of the files is not there any more.", fields={"file_ids": "Upload it again."})
    names = ("sha256", "name", "mime", "size", "kind")
    return [{name: found[one][name] for name in names} for one in dict.fromkeys(file_ids)]
