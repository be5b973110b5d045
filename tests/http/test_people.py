"""Agents and teams, as an administrator sees them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.site import PASSWORD, Site

NEW = {"login": "wangfang", "name": "王芳", "role": "rep", "password": PASSWORD}


async def test_an_agent_is_added_and_can_sign_in(site: Site) -> None:
    admin = await site.signed_in("admin")
    team = await admin.post("/api/teams", {"name": "售前"}, status=201)
    made = await admin.post("/api/agents", {**NEW, "team_ids": [team["id"]]}, status=201)
    assert made["team_ids"] == [team["id"]]
    assert (await admin.get("/api/teams"))["teams"] == [{"id": team["id"], "name": "售前", "agent_ids": [made["id"]]}]
    assert (await site.sign_in(made["id"])).me["agent"] == made
    assert "password" not in repr(await admin.get("/api/agents")).lower()


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"login": "WangFang2"}, 201, ""),
        ({"login": "TAKEN"}, 409, "login"),
        ({"login": "two words"}, 422, "login"),
        ({"password": "short"}, 422, "password"),
        ({"password": "aaaaaaaaaaaa"}, 422, "password"),
        ({"login": "longlogin123", "password": "LongLogin123"}, 422, "password"),
        ({"role": "owner"}, 422, "role"),
        ({"team_ids": [99]}, 422, "team_ids"),
        ({"name": "a\nb"}, 422, "name"),
        ({"nickname": "x"}, 422, "nickname"),
    ],
)
async def test_what_a_new_agent_may_be(site: Site, change: dict[str, Any], status: int, field: str) -> None:
    admin = await site.signed_in("admin")
    await site.agent("rep", login="taken")
    got, body = await admin.call("POST", "/api/agents", json={**NEW, **change})
    assert got == status, body
    if field:
        assert list(body["fields"]) == [field]


async def test_a_new_role_counts_at_once(site: Site) -> None:
    admin, agent = await site.signed_in("admin"), await site.agent("rep")
    rep = await site.sign_in(agent)
    assert (await rep.call("GET", "/api/connections"))[0] == 403
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"role": "manager"}))[0] == 200
    assert (await rep.call("GET", "/api/connections"))[0] == 200


async def test_a_disabled_agent_is_out_at_once_also_with_a_token(site: Site) -> None:
    admin, agent = await site.signed_in("admin"), await site.agent("rep")
    rep = await site.sign_in(agent)
    token = (await rep.post("/api/tokens", {"name": "x"}, status=201))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await site.stranger().call("GET", "/api/session", headers=bearer))[0] == 200
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"disabled": True}))[1]["disabled"] is True
    assert (await rep.call("GET", "/api/session"))[0] == 401
    assert (await site.stranger().call("GET", "/api/session", headers=bearer))[0] == 401
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"disabled": False}))[1]["disabled"] is False
    assert (await rep.call("GET", "/api/session"))[0] == 401


async def test_there_is_always_an_administrator(site: Site) -> None:
    admin = await site.signed_in("admin")
    me = admin.me["agent"]["id"]
    assert (await admin.call("PATCH", f"/api/agents/{me}", json={"role": "rep"}))[1]["error"] == "last_admin"
    assert (await admin.call("PATCH", f"/api/agents/{me}", json={"disabled": True}))[0] == 403
    second = await site.agent("admin")
    assert (await admin.call("PATCH", f"/api/agents/{me}", json={"role": "rep"}))[0] == 200
    assert (await (await site.sign_in(second)).call("PATCH", f"/api/agents/{me}", json={"role": "admin"}))[0] == 200


async def test_an_administrator_sets_a_password(site: Site) -> None:
    admin, agent = await site.signed_in("admin"), await site.agent("rep", login="liting")
    rep = await site.sign_in(agent)
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"password": "brand new words 3"}))[0] == 200
    assert (await rep.call("GET", "/api/session"))[0] == 401
    stranger = site.stranger()
    assert (await stranger.call("POST", "/api/session", json={"login": "liting", "password": PASSWORD}))[0] == 401
    body = {"login": "liting", "password": "brand new words 3"}
    assert (await stranger.call("POST", "/api/session", json=body))[0] == 200


async def test_teams_have_one_name_each(site: Site) -> None:
    admin = await site.signed_in("admin")
    one = await admin.post("/api/teams", {"name": "售前"}, status=201)
    await admin.post("/api/teams", {"name": "售后"}, status=201)
    assert (await admin.call("POST", "/api/teams", json={"name": "售后"}))[0] == 409
    assert (await admin.call("PATCH", f"/api/teams/{one['id']}", json={"name": "售后"}))[0] == 409
    assert (await admin.call("PATCH", f"/api/teams/{one['id']}", json={"name": "售前一组"}))[1]["name"] == "售前一组"
    assert (await admin.call("PATCH", "/api/teams/99", json={"name": "x"}))[0] == 404
