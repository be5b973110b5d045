"""An agent as administrators see and help them: sessions, passwords, second factors, who they are on platforms."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from scrm import identities, people, second_factor, sessions
from scrm.agent_views import AgentView
from scrm.errors import Forbidden, NotFound
from scrm.grants import check_over
from scrm.http import Reply, Request, Route
from scrm.identities import IdentityView
from scrm.permissions import AGENTS_MANAGE
from scrm.routes_session import SessionView
from scrm.services import Work
from scrm.trail import record
from scrm.views import Id, Input, View

PEOPLE = """
select a.id, a.login, a.name, a.avatar, a.role, a.language, a.disabled_at is not null as disabled, a.capacity,
  array(select t.team_id from team_member t where t.agent_id = a.id order by 1) as team_ids,
  a.password_at, a.password_due, a.created_at,
  exists (select from second_factor f where f.agent_id = a.id and f.confirmed_at is not null) as second_factor,
  (select max(s.seen_at) from session s where s.agent_id = a.id) as last_seen_at,
  (select count(*) from session s where s.agent_id = a.id and s.ended_at is null and s.expires_at > $1) as sessions,
  (select count(*) from api_token k where k.agent_id = a.id and k.ended_at is null
    and (k.expires_at is null or k.expires_at > $1)) as tokens
from agent a order by a.id
"""


class StaffView(AgentView):
    """``sessions`` and ``tokens``: how many are good now."""

    created_at: datetime
    password_at: datetime
    password_due: bool
    second_factor: bool
    last_seen_at: datetime | None
    sessions: int
    tokens: int


class StaffList(View):
    people: list[StaffView]


class AgentSessions(View):
    sessions: list[SessionView]


class ResetPasswordInput(Input):
    """``password`` absent: one is made up."""

    password: Annotated[str, Field(max_length=1000)] | None = None


class NewPassword(View):
    """Shown this once; it must be changed at the first sign-in."""

    password: str


class IdentityInput(Input):
    connection_id: Id
    external_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]


class IdentityList(View):
    identities: list[IdentityView]


async def list_people(request: Request) -> StaffList:
    rows = await request.services.db.fetch(PEOPLE, request.services.clock.now())
    return StaffList(people=[StaffView(**row) for row in rows])


async def sessions_of(request: Request, agent_id: int) -> AgentSessions:
    now = request.services.clock.now()
    async with request.services.db.pool.acquire() as tx:
        if not await people.list_agents(tx, agent_id):
            raise NotFound("There is no such agent.")
        rows = await sessions.list_sessions(tx, agent_id, now)
    own = request.principal.session_id
    return AgentSessions(sessions=[SessionView(**row, current=row["id"] == own) for row in rows])


async def end_session(request: Request, agent_id: int, session_id: int) -> None:
    async with request.services.work() as work:
        await check_over(work.tx, request.principal, agent_id)
        if not await sessions.end_session(work, session_id, agent_id):
            raise NotFound("They have no such session.")
        await _record(work, request, "session.ended_by_admin", agent_id)


async def end_sessions(request: Request, agent_id: int) -> None:
    """All of them; one's own present session stays."""
    async with request.services.work() as work:
        await check_over(work.tx, request.principal, agent_id)
        await sessions.end_sessions_of(work, agent_id, except_id=request.principal.session_id)
        await _record(work, request, "session.ended_by_admin", agent_id)


async def reset_password(request: Request, agent_id: int, body: ResetPasswordInput) -> NewPassword:
    if agent_id == request.principal.agent_id:
        raise Forbidden("Change your own password under your own settings.", code="not_yourself")
    password = body.password or f"{secrets.token_urlsafe(9)}-Aa1"
    async with request.services.work() as work:
        await check_over(work.tx, request.principal, agent_id)
        await people.set_password(
            work, agent_id, password, due=True, by=request.principal.agent_id, address=request.address
        )
    return NewPassword(password=password)


async def reset_second_factor(request: Request, agent_id: int) -> None:
    """For somebody whose phone is lost. They are signed out."""
    async with request.services.work() as work:
        await check_over(work.tx, request.principal, agent_id)
        if agent_id == request.principal.agent_id:
            raise Forbidden("Remove your own under your own settings.", code="not_yourself")
        if await second_factor.remove(work, agent_id):
            await sessions.end_sessions_of(work, agent_id)
            await _record(work, request, "second_factor.reset", agent_id)


async def identities_of(request: Request, agent_id: int) -> IdentityList:
    async with request.services.db.pool.acquire() as tx:
        if not await people.list_agents(tx, agent_id):
            raise NotFound("There is no such agent.")
        return IdentityList(identities=await identities.list_identities(tx, agent_id, request.services.connections))


async def bind(request: Request, agent_id: int, body: IdentityInput) -> Reply[IdentityView]:
    """From then on this person of the platform signs in as the agent."""
    services = request.services
    adapter = await identities.signing_adapter(services, body.connection_id)
    person = adapter.person_id(body.external_id)
    async with services.work() as work:
        await check_over(work.tx, request.principal, agent_id)
        identity_id = await identities.bind(
            work, agent_id, body.connection_id, person, by=request.principal.agent_id, address=request.address
        )
        found = await identities.list_identities(work.tx, agent_id, services.connections)
    return Reply(next(one for one in found if one.id == identity_id), status=201)


async def unbind(request: Request, agent_id: int, identity_id: int) -> None:
    async with request.services.work() as work:
        await check_over(work.tx, request.principal, agent_id)
        await identities.unbind(work, agent_id, identity_id, by=request.principal.agent_id, address=request.address)


async def _record(work: Work, request: Request, action: str, agent_id: int) -> None:
    await record(
        work, action, agent_id=request.principal.agent_id, object_kind="agent", object_id=agent_id,
        address=request.address,
    )  # fmt: skip


def api_routes() -> list[Route]:
    one = "/api/agents/{agent_id}"
    return [
        Route("GET", "/api/people", list_people, AGENTS_MANAGE, "Agents as administrators see them"),
        Route("GET", f"{one}/sessions", sessions_of, AGENTS_MANAGE, "Where somebody is signed in"),
        Route("DELETE", f"{one}/sessions", end_sessions, AGENTS_MANAGE, "Sign somebody out everywhere"),
        Route("DELETE", f"{one}/sessions/{{session_id}}", end_session, AGENTS_MANAGE, "End a session of somebody"),
        Route("POST", f"{one}/password", reset_password, AGENTS_MANAGE, "Give somebody a new password"),
        Route("DELETE", f"{one}/second-factor", reset_second_factor, AGENTS_MANAGE, "Take away a lost second factor"),
        Route("GET", f"{one}/identities", identities_of, AGENTS_MANAGE, "Who somebody is on platforms"),
        Route("POST", f"{one}/identities", bind, AGENTS_MANAGE, "Say who somebody is", status=201, errors=(409,)),
        Route("DELETE", f"{one}/identities/{{identity_id}}", unbind, AGENTS_MANAGE, "No longer"),
    ]
