"""How many conversations are open, unread, waiting: exact, from the tallies that triggers keep, at a cost that does not grow
with the number of conversations. One reading serves every agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from inbox.views import CountsView, Tally
from scrm.db import Row, Tx
from scrm.permissions import Scope

TALLIES = """
select account_id, assignee_id, helper_id, status,
  sum(n)::bigint as open,
  coalesce(sum(n) filter (where unread), 0)::bigint as unread,
  coalesce(sum(n) filter (where waiting), 0)::bigint as waiting
from conversation_tally where status in ('open', 'snoozed')
group by account_id, assignee_id, helper_id, status having sum(n) <> 0
"""
ACCOUNTS = "select id, team_id from account"
MENTIONS = """
select n.agent_id, a.team_id, c.assignee_id, c.collaborators
from (select distinct agent_id, conversation_id from notification where kind = 'mention' and read_at is null) n
join conversation c on c.id = n.conversation_id join account a on a.id = c.account_id
"""


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


@dataclass(frozen=True, slots=True)
class Part:
    """Conversations of one account with the same assignee (and, in ``helped``, the same helper)."""

    account_id: int
    assignee_id: int | None
    snoozed: bool
    sum: Sum


def _parts() -> defaultdict[int, list[Part]]:
    return defaultdict(list)


def _added(parts: Iterable[Part]) -> Sum:
    total = Sum()
    for part in parts:
        total.add(part.sum)
    return total


@dataclass(slots=True)
class Tallies:
    """The numbers of one moment."""

    teams: dict[int, int | None]
    """Account id to team id."""
    mentions: defaultdict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """By agent, those not yet read."""
    in_account: defaultdict[int, list[Part]] = field(default_factory=_parts)
    assigned: defaultdict[int, list[Part]] = field(default_factory=_parts)
    """By assignee."""
    helped: defaultdict[int, list[Part]] = field(default_factory=_parts)
    """By helper."""

    @classmethod
    def of(cls, accounts: Sequence[Row], rows: Sequence[Row], mentions: Sequence[Row]) -> Tallies:
        tallies = cls({row["id"]: row["team_id"] for row in accounts})
        for row in mentions:
            tallies.mentions[row["agent_id"]].append(row)
        for row in rows:
            one = Sum(row["open"], row["unread"], row["waiting"])
            part = Part(row["account_id"], row["assignee_id"], row["status"] == "snoozed", one)
            if row["helper_id"] is not None:
                tallies.helped[row["helper_id"]].append(part)
                continue
            tallies.in_account[part.account_id].append(part)
            if part.assignee_id is not None:
                tallies.assigned[part.assignee_id].append(part)
        return tallies

    def view(self, scope: Scope) -> CountsView:
        """What one agent sees: whole accounts of their scope, and their own conversations in others."""
        me, teams = scope.agent_id, set(scope.team_ids)
        covered = {one for one, team_id in self.teams.items() if scope.covers_account(team_id)}
        mine = [part for part in self.assigned.get(me, ()) if part.account_id in self.teams]
        helping = [part for part in self.helped.get(me, ()) if part.account_id in self.teams and part.assignee_id != me]
        seen = [part for account_id in covered for part in self.in_account.get(account_id, ())]
        seen += [part for part in (*mine, *helping) if part.account_id not in covered]
        accounts = {account_id: Sum() for account_id in covered}
        for part in seen:
            # An account in which everything of mine is snoozed is still one that I know.
            here = accounts.setdefault(part.account_id, Sum())
            if not part.snoozed:
                here.add(part.sum)
        awake = [part for part in seen if not part.snoozed]
        return CountsView(
            mine=_added(part for part in mine if not part.snoozed).view(),
            unassigned=_added(part for part in awake if part.assignee_id is None).view(),
            team=_added(part for part in awake if self.teams[part.account_id] in teams).view(),
            all=_added(awake).view(),
            helping=_added(part for part in helping if not part.snoozed).view(),
            snoozed=_added(part for part in seen if part.snoozed).view(),
            mentions=self._mentions(scope),
            accounts={str(account_id): one.view() for account_id, one in accounts.items()},
        )

    def _mentions(self, scope: Scope) -> int:
        return sum(
            scope.covers(row["team_id"], row["assignee_id"], tuple(row["collaborators"]))
            for row in self.mentions.get(scope.agent_id, ())
        )


async def load_tallies(tx: Tx) -> Tallies:
    """Read in ``inbox.queries.one_moment`` when both numbers and accounts must be of the same moment."""
    return Tallies.of(await tx.fetch(ACCOUNTS), await tx.fetch(TALLIES), await tx.fetch(MENTIONS))
