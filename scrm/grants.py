"""Nobody gives, or takes hold of, more than they have."""

from __future__ import annotations

from collections.abc import Collection

from scrm.db import Row, Tx
from scrm.errors import Forbidden, NotFound, Unprocessable
from scrm.permissions import EVERY, OF_ROLE, REACH, Principal, Reach

WIDTH: dict[Reach, int] = {"own": 0, "team": 1, "all": 2}
OF_AGENT = """
select a.role, r.permissions, r.reach from agent a join role r on r.key = a.role where a.id = $1 for share of a
"""
OF_KEY = "select key as role, permissions, reach from role where key = $1 for share"


def check_known(permissions: Collection[str], field: str = "permissions") -> None:
    """Raises :class:`Unprocessable` for names that are no permissions."""
    unknown = sorted(set(permissions) - EVERY)
    if unknown:
        raise Unprocessable(f"There is no permission {unknown[0]}.", fields={field: "Not a permission."})


def check_held(principal: Principal, permissions: Collection[str], reach: Reach = "own") -> None:
    """Raises :class:`Forbidden` (``beyond_you``) for what the principal lacks."""
    missing = sorted(set(permissions) - principal.permissions)
    if missing:
        raise Forbidden(f"You do not have {missing[0]} yourself.", code="beyond_you")
    if WIDTH[reach] > WIDTH[principal.reach]:
        raise Forbidden("You do not see that much yourself.", code="beyond_you")


async def check_role(tx: Tx, principal: Principal, key: str, field: str = "role") -> None:
    """That the principal may give this role. Raises :class:`Unprocessable`, :class:`Forbidden`."""
    row = await tx.fetchrow(OF_KEY, key)
    if row is None:
        raise Unprocessable("There is no such role.", fields={field: "Not a role."})
    check_held(principal, *held_by(row))


async def check_over(tx: Tx, principal: Principal, agent_id: int) -> None:
    """That the principal may change, sign out or sign in as somebody: only those who can do no more than they themselves.
    Raises :class:`NotFound`, :class:`Forbidden`."""
    row = await tx.fetchrow(OF_AGENT, agent_id)
    if row is None:
        raise NotFound("There is no such agent.")
    if agent_id != principal.agent_id:
        check_held(principal, *held_by(row))


def check_teams(principal: Principal, added: Collection[int]) -> None:
    """Being in a team shows its conversations: who does not see all gives only their own teams. Raises :class:`Forbidden`."""
    if principal.reach != "all" and set(added) - set(principal.team_ids):
        raise Forbidden("You are not in this team yourself.", code="beyond_you")


def held_by(row: Row) -> tuple[Collection[str], Reach]:
    """Of a row with role, permissions and reach."""
    if row["permissions"] is None:
        return OF_ROLE.get(row["role"], frozenset()), REACH.get(row["role"], "own")
    return row["permissions"], row["reach"]
