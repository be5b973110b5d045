"""Agents and teams: made, changed, locked out. Routes and the command line call the same functions."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.passwords import check_password, hash_password, keep_old_password
from scrm.permissions import Language
from scrm.services import Work
from scrm.sessions import end_sessions_of, ring_sessions_of
from scrm.trail import record

INSERT = """
insert into agent (login, name, role, password_hash, language, avatar, created_at, password_at, password_due)
values ($1, $2, $3, $4, $5, $6, $7, $7, $8) on conflict (lower(login)) do nothing returning id
"""
AGENTS = """
select a.id, a.login, a.name, a.avatar, a.role, a.language, a.disabled_at is not null as disabled, a.capacity,
  array(select t.team_id from team_member t where t.agent_id = a.id order by 1) as team_ids
from agent a where $1::bigint is null or a.id = $1 order by a.id
"""
TEAMS = """
select t.id, t.name, array(select m.agent_id from team_member m where m.team_id = t.id order by 1) as agent_ids
from team t where $1::bigint is null or t.id = $1 order by t.id
"""
ADMINS = "select id from agent where role = 'admin' and disabled_at is null order by id for update"


async def create_agent(
    work: Work,
    *,
    login: str,
    name: str,
    role: str,
    password: str,
    language: Language = "zh-CN",
    avatar: str = "",
    team_ids: Sequence[int] = (),
    password_due: bool = False,
    by: int | None = None,
    address: str = "",
) -> int:
    """``password_due``: they must choose another one when they first sign in. Raises :class:`Conflict` for a login that exists (upper and lower case are one), :class:`Unprocessable`."""
    await _check_role(work, role)
    await check_password(work.tx, password, login=login, name=name)
    hashed = await hash_password(password)
    agent_id: int | None = await work.tx.fetchval(
        INSERT, login, name, role, hashed, language, avatar, work.now, password_due
    )
    if agent_id is None:
        raise Conflict("Somebody has this login already.", fields={"login": "Taken."}, code="login_taken")
    await _join(work, agent_id, team_ids)
    await record(
        work, "agent.created", agent_id=by, object_kind="agent", object_id=agent_id, address=address,
        detail={"login": login, "role": role},
    )  # fmt: skip
    return agent_id


async def set_password(
    work: Work,
    agent_id: int,
    password: str,
    *,
    due: bool = False,
    by: int | None = None,
    keep_session: int | None = None,
    address: str = "",
    field: str = "password",
) -> None:
    """Ends every session of the agent, except the one that asked. ``due``: they must choose another one at once. Raises
    :class:`NotFound`, :class:`Unprocessable`."""
    agent = await work.tx.fetchrow("select login, name from agent where id = $1 for update", agent_id)
    if agent is None:
        raise NotFound("There is no such agent.")
    await check_password(work.tx, password, login=agent["login"], name=agent["name"], agent_id=agent_id, field=field)
    await keep_old_password(work, agent_id)
    await work.tx.execute(
        "update agent set password_hash = $2, password_at = $3, password_due = $4 where id = $1",
        agent_id, await hash_password(password), work.now, due,
    )  # fmt: skip
    await end_sessions_of(work, agent_id, except_id=keep_session)
    await ring_sessions_of(work, agent_id)
    await record(work, "agent.password_set", agent_id=by, object_kind="agent", object_id=agent_id, address=address)


async def set_role(work: Work, agent_id: int, role: str, *, by: int | None = None, address: str = "") -> None:
    """Raises :class:`Conflict` when nobody could administer any more."""
    await _check_role(work, role)
    if role != "admin":
        await _keep_an_admin(work, agent_id)
    if await work.tx.fetchval("update agent set role = $2 where id = $1 returning id", agent_id, role) is None:
        raise NotFound("There is no such agent.")
    await ring_sessions_of(work, agent_id)
    await record(
        work,
        "agent.role_set",
        agent_id=by,
        object_kind="agent",
        object_id=agent_id,
        address=address,
        detail={"role": role},
    )


async def set_disabled(work: Work, agent_id: int, disabled: bool, *, by: int | None = None, address: str = "") -> None:
    """A disabled agent is signed out everywhere; their tokens stop too."""
    if disabled:
        await _keep_an_admin(work, agent_id)
        await ring_sessions_of(work, agent_id)
        await end_sessions_of(work, agent_id)
    changed = await work.tx.fetchval(
        "update agent set disabled_at = case when $2 then coalesce(disabled_at, $3) end where id = $1 returning id",
        agent_id, disabled, work.now,
    )  # fmt: skip
    if changed is None:
        raise NotFound("There is no such agent.")
    await record(
        work, "agent.disabled" if disabled else "agent.enabled", agent_id=by, object_kind="agent", object_id=agent_id,
        address=address,
    )  # fmt: skip


async def set_profile(work: Work, agent_id: int, *, name: str | None = None, language: Language | None = None) -> None:
    done = await work.tx.fetchval(
        "update agent set name = coalesce($2, name), language = coalesce($3, language) where id = $1 returning id",
        agent_id, name, language,
    )  # fmt: skip
    if done is None:
        raise NotFound("There is no such agent.")
    await ring_sessions_of(work, agent_id)


async def set_capacity(work: Work, agent_id: int, capacity: int, *, by: int | None = None, address: str = "") -> None:
    """How many open conversations are given to them by rules; 0: any number."""
    await work.tx.execute("update agent set capacity = $2 where id = $1", agent_id, capacity)
    await record(
        work, "agent.capacity_set", agent_id=by, object_kind="agent", object_id=agent_id, address=address,
        detail={"capacity": capacity},
    )  # fmt: skip


async def set_teams(
    work: Work, agent_id: int, team_ids: Sequence[int], *, by: int | None = None, address: str = ""
) -> None:
    await work.tx.execute("delete from team_member where agent_id = $1", agent_id)
    await _join(work, agent_id, team_ids)
    await ring_sessions_of(work, agent_id)
    await record(
        work, "agent.teams_set", agent_id=by, object_kind="agent", object_id=agent_id, address=address,
        detail={"team_ids": sorted(set(team_ids))},
    )  # fmt: skip


async def create_team(work: Work, name: str, *, by: int | None = None, address: str = "") -> int:
    """Raises :class:`Conflict` for a name that exists."""
    team_id: int | None = await work.tx.fetchval(
        "insert into team (name) values ($1) on conflict (name) do nothing returning id", name
    )
    if team_id is None:
        raise Conflict("There is a team of this name.", fields={"name": "Taken."}, code="name_taken")
    await record(work, "team.created", agent_id=by, object_kind="team", object_id=team_id, address=address)
    return team_id


async def rename_team(work: Work, team_id: int, name: str, *, by: int | None = None, address: str = "") -> None:
    try:
        async with work.tx.transaction():
            done = await work.tx.fetchval("update team set name = $2 where id = $1 returning id", team_id, name)
    except asyncpg.UniqueViolationError as error:
        raise Conflict("There is a team of this name.", fields={"name": "Taken."}, code="name_taken") from error
    if done is None:
        raise NotFound("There is no such team.")
    await record(work, "team.renamed", agent_id=by, object_kind="team", object_id=team_id, address=address)


async def set_members(
    work: Work, team_id: int, agent_ids: Sequence[int], *, by: int | None = None, address: str = ""
) -> None:
    """Exactly these are in the team from now on. Raises :class:`Unprocessable` for an agent who does not exist."""
    wanted = sorted(set(agent_ids))
    before = await work.tx.fetch("delete from team_member where team_id = $1 returning agent_id", team_id)
    try:
        async with work.tx.transaction():
            await work.tx.execute(
                "insert into team_member (team_id, agent_id) select $1, unnest($2::bigint[])", team_id, wanted
            )
    except asyncpg.ForeignKeyViolationError as error:
        raise Unprocessable("One of the agents does not exist.", fields={"agent_ids": "Not an agent."}) from error
    changed = set(wanted) ^ {row["agent_id"] for row in before}
    await ring_sessions_of(work, *changed)
    await record(
        work, "team.members_set", agent_id=by, object_kind="team", object_id=team_id, address=address,
        detail={"agent_ids": wanted},
    )  # fmt: skip


async def delete_team(work: Work, team_id: int, *, by: int | None = None, address: str = "") -> None:
    """Its accounts are open to everybody afterwards, so it must have none. Raises :class:`NotFound`, :class:`Conflict`."""
    if await work.tx.fetchval("select name from team where id = $1 for update", team_id) is None:
        raise NotFound("There is no such team.")
    if await work.tx.fetchval("select exists (select from account where team_id = $1)", team_id):
        raise Conflict("Accounts belong to this team; give them to another one first.", code="team_in_use")
    members = await work.tx.fetch("select agent_id from team_member where team_id = $1", team_id)
    await work.tx.execute("delete from team where id = $1", team_id)
    await ring_sessions_of(work, *(row["agent_id"] for row in members))
    await record(work, "team.deleted", agent_id=by, object_kind="team", object_id=team_id, address=address)


async def list_agents(tx: Tx, agent_id: int | None = None) -> list[Row]:
    rows: list[Row] = await tx.fetch(AGENTS, agent_id)
    return rows


async def list_teams(tx: Tx, team_id: int | None = None) -> list[Row]:
    rows: list[Row] = await tx.fetch(TEAMS, team_id)
    return rows


async def _check_role(work: Work, role: str) -> None:
    roles = [row["key"] for row in await work.tx.fetch("select key from role order by key for share")]
    if role not in roles:
        raise Unprocessable("There is no such role.", fields={"role": f"One of {', '.join(roles)}."})


async def _join(work: Work, agent_id: int, team_ids: Sequence[int]) -> None:
    wanted = sorted(set(team_ids))
    if not wanted:
        return
    try:
        async with work.tx.transaction():
            await work.tx.execute(
                "insert into team_member (team_id, agent_id) select unnest($1::bigint[]), $2", wanted, agent_id
            )
    except asyncpg.ForeignKeyViolationError as error:
        raise Unprocessable("One of the teams does not exist.", fields={"team_ids": "Not a team."}) from error


async def _keep_an_admin(work: Work, without: int) -> None:
    """Under locks, so that two administrators cannot disable each other at once."""
    admins = [row["id"] for row in await work.tx.fetch(ADMINS)]
    if admins == [without]:
        raise Conflict("This is the only administrator.", code="last_admin")
