"""What became of those a conversation is with: a friend who was deleted, a group that was left. Such conversations stay and are marked.

Two conditions for anybody's query over ``conversation c join account a``, and the facts themselves for those shown. They are read where
the platforms' facts are kept (``contact_link``, ``group_chat``, ``group_member``), so that they hold for every channel that tells them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from scrm.db import Tx
from scrm.views import View

Standing = Literal["deleted_by_agent", "deleted_by_contact", "gone", "dissolved", "left"]
"""Who ended it (``gone``: somebody did, nobody told who); a group is ``dissolved``, or ``left`` by the account it stands at."""

DELETED_FRIEND = """
(c.group_key = '' and exists (select from contact_link l where l.contact_id = c.contact_id and l.account_id = c.account_id
  and l.state in ('deleted_by_agent', 'deleted_by_contact', 'gone')))
"""
"""Not those who were handed over to a colleague: they are somebody's friend still."""
LEFT_GROUP = """
(c.group_key <> '' and exists (select from group_chat g where g.connection_id = a.connection_id and g.external_id = c.group_key
  and (g.dissolved_at is not null or exists (select from group_member gm where gm.group_chat_id = g.id
    and gm.external_id = a.external_id and gm.left_at is not null))))
"""
OF_STATE: Mapping[str, str] = {"deleted_friend": DELETED_FRIEND, "left_group": LEFT_GROUP}
"""By the name of the state in a search."""

FACTS = """
select c.id, case when c.group_key = '' then l.state when g.dissolved_at is not null then 'dissolved'
    when gm.left_at is not null then 'left' end as relation,
  case when c.group_key = '' then l.ended_at else coalesce(g.dissolved_at, gm.left_at) end as left_at
from conversation c join account a on a.id = c.account_id
left join contact_link l on c.group_key = '' and l.contact_id = c.contact_id and l.account_id = c.account_id
  and l.state in ('deleted_by_agent', 'deleted_by_contact', 'gone')
left join group_chat g on c.group_key <> '' and g.connection_id = a.connection_id and g.external_id = c.group_key
left join group_member gm on gm.group_chat_id = g.id and gm.external_id = a.external_id
where c.id = any($1::bigint[]) and (l.id is not null or g.dissolved_at is not null or gm.left_at is not null)
"""


class RelationEnded(View):
    """``left_at``: since when, where that was told."""

    relation: Standing
    left_at: datetime | None


async def endings(tx: Tx, conversation_ids: Sequence[int]) -> dict[int, RelationEnded]:
    """By conversation; those that go on are not in it. The caller has made sure that the asker may see them."""
    if not conversation_ids:
        return {}
    rows = await tx.fetch(FACTS, list(conversation_ids))
    return {row["id"]: RelationEnded(relation=row["relation"], left_at=row["left_at"]) for row in rows}
