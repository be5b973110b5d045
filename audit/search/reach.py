"""What somebody's reach comes down to, so that a search need not look at everything: it still asks of each find whether they see it."""

from __future__ import annotations

from scrm.db import Tx
from scrm.permissions import Scope

MOST = 2000
"""Conversations of one's own that are named one by one."""
OWN = f"""
select id from (
  select id from conversation where assignee_id = $1
  union select id from conversation where collaborators <> '{{}}' and collaborators && array[$1::bigint]) c limit {MOST + 1}
"""  # noqa: S608 - made of constants
ACCOUNTS = """
select a.id from account a where ($1 or ($3::bigint[] is not null and (a.team_id is null or a.team_id = any($3::bigint[]))))
  and (select true from conversation c where c.account_id = a.id limit 1)
union select account_id from conversation where not $1 and assignee_id = $2
union select account_id from conversation where not $1 and collaborators <> '{}' and collaborators && array[$2::bigint]
"""


async def own_conversations(tx: Tx, scope: Scope) -> list[int] | None:
    """None: more than these, or too many to name."""
    if scope.everything or scope.teams is not None:
        return None
    ids = [row["id"] for row in await tx.fetch(OWN, scope.agent_id)]
    return ids if len(ids) <= MOST else None


async def accounts_seen(tx: Tx, scope: Scope) -> list[int]:
    """Accounts of which the asker sees a conversation."""
    return [row["id"] for row in await tx.fetch(ACCOUNTS, scope.everything, scope.agent_id, scope.teams)]
