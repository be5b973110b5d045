"""Roles, built in and the company's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scrm.db import Row
from scrm.grants import check_held, check_known
from scrm.http import Reply, Request, Route
from scrm.permissions import AGENTS_READ, COMPANY_MANAGE, EVERY, OF_ROLE, REACH, ROLES, Reach
from scrm.roles import NEEDS, change_role, create_role, delete_role, list_roles, own_role
from scrm.undo import remember, undoable
from scrm.undo_people import ROLE_DELETED
from scrm.views import Input, Line, View

Permissions = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=100)]


class RoleView(View):
    """``name`` is empty for built-in roles, which the page names. ``agents``: how many active ones have it."""

    key: str
    name: str
    built_in: bool
    permissions: list[str]
    reach: Reach
    agents: int


class RoleList(View):
    """``permissions``: all there are; ``needs``: which one is worth nothing without which."""

    roles: list[RoleView]
    permissions: list[str]
    needs: dict[str, str]


class RoleInput(Input):
    name: Line
    permissions: Permissions
    reach: Reach


async def roles(request: Request) -> RoleList:
    async with request.services.db.pool.acquire() as tx:
        rows = await list_roles(tx)
    places = {key: place for place, key in enumerate(ROLES)}
    rows.sort(key=lambda row: places.get(row["key"], len(ROLES)))
    return RoleList(roles=[_view(row) for row in rows], permissions=sorted(EVERY), needs=NEEDS)


async def add(request: Request, body: RoleInput) -> Reply[RoleView]:
    check_known(body.permissions)
    check_held(request.principal, body.permissions, body.reach)
    async with request.services.work() as work:
        key = await create_role(
            work, body.name, body.permissions, body.reach, by=request.principal.agent_id, address=request.address
        )
        view = _view((await list_roles(work.tx, key))[0])
    return Reply(view, status=201)


async def change(request: Request, key: str, body: RoleInput) -> RoleView:
    check_known(body.permissions)
    check_held(request.principal, body.permissions, body.reach)
    async with request.services.work() as work:
        before = await own_role(work.tx, key)
        # Nor may one take away from a role what one could not give back.
        check_held(request.principal, before["permissions"], before["reach"])
        await change_role(
            work, key, body.name, body.permissions, body.reach, by=request.principal.agent_id, address=request.address
        )
        return _view((await list_roles(work.tx, key))[0])


async def remove(request: Request, key: str) -> Reply[None]:
    async with request.services.work() as work:
        before = await own_role(work.tx, key)
        check_held(request.principal, before["permissions"], before["reach"])
        await delete_role(work, key, by=request.principal.agent_id, address=request.address)
        step = await remember(work, request.principal, ROLE_DELETED, dict(before))
    return undoable(None, step, status=204)


def _view(row: Row) -> RoleView:
    built_in = row["permissions"] is None
    permissions = OF_ROLE.get(row["key"], frozenset()) if built_in else row["permissions"]
    reach = REACH.get(row["key"], "own") if built_in else row["reach"]
    return RoleView(
        key=row["key"], name=row["name"], built_in=built_in, permissions=sorted(permissions), reach=reach,
        agents=row["agents"],
    )  # fmt: skip


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/roles", roles, AGENTS_READ, "Roles and what they may do"),
        Route("POST", "/api/roles", add, COMPANY_MANAGE, "Make a role", status=201, errors=(409,)),
        Route("PATCH", "/api/roles/{key}", change, COMPANY_MANAGE, "Change a role", errors=(409,)),
        Route("DELETE", "/api/roles/{key}", remove, COMPANY_MANAGE, "Delete a role that nobody has", errors=(409,)),
    ]
