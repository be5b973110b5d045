"""Taking back what an administrator just did to people, roles and teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrm.errors import Conflict
from scrm.grants import check_held, check_over, check_teams
from scrm.people import set_disabled
from scrm.permissions import AGENTS_MANAGE, COMPANY_MANAGE, Principal
from scrm.services import Work
from scrm.sessions import ring_sessions_of
from scrm.trail import record
from scrm.undo import Kind, Undone

DISABLED, ROLE_DELETED, TEAM_DELETED = "agent.disable", "role.delete", "team.delete"

ADD_ROLE = """
insert into role (key, name, permissions, reach) values ($1, $2, $3, $4) on conflict do nothing returning key
"""
ADD_TEAM = """
insert into team (id, name) overriding system value values ($1, $2) on conflict do nothing returning id
"""
JOIN = """
insert into team_member (team_id, agent_id) select $1, a.id from agent a where a.id = any($2) returning agent_id
"""


def undo_kinds() -> Mapping[str, Kind]:
    return {
        DISABLED: Kind(AGENTS_MANAGE, enable),
        ROLE_DELETED: Kind(COMPANY_MANAGE, restore_role),
        TEAM_DELETED: Kind(AGENTS_MANAGE, restore_team),
    }


async def enable(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Their sessions stay ended: they sign in again."""
    await check_over(work.tx, principal, data["agent_id"])
    await set_disabled(work, data["agent_id"], False, by=principal.agent_id)
    return Undone()


async def restore_role(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    check_held(principal, data["permissions"], data["reach"])
    made = await work.tx.fetchval(ADD_ROLE, data["key"], data["name"], data["permissions"], data["reach"])
    if made is None:
        raise Conflict("There is a role of this name again.", code="changed_meanwhile")
    await record(work, "role.restored", agent_id=principal.agent_id, object_kind="role", detail={"key": data["key"]})
    return Undone()


async def restore_team(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    check_teams(principal, [data["team_id"]])
    if await work.tx.fetchval(ADD_TEAM, data["team_id"], data["name"]) is None:
        raise Conflict("There is a team of this name again.", code="changed_meanwhile")
    joined = [row["agent_id"] for row in await work.tx.fetch(JOIN, data["team_id"], data["agent_ids"])]
    await ring_sessions_of(work, *joined)
    await record(
        work, "team.restored", agent_id=principal.agent_id, object_kind="team", object_id=data["team_id"],
        detail={"agent_ids": joined},
    )  # fmt: skip
    return Undone()
