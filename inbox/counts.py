"""How many conversations are open, unread, waiting: exact, from the tallies that triggers keep, at a cost that does not grow
with the number of conversations. One reading serves every agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inbox.views import CountsView, Tally
from scrm.db import Row, Tx
from scrm.permissions import Scope

TALLIES = """
select account_id, assignee_id,
  sum(n)::bigint as open,
  coalesce(sum(n) filter (where unread), 0)::bigint as unread,
  coalesce(sum(n) filter (where waiting), 0)::bigint as waiting
from conversation_tally where status = 'open' group by account_id, assignee_id having sum(n) <> 0
"""
ACCOUNTS = "select id, team_id from account"


@dataclass(slots=True)
class Sum:
    open: int = 0
    unread: int = 0
    waiting: int = 0

    def add(self, other: Sum) -> None:
        self.open += other.open
        self.unread += other.unread
        self.waiting += other.waiting

    def view(self) -> Tally:
        return Tally(open=self.open, unread=self.unread, waiting=self.waiting)


def _sums() -> defaultdict[int, Sum]:
    return defaultdict(Sum)


@dataclass(slots=True)
class Tallies:
    """The numbers of one moment."""

    teams: dict[int, int | None]
    """Account id to team id."""
    by_account: defaultdict[int, Sum] = field(default_factory=_sums)
    unassigned: defaultdict[int, Sum] = field(default_factory=_sums)
    assigned: defaultdict[int, defaultdict[int, Sum]] = field(default_factory=lambda: defaultdict(_sums))
    """Agent id to account id."""

    @classmethod
    def of(cls, accounts: Sequence[Row], rows: Sequence[Row]) -> Tallies:
        tallies = cls({row["id"]: row["team_id"] for row in accounts})
        for row in rows:
            one = Sum(row["open"], row["unread"], row["waiting"])
            tallies.by_account[row["account_id"]].add(one)
            if row["assignee_id"] is None:
                tallies.unassigned[row["account_id"]].add(one)
            else:
                tallies.assigned[row["assignee_id"]][row["account_id"]].add(one)
        return tallies

    def view(self, scope: Scope) -> CountsView:
        """What one agent sees: whole accounts of their scope, and their own conversations in others."""
        mine, unassigned, everything = Sum(), Sum(), Sum()
        accounts: dict[str, Tally] = {}
        own: Mapping[int, Sum] = self.assigned.get(scope.agent_id, {})
        for account_id, team_id in self.teams.items():
            covered = scope.covers_account(team_id)
            here = self.by_account.get(account_id) if covered else own.get(account_id)
            if here is None and not covered:
                continue
            here = here or Sum()
            accounts[str(account_id)] = here.view()
            everything.add(here)
            if covered and account_id in self.unassigned:
                unassigned.add(self.unassigned[account_id])
        for one in own.values():
            mine.add(one)
        return CountsView(mine=mine.view(), unassigned=unassigned.view(), all=everything.view(), accounts=accounts)


async def load_tallies(tx: Tx) -> Tallies:
    """Read in ``inbox.queries.one_moment`` when both numbers and accounts must be of the same moment."""
    return Tallies.of(await tx.fetch(ACCOUNTS), await tx.fetch(TALLIES))
