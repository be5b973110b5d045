"""Agents and teams."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scrm import people
from scrm.agent_views import AgentList, AgentView, TeamList, TeamView, agent_view, team_view
from scrm.db import Tx
from scrm.errors import Forbidden, NotFound
from scrm.grants import check_over, check_role, check_teams
from scrm.http import Reply, Request, Route
from scrm.permissions import AGENTS_MANAGE, AGENTS_READ, Language
from scrm.services import Work
from scrm.undo import remember, undoable
from scrm.undo_people import DISABLED, TEAM_DELETED
from scrm.views import Id, Input, Line

Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$")]
RoleKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Password = Annotated[str, Field(max_length=1000)]
TeamIds = Annotated[list[Id], Field(max_length=200)]


class NewAgent(Input):
    login: Login
    name: Line
    role: RoleKey
    password: Password
    language: Language = "zh-CN"
    team_ids: TeamIds = Field(default_factory=list)
    password_due: bool = False
    """They must choose another password when they first sign in."""


class AgentInput(Input):
    """What is absent stays."""

    name: Line | None = None
    role: RoleKey | None = None
    language: Language | None = None
    disabled: bool | None = None
    team_ids: TeamIds | None = None
    password: Password | None = None
    capacity: Annotated[int, Field(ge=0, le=10_000)] | None = None


class TeamInput(Input):
    """What is absent stays; ``agent_ids`` are all who are in it."""

    name: Line
    agent_ids: Annotated[list[Id], Field(max_length=2000)] | None = None


async def agents(request: Request) -> AgentList:
    async with request.services.db.pool.acquire() as tx:
        return AgentList(agents=[agent_view(row) for row in await people.list_agents(tx)])


async def add_agent(request: Request, body: NewAgent) -> Reply[AgentView]:
    check_teams(request.principal, body.team_ids)
    async with request.services.work() as work:
        await check_role(work.tx, request.principal, body.role)
        agent_id = await people.create_agent(
            work, login=body.login, name=body.name, role=body.role, password=body.password, language=body.language,
            team_ids=body.team_ids, password_due=body.password_due, by=request.principal.agent_id, address=request.address,
        )  # fmt: skip
        view = await _agent(work.tx, agent_id)
    return Reply(view, status=201)


async def change_agent(request: Request, agent_id: int, body: AgentInput) -> Reply[AgentView]:
    if agent_id == request.principal.agent_id and body.disabled:
        raise Forbidden("Nobody can lock themselves out.")
    async with request.services.work() as work:
        before = await _agent(work.tx, agent_id)
        await _change(work, request, agent_id, body)
        step = None
        if body.disabled and not before.disabled:
            step = await remember(work, request.principal, DISABLED, {"agent_id": agent_id})
        return undoable(await _agent(work.tx, agent_id), step)


async def _change(work: Work, request: Request, agent_id: int, body: AgentInput) -> None:
    by, address = request.principal.agent_id, request.address
    view = await _agent(work.tx, agent_id)
    await check_over(work.tx, request.principal, agent_id)
    if body.name is not None or body.language is not None:
        await people.set_profile(work, agent_id, name=body.name, language=body.language)
    if body.role is not None and body.role != view.role:
        await check_role(work.tx, request.principal, body.role)
        await people.set_role(work, agent_id, body.role, by=by, address=address)
    if body.team_ids is not None and set(body.team_ids) != set(view.team_ids):
        check_teams(request.principal, set(body.team_ids) ^ set(view.team_ids))
        await people.set_teams(work, agent_id, body.team_ids, by=by, address=address)
    if body.password is not None:
        keep = request.principal.session_id if agent_id == by else None
        await people.set_password(work, agent_id, body.password, by=by, keep_session=keep, address=address)
    if body.capacity is not None:
        await people.set_capacity(work, agent_id, body.capacity, by=by, address=address)
    if body.disabled is not None:
        await people.set_disabled(work, agent_id, body.disabled, by=by, address=address)


async def teams(request: Request) -> TeamList:
    async with request.services.db.pool.acquire() as tx:
        return TeamList(teams=[team_view(row) for row in await people.list_teams(tx)])


async def add_team(request: Request, body: TeamInput) -> Reply[TeamView]:
    async with request.services.work() as work:
        team_id = await people.create_team(work, body.name, by=request.principal.agent_id, address=request.address)
        await _set_members(work, request, team_id, body)
        view = await _team(work.tx, team_id)
    return Reply(view, status=201)


async def change_team(request: Request, team_id: int, body: TeamInput) -> TeamView:
    async with request.services.work() as work:
        await people.rename_team(work, team_id, body.name, by=request.principal.agent_id, address=request.address)
        await _set_members(work, request, team_id, body)
        return await _team(work.tx, team_id)


async def remove_team(request: Request, team_id: int) -> Reply[None]:
    check_teams(request.principal, [team_id])
    async with request.services.work() as work:
        found = await people.list_teams(work.tx, team_id)
        await people.delete_team(work, team_id, by=request.principal.agent_id, address=request.address)
        gone = {"team_id": team_id, "name": found[0]["name"], "agent_ids": list(found[0]["agent_ids"])}
        step = await remember(work, request.principal, TEAM_DELETED, gone)
    return undoable(None, step, status=204)


async def _set_members(work: Work, request: Request, team_id: int, body: TeamInput) -> None:
    if body.agent_ids is None:
        return
    before = (await _team(work.tx, team_id)).agent_ids
    if set(before) == set(body.agent_ids):
        return
    check_teams(request.principal, [team_id])
    for agent_id in sorted(set(before) ^ set(body.agent_ids)):
        await check_over(work.tx, request.principal, agent_id)
    await people.set_members(work, team_id, body.agent_ids, by=request.principal.agent_id, address=request.address)


async def _agent(tx: Tx, agent_id: int) -> AgentView:
    rows = await people.list_agents(tx, agent_id)
    if not rows:
        raise NotFound("There is no such agent.")
    return agent_view(rows[0])


async def _team(tx: Tx, team_id: int) -> TeamView:
    return team_view((await people.list_teams(tx, team_id))[0])


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/agents", agents, AGENTS_READ, "Everybody who works here"),
        Route("POST", "/api/agents", add_agent, AGENTS_MANAGE, "Add an agent", status=201, errors=(409,)),
        Route("PATCH", "/api/agents/{agent_id}", change_agent, AGENTS_MANAGE, "Change an agent", errors=(409,)),
        Route("GET", "/api/teams", teams, AGENTS_READ, "Teams and who is in them"),
        Route("POST", "/api/teams", add_team, AGENTS_MANAGE, "Add a team", status=201, errors=(409,)),
        Route("PATCH", "/api/teams/{team_id}", change_team, AGENTS_MANAGE, "Change a team", errors=(409,)),
        Route("DELETE", "/api/teams/{team_id}", remove_team, AGENTS_MANAGE, "Delete a team", errors=(409,)),
    ]
