"""Roles of one's own: made, given, changed in mid-session; and nobody grants more than they have."""

from __future__ import annotations

from typing import Any

from scrm.permissions import EVERY
from tests.http.site import Site

READER = {"name": "质检", "permissions": ["inbox.read", "customers.read", "agents.read"], "reach": "all"}


async def made(site: Site, admin: Any, **change: Any) -> str:
    return str((await admin.post("/api/roles", {**READER, **change}, status=201))["key"])


async def test_a_role_is_made_given_changed_and_counts_at_once(site: Site) -> None:
    admin = await site.signed_in("admin")
    key = await made(site, admin)
    agent = await site.agent("rep")
    assert (await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key}))[0] == 200
    browser = await site.sign_in(agent)
    assert (browser.me["permissions"], browser.me["reach"], browser.me["role_name"]) == (
        sorted(READER["permissions"]), "all", "质检",
    )  # fmt: skip
    assert (await browser.call("GET", "/api/quick-replies"))[0] == 403
    change = {**READER, "permissions": [*READER["permissions"], "library.read"]}
    assert (await admin.call("PATCH", f"/api/roles/{key}", json=change))[1]["agents"] == 1
    assert "library.read" in (await browser.get("/api/session"))["permissions"]
    # And less again.
    assert (await admin.call("PATCH", f"/api/roles/{key}", json=READER))[0] == 200
    assert (await browser.call("GET", "/api/quick-replies"))[0] == 403


async def test_sockets_follow_their_role(site: Site) -> None:
    """Reach own, then all: what was invisible is pushed from then on, and stops again."""
    admin = await site.signed_in("admin")
    key = await made(site, admin, reach="own")
    agent = await site.agent("rep")
    await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key})
    other_team = await site.team("别队")
    conversation = await site.conversation(await site.account(await site.connection(), team_id=other_team))
    browser = await site.sign_in(agent)

    def about_it(frame: dict[str, Any]) -> bool:
        return bool(frame["conversation"]["id"] == conversation)

    async with browser.socket() as live, admin.socket() as seen:
        await site.says(conversation, "一")
        await seen.next("conversation", about_it)
        await admin.call("PATCH", f"/api/roles/{key}", json={**READER, "reach": "all"})
        await live.next("resync")
        await site.says(conversation, "二")
        push = await live.next("conversation", about_it)
        assert "一" not in repr([one for one in live.heard if one["type"] == "conversation" and one is not push])
        await admin.call("PATCH", f"/api/roles/{key}", json={**READER, "reach": "own"})
        await live.next("resync")
        before = len(live.heard)
        await site.says(conversation, "三")
        await seen.next("conversation", lambda one: about_it(one) and "三" in repr(one))
        await admin.call("PATCH", f"/api/roles/{key}", json={**READER, "reach": "own", "permissions": ["agents.read"]})
        await live.next("resync")
        assert "三" not in repr(live.heard[before:])


async def test_nobody_grants_more_than_they_have(site: Site) -> None:
    admin = await site.signed_in("admin")
    lead = await made(
        site, admin, name="组长", reach="team",
        permissions=["agents.read", "agents.manage", "company.manage", "inbox.read", "inbox.reply"],
    )  # fmt: skip
    ours, theirs = await site.team("我们"), await site.team("他们")
    leader = await site.agent("rep", teams=(ours,))
    await admin.call("PATCH", f"/api/agents/{leader}", json={"role": lead})
    browser = await site.sign_in(leader)
    admins = admin.me["agent"]["id"]
    mate = await site.agent("marketer")
    small = {"name": "小", "permissions": ["inbox.read"], "reach": "own"}
    refused = [
        ("POST", "/api/roles", {**small, "permissions": ["customers.phone", "customers.read"]}),
        ("POST", "/api/roles", {**small, "reach": "all"}),
        ("PATCH", f"/api/agents/{leader}", {"role": "admin"}),
        ("PATCH", f"/api/agents/{leader}", {"role": "manager"}),
        ("PATCH", f"/api/agents/{leader}", {"team_ids": [ours, theirs]}),
        ("PATCH", f"/api/teams/{theirs}", {"name": "他们", "agent_ids": [leader]}),
        ("POST", "/api/agents", {"login": "helper", "name": "h", "role": "manager", "password": "some long words 9"}),
        # Whoever could take over somebody stronger would be as strong.
        ("PATCH", f"/api/agents/{admins}", {"password": "some long words 9"}),
        ("POST", f"/api/agents/{admins}/password", {}),
        ("PATCH", f"/api/agents/{admins}", {"disabled": True}),
        ("DELETE", f"/api/agents/{admins}/sessions", None),
        ("DELETE", f"/api/agents/{admins}/second-factor", None),
        ("PATCH", f"/api/agents/{mate}", {"name": "x"}),
    ]
    for method, path, body in refused:
        status, answer = await browser.call(method, path, **({} if body is None else {"json": body}))
        assert (status, answer["error"]) == (403, "beyond_you"), (method, path, body, answer)
    assert (await browser.call("POST", "/api/roles", json=small))[0] == 201
    assert (await browser.call("GET", "/api/session"))[1]["agent"]["role"] == lead


async def test_what_a_role_may_be(site: Site) -> None:
    admin = await site.signed_in("admin")
    key = await made(site, admin)
    assert (await admin.call("POST", "/api/roles", json=READER))[1]["error"] == "name_taken"
    bad = {**READER, "name": "坏", "permissions": ["inbox.reply"]}
    assert (await admin.call("POST", "/api/roles", json=bad))[1]["fields"] == {
        "permissions": "inbox.reply needs inbox.read."
    }
    assert (await admin.call("POST", "/api/roles", json={**READER, "name": "坏", "permissions": ["fly"]}))[0] == 422
    assert (await admin.call("PATCH", "/api/roles/rep", json=READER))[1]["error"] == "built_in"
    assert (await admin.call("DELETE", "/api/roles/admin"))[1]["error"] == "built_in"
    assert (await admin.call("DELETE", "/api/roles/none"))[0] == 404
    agent = await site.agent("rep")
    await admin.call("PATCH", f"/api/agents/{agent}", json={"role": key})
    assert (await admin.call("DELETE", f"/api/roles/{key}"))[1]["error"] == "role_in_use"
    await admin.call("PATCH", f"/api/agents/{agent}", json={"role": "rep"})
    assert (await admin.call("DELETE", f"/api/roles/{key}"))[0] == 204
    listed = await admin.get("/api/roles")
    assert set(listed["permissions"]) == EVERY
    assert key not in {one["key"] for one in listed["roles"]}


async def test_deleting_and_disabling_can_be_undone(site: Site) -> None:
    admin = await site.signed_in("admin")
    key = await made(site, admin)
    agent = await site.agent("rep")
    team = (await admin.post("/api/teams", {"name": "售前", "agent_ids": [agent]}, status=201))["id"]
    for method, path, body in (
        ("DELETE", f"/api/roles/{key}", None),
        ("DELETE", f"/api/teams/{team}", None),
        ("PATCH", f"/api/agents/{agent}", {"disabled": True}),
    ):
        async with admin.http.request(
            method, site.base + path, json=body, headers={"X-CSRF-Token": admin.csrf}
        ) as answer:
            step = answer.headers["X-Undo-Step"].split(";")[0]
        assert (await admin.post(f"/api/undo/{step}"))["restored"] == 1
    assert key in {one["key"] for one in (await admin.get("/api/roles"))["roles"]}
    assert (await admin.get("/api/teams"))["teams"] == [{"id": team, "name": "售前", "agent_ids": [agent]}]
    assert (await site.sign_in(agent)).me["agent"]["disabled"] is False


async def test_a_team_with_accounts_stays_and_members_see_at_once(site: Site) -> None:
    admin = await site.signed_in("admin")
    team = await site.team("售后")
    conversation = await site.conversation(await site.account(await site.connection(), team_id=team))
    rep = await site.signed_in("rep")
    assert (await rep.call("GET", f"/api/conversations/{conversation}"))[0] == 404
    body = {"name": "售后", "agent_ids": [rep.me["agent"]["id"]]}
    assert (await admin.call("PATCH", f"/api/teams/{team}", json=body))[0] == 200
    assert (await rep.call("GET", f"/api/conversations/{conversation}"))[0] == 200
    assert (await admin.call("DELETE", f"/api/teams/{team}"))[1]["error"] == "team_in_use"
    assert (await admin.call("PATCH", f"/api/teams/{team}", json={"name": "售后", "agent_ids": [999]}))[0] in (404, 422)
