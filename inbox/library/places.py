"""Whose something in the library is: one person's, a team's, the company's; who may see it, and who may change it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from scrm.db import Row, Tx
from scrm.errors import Forbidden, NotFound, Unprocessable
from scrm.permissions import LIBRARY_MANAGE, Principal
from scrm.views import Id

LibraryReach = Literal["personal", "team", "company"]

VISIBLE = """
(x.reach = 'company' or (x.reach = 'personal' and x.owner_id = $1)
  or (x.reach = 'team' and ($2 or x.team_id = any($3::bigint[]))))
"""
"""Of a library table ``x``; the arguments are :func:`eyes`. Somebody else's personal things are seen by nobody."""


def eyes(principal: Principal) -> tuple[int, bool, list[int]]:
    """The first three arguments of every statement with :data:`VISIBLE`."""
    return principal.agent_id, principal.reach == "all", list(principal.team_ids)


class Place(BaseModel):
    """Where something lies. ``team_id`` belongs to ``team`` alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reach: LibraryReach = "personal"
    team_id: Id | None = None

    @model_validator(mode="after")
    def _team_with_team(self) -> Place:
        if (self.reach == "team") != (self.team_id is not None):
            raise ValueError("Name the team for the reach team, and only then.")
        return self

    def columns(self, principal: Principal) -> tuple[str, int | None, int | None]:
        """reach, owner_id, team_id."""
        return self.reach, principal.agent_id if self.reach == "personal" else None, self.team_id


async def check_place(tx: Tx, principal: Principal, place: Place) -> None:
    """Raises :class:`Forbidden`, :class:`Unprocessable`."""
    if not manages(principal, place.reach, place.team_id, principal.agent_id):
        raise Forbidden("Only somebody who keeps the library may change what belongs to a team or the company.")
    if place.team_id is not None and not await tx.fetchval("select true from team where id = $1", place.team_id):
        raise Unprocessable("There is no such team.", fields={"team_id": "Choose a team."})


def manages(principal: Principal, reach: str, team_id: int | None, owner_id: int | None) -> bool:
    if reach == "personal":
        return owner_id == principal.agent_id
    if not principal.may(LIBRARY_MANAGE):
        return False
    return reach == "company" or principal.reach == "all" or team_id in principal.team_ids


def check_row(principal: Principal, row: Row | None, what: str) -> Row:
    """A visible row that is to be changed. Raises :class:`NotFound`, :class:`Forbidden`."""
    if row is None:
        raise NotFound(f"There is no such {what}.")
    if not manages(principal, row["reach"], row["team_id"], row["owner_id"]):
        raise Forbidden(f"Only somebody who keeps the library may change this {what}.")
    return row
