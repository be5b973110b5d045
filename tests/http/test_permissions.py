"""Who may call what: every route of the table, for every role."""

from __future__ import annotations

from typing import Any

import pytest

from scrm.http import PUBLIC, SIGNED_IN, Route
from scrm.permissions import EVERY, OF_ROLE, ROLES
from scrm.route_table import routes
from tests.http.site import Site

EXPECTED: dict[str, str] = {
    "rep": "inbox.read inbox.reply library.read customers.read customers.write customers.reveal agents.read",
    "manager": "inbox.read inbox.reply inbox.assign inbox.recalled inbox.team inbox.settings library.read "
    "library.manage customers.read customers.write customers.phone customers.reveal customers.assign customers.merge "
    "customers.import customers.export customers.delete customers.settings customers.reports codes.manage agents.read "
    "campaigns.read campaigns.write campaigns.approve campaigns.settings connections.read events.read audit.read audit.review "
    "audit.rules audit.evidence",
    "marketer": "customers.read customers.reports codes.manage campaigns.read campaigns.write agents.read library.read "
    "library.manage",
    "auditor": "inbox.read inbox.recalled inbox.team customers.read customers.phone customers.reports campaigns.read agents.read "
    "events.read trail.read audit.read audit.review audit.rules audit.evidence",
}


def test_the_roles_are_what_was_agreed() -> None:
    for role, permissions in EXPECTED.items():
        assert OF_ROLE[role] == set(permissions.split())
    assert OF_ROLE["admin"] == EVERY == set().union(*OF_ROLE.values())


def test_every_route_names_a_permission_that_exists() -> None:
    for route in routes():
        assert route.permission in {*EVERY, SIGNED_IN, PUBLIC}, route.path


def test_only_signing_in_and_the_way_back_from_a_platform_are_public() -> None:
    public = {(route.method, route.path) for route in routes() if route.permission == PUBLIC}
    assert public == {
        ("POST", "/api/session"),
        ("GET", "/api/sign-in"),
        ("GET", "/api/sign-in/{connection_id}"),
        ("GET", "/oauth/sign-in"),
        ("GET", "/oauth/{provider}/{key}"),
    }


def address(route: Route) -> str:
    """Ids that do not exist, so that an allowed call ends in 404 or 422 and changes nothing."""
    path = route.path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", "987654321")
    return path


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_exactly_its_routes(site: Site, role: str) -> None:
    browser = await site.signed_in(role)
    for route in site.table:
        if route.permission == PUBLIC or (route.method, route.path) == ("DELETE", "/api/session"):
            continue
        status, body = await browser.call(route.method, address(route), **_nothing(route))
        allowed = route.permission == SIGNED_IN or route.permission in OF_ROLE[role]
        where = f"{role} {route.method} {route.path}: {status} {body}"
        if allowed:
            assert status in (200, 201, 204, 404, 409, 415, 422), where
        else:
            assert (status, body["error"]) == (403, "forbidden"), where


async def test_nobody_gets_anything_without_signing_in(site: Site) -> None:
    browser = site.stranger()
    for route in site.table:
        if route.permission == PUBLIC:
            continue
        status, body = await browser.call(route.method, address(route), **_nothing(route))
        assert (status, body["error"]) == (401, "not_signed_in"), route.path


def _nothing(route: Route) -> dict[str, Any]:
    return {"json": {}} if route.method in ("POST", "PATCH") and not route.upload else {}
