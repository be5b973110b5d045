"""Closing a conversation here ends the platform's own session as well, where there is one."""

from __future__ import annotations

from inbox.rows import lock_one, save
from inbox.sessions import apply
from scrm.channel import KeepsSessions
from scrm.errors import Rejected
from scrm.jobs import Job
from scrm.services import Services

FIND = """
select v.status, a.connection_id, a.external_id as account_id, c.external_id as contact_id from conversation v
join account a on a.id = v.account_id join contact c on c.id = v.contact_id where v.id = $1
"""


async def end_session(services: Services, job: Job) -> None:
    """Job ``end_session``. Nothing to do when the conversation was opened again meanwhile. Raises ``RetryLater``."""
    row = await services.db.fetchrow(FIND, job.payload["conversation_id"])
    if row is None or row["status"] != "closed":
        return
    adapter = (await services.connections.get(row["connection_id"])).adapter
    if not isinstance(adapter, KeepsSessions):
        return
    try:
        await adapter.end_session(row["account_id"], row["contact_id"])
        state = await adapter.session(row["account_id"], row["contact_id"])
    except Rejected as error:
        # The platform ends sessions by itself after a while; that it would not do so now is worth a note, not a person.
        await services.connections.note_error(row["connection_id"], error)
        return
    async with services.work() as work:
        conversation = await lock_one(work, job.payload["conversation_id"])
        if conversation is not None and conversation.status == "closed":
            apply(conversation, state)
            await save(work, [conversation])
