"""Who could take a conversation now: the people who answer, what they have open, and why one is passed over."""

from __future__ import annotations

from dataclasses import dataclass, field

from inbox.rulebook import Assignment, Facts, FlowSettings
from scrm.db import Database, Tx
from scrm.permissions import INBOX_REPLY, OF_ROLE, REACH

AGENTS = """
select g.id, g.name, g.status, g.capacity, g.role, g.disabled_at is not null as disabled, r.permissions, r.reach,
  array(select t.team_id from team_member t where t.agent_id = g.id) as team_ids, coalesce(load.open, 0)::int as open
from agent g join role r on r.key = g.role
left join (
  select assignee_id, sum(n) as open from conversation_tally where status = 'open' and assignee_id is not null group by 1
) load on load.assignee_id = g.id
order by g.id
"""


@dataclass(slots=True)
class Colleague:
    id: int
    name: str
    status: str
    capacity: int
    open: int
    disabled: bool
    answers: bool
    oversees: bool
    """Sees everything by role: found by name only, not as a member of a team."""
    team_ids: frozenset[int]

    def obstacle(self, rule: Assignment, flow: FlowSettings) -> tuple[str, str] | None:
        """Why they cannot take one more by this rule, in both languages; None: they can."""
        if self.disabled:
            return "已停用", "locked out"
        if not self.answers:
            return "无权回复客户", "may not answer customers"
        if self.status == "away" and (rule.only_online or flow.on_leave != "keep"):
            return "离开", "away"
        if rule.only_online and self.status == "busy":
            return "忙碌", "busy"
        if rule.below_capacity and self.open >= self.capacity:
            return f"已满（{self.open}/{self.capacity}）", f"full ({self.open} of {self.capacity})"
        return None


@dataclass(slots=True)
class Crew:
    """``open`` counts what this very round has given them too."""

    colleagues: dict[int, Colleague] = field(default_factory=dict)

    def pool(self, rule: Assignment, facts: Facts) -> list[Colleague]:
        """In the order of their ids."""
        everyone = list(self.colleagues.values())
        if rule.agent_ids or rule.team_ids:
            teams = set(rule.team_ids)
            return [
                one
                for one in everyone
                if one.id in rule.agent_ids or (one.team_ids & teams and one.answers and not one.oversees)
            ]
        return [
            one
            for one in everyone
            if one.answers
            and not one.oversees
            and not one.disabled
            and (facts.team_id is None or facts.team_id in one.team_ids)
        ]

    def took(self, agent_id: int) -> None:
        self.colleagues[agent_id].open += 1

    def left(self, agent_id: int | None) -> None:
        if agent_id in self.colleagues:
            self.colleagues[agent_id].open -= 1

    @property
    def has_room(self) -> bool:
        return any(
            one.answers and not one.disabled and one.status == "online" and one.open < one.capacity
            for one in self.colleagues.values()
        )


async def load(tx: Tx | Database, flow: FlowSettings) -> Crew:
    crew = Crew()
    for row in await tx.fetch(AGENTS):
        own = row["permissions"]
        permissions = OF_ROLE.get(row["role"], frozenset()) if own is None else frozenset(own)
        reach = row["reach"] or REACH.get(row["role"], "own")
        crew.colleagues[row["id"]] = Colleague(
            id=row["id"],
            name=row["name"],
            status=row["status"],
            capacity=row["capacity"] or flow.capacity,
            open=row["open"],
            disabled=row["disabled"],
            answers=INBOX_REPLY in permissions,
            oversees=reach == "all",
            team_ids=frozenset(row["team_ids"]),
        )
    return crew
