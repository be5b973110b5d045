"""Conversations, and answers that leave later, as things that are handed over (``customers.handover``)."""

from __future__ import annotations

from collections.abc import Sequence

from customers.handover.parts import Found, Move, Moving, OwnKind, Source
from inbox.assign import give
from inbox.events import record_event
from inbox.rows import lock, save
from scrm.channel import Sentence
from scrm.db import Tx
from scrm.permissions import INBOX_ASSIGN
from scrm.services import Work

HANDED_OVER, HANDED_BACK = Sentence("交接", "Handed over"), Sentence("交接退回", "Handed back")

# Closed ones too: they come back to life when the customer writes, and must not wait for somebody who is gone.
OF_AGENT = """
select c.id, k.customer_id, c.assignee_id, null::bigint as keep from conversation c left join contact k on k.id = c.contact_id
where c.assignee_id = $1 and ($2::bigint[] is null or k.customer_id = any($2)) order by c.id
"""
OF_ACCOUNT = """
select c.id, k.customer_id, c.assignee_id, case when $2 and g.id is not null then c.assignee_id end as keep
from conversation c left join contact k on k.id = c.contact_id
left join agent g on g.id = c.assignee_id and g.disabled_at is null
where c.account_id = $1 and c.status <> 'closed' order by c.id
"""
SCHEDULED = """
select s.id, k.customer_id, s.agent_id from scheduled_message s join conversation c on c.id = s.conversation_id
left join contact k on k.id = c.contact_id
where s.agent_id = $1 and s.state = 'waiting' and ($2::bigint[] is null or k.customer_id = any($2)) order by s.id
"""
PLACES = "select id, conversation_id from scheduled_message where id = any($1::bigint[])"
GIVE_SCHEDULED = """
update scheduled_message s set agent_id = w.to_id, updated_at = $4, revision = s.revision + 1
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) w (id, from_id, to_id)
where s.id = w.id and s.agent_id = w.from_id and s.state = 'waiting' returning s.id, s.conversation_id, s.due_at
"""


class ConversationMover:
    kind: OwnKind = "conversation"
    permission = INBOX_ASSIGN

    async def find(self, tx: Tx, source: Source) -> Sequence[Found]:
        if source.kind == "account":
            rows = await tx.fetch(OF_ACCOUNT, source.account_id, source.keep_owners)
        else:
            rows = await tx.fetch(OF_AGENT, source.agent_id, source.customer_ids)
        return [Found(row["id"], row["customer_id"], row["assignee_id"], row["keep"]) for row in rows]

    async def move(self, work: Work, things: Sequence[Moving], how: Move) -> set[int]:
        """Who takes them over hears of all at once (``customers.handover``), not of each."""
        locked = await lock(work, [one.object_id for one in things])
        why = HANDED_BACK if how.back else HANDED_OVER
        moved = set()
        for one in things:
            conversation = locked.get(one.object_id)
            if conversation is None or conversation.assignee_id != one.from_id:
                continue
            await give(work, conversation, one.to_id, by=how.by_id, why=why, tell=False)
            moved.add(one.item_id)
        await save(work, locked.values())
        return moved


class ScheduledMover:
    kind: OwnKind = "scheduled"
    permission = INBOX_ASSIGN

    async def find(self, tx: Tx, source: Source) -> Sequence[Found]:
        if source.kind == "account":
            return []
        rows = await tx.fetch(SCHEDULED, source.agent_id, source.customer_ids)
        return [Found(row["id"], row["customer_id"], row["agent_id"]) for row in rows]

    async def move(self, work: Work, things: Sequence[Moving], how: Move) -> set[int]:
        ids = [one.object_id for one in things]
        places = await work.tx.fetch(PLACES, ids)
        # The conversation first, as everybody who changes such an answer does.
        locked = await lock(work, [row["conversation_id"] for row in places])
        rows = await work.tx.fetch(
            GIVE_SCHEDULED, ids, [one.from_id for one in things], [one.to_id for one in things], work.now
        )
        for row in rows:
            await record_event(
                work, locked[row["conversation_id"]], "schedule_changed", how.by_id, scheduled_id=row["id"],
                due_at=row["due_at"].isoformat(),
            )  # fmt: skip
        await save(work, locked.values())
        done = {row["id"] for row in rows}
        return {one.item_id for one in things if one.object_id in done}
