"""Which customers somebody sees, and which of them they may change.

Somebody sees their own customers, those shared with them, those of the public pool and others that are nobody's and in nobody's
conversations, those of conversations that they see, and, as far as they reach, those of their teams' people, or all. Who has no part in the inbox and may read customers (marketing)
sees all. Seeing is not changing: that takes one's own customer, one shared for writing, one of the pool, a reach that covers the owner,
or a conversation that one answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scrm.permissions import CUSTOMERS_PHONE, CUSTOMERS_WRITE, INBOX_READ, Principal

# The places are $1 everything, $2 agent, $3 teams (null: none), of a statement with `customer u`.
_TEAM_OWNED = """
  ($3::bigint[] is not null and u.owner_id in (select t.agent_id from team_member t where t.team_id = any($3)))
"""
_IN_CONVERSATION = """
  exists (select from contact k join conversation c on c.contact_id = k.id join account a on a.id = c.account_id
    where k.customer_id = u.id and (c.assignee_id = $2 or $2 = any(c.collaborators)
      or ($3::bigint[] is not null and (a.team_id is null or a.team_id = any($3)))))
"""
_NOBODYS = """
  (u.owner_id is null and (u.pooled_at is not null or not exists (
    select from contact k join conversation c on c.contact_id = k.id where k.customer_id = u.id)))
"""
SEEN = f"""
($1 or {_NOBODYS} or u.owner_id = $2 or $2 = any(u.readers || u.writers) or {_TEAM_OWNED} or {_IN_CONVERSATION})
"""
"""Whether a customer is seen. For one customer, or a page of them: not for counting many."""
CHANGED = f"""
($1 or {_NOBODYS} or u.owner_id = $2 or $2 = any(u.writers) or {_TEAM_OWNED} or {_IN_CONVERSATION})
"""
"""Whether somebody with the permission to write may change a customer."""


@dataclass(frozen=True, slots=True)
class CustomerScope:
    everything: bool
    agent_id: int
    teams: tuple[int, ...] | None
    phones: bool

    @classmethod
    def of(cls, principal: Principal) -> CustomerScope:
        return cls(
            everything=principal.reach == "all" or not principal.may(INBOX_READ),
            agent_id=principal.agent_id,
            teams=None if principal.reach == "own" else principal.team_ids,
            phones=principal.may(CUSTOMERS_PHONE),
        )

    @property
    def arguments(self) -> tuple[Any, ...]:
        """For $1, $2 and $3 of :data:`SEEN` and :data:`CHANGED`."""
        return self.everything, self.agent_id, None if self.teams is None else list(self.teams)


def may_write(principal: Principal) -> bool:
    return principal.may(CUSTOMERS_WRITE)
