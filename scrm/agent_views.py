"""How agents and teams look."""

from __future__ import annotations

from scrm.db import Row
from scrm.permissions import Language
from scrm.views import View


class AgentView(View):
    id: int
    login: str
    name: str
    avatar: str
    role: str
    language: Language
    disabled: bool
    capacity: int
    team_ids: list[int]


class AgentList(View):
    agents: list[AgentView]


class TeamView(View):
    id: int
    name: str
    agent_ids: list[int]


class TeamList(View):
    teams: list[TeamView]


def agent_view(row: Row) -> AgentView:
    return AgentView(**row)


def team_view(row: Row) -> TeamView:
    return TeamView(**row)
