"""What rules ask about conversations, read for many at once."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.rows import Conversation
from inbox.rulebook import Facts
from scrm.db import Database, Tx

__all__ = ["Facts", "of"]

READ = """
select c.id, a.channel, a.team_id, c.contact_id, k.customer_id, last.agent_id as last_agent_id
from conversation c join account a on a.id = c.account_id
left join contact k on k.id = c.contact_id
left join lateral (
  select e.agent_id from contact k2 join conversation c2 on c2.contact_id = k2.id
  cross join lateral (
    select e.agent_id, e.at from conversation_event e
    where e.conversation_id = c2.id and e.kind = 'answered' and e.agent_id is not null order by e.at desc limit 1
  ) e
  where k2.customer_id = k.customer_id order by e.at desc limit 1
) last on true
where c.id = any($1::bigint[])
"""


async def of(tx: Tx | Database, conversations: Sequence[Conversation]) -> dict[int, Facts]:
    """By conversation id. Who answered last is asked of all conversations of the customer."""
    rows = {row["id"]: row for row in await tx.fetch(READ, [one.id for one in conversations])}
    return {
        one.id: Facts(
            account_id=one.account_id,
            channel=row["channel"],
            team_id=row["team_id"],
            label_ids=one.labels,
            language=one.language,
            returning=row["last_agent_id"] is not None,
            contact_id=row["contact_id"],
            customer_id=row["customer_id"],
            last_agent_id=row["last_agent_id"],
        )
        for one in conversations
        if (row := rows.get(one.id)) is not None
    }
