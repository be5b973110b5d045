"""Rules of the company: passwords wherever one is set, lockout, first sign-in, age, idle sessions; narrow tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import PASSWORD, Browser, Site, running

RULES = {
    "min_length": 12, "classes": 3, "history": 3, "max_age_days": 0, "lockout_after": 4, "lockout_minutes": 10,
}  # fmt: skip
GOOD = ("Long enough words 1", "Long enough words 2", "Long enough words 3", "Long enough words 4")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def site(services: Services, clock: ManualClock) -> AsyncIterator[Site]:
    services.clock = clock
    async with running(services) as made:
        yield made


async def strict(site: Site, **change: Any) -> Browser:
    admin = await site.signed_in("admin")
    assert (await admin.call("POST", "/api/settings/passwords", json={**RULES, **change}))[0] == 200
    return admin


@pytest.mark.parametrize(
    "weak",
    [
        "Short word1",
        "only lower case",
        "wangfang is Here 1",
        "Password1234!",
        "1Qaz2wsx3edc!",
        "Aaaaaa111111",
        "王芳芳芳 is Here 1",
    ],
)
async def test_the_rules_hold_wherever_a_password_is_set(site: Site, weak: str) -> None:
    admin = await strict(site)
    new = {"login": "wangfang", "name": "王芳芳芳", "role": "rep"}
    assert (await admin.call("POST", "/api/agents", json={**new, "password": weak}))[1]["error"] == "weak_password"
    made = await admin.post("/api/agents", {**new, "password": GOOD[0]}, status=201)
    one = f"/api/agents/{made['id']}"
    assert (await admin.call("PATCH", one, json={"password": weak}))[1]["error"] == "weak_password"
    assert (await admin.call("POST", f"{one}/password", json={"password": weak}))[1]["error"] == "weak_password"
    browser = site.stranger()
    me = await browser.post("/api/session", {"login": "wangfang", "password": GOOD[0]})
    browser.csrf = me["csrf_token"]
    body = {"old_password": GOOD[0], "new_password": weak}
    assert (await browser.call("POST", "/api/me/password", json=body))[1]["error"] == "weak_password"


async def test_earlier_passwords_do_not_come_back(site: Site) -> None:
    await strict(site)
    browser = await site.signed_in("rep")
    before = PASSWORD
    for wanted in GOOD:
        body = {"old_password": before, "new_password": wanted}
        assert (await browser.call("POST", "/api/me/password", json=body))[0] == 204, wanted
        before = wanted
    for old, status in ((GOOD[3], 422), (GOOD[2], 422), (GOOD[1], 422), (GOOD[0], 204)):
        body = {"old_password": before, "new_password": old}
        assert (await browser.call("POST", "/api/me/password", json=body))[0] == status, old


async def test_a_given_password_must_be_changed_first(site: Site) -> None:
    admin, agent = await site.signed_in("admin"), await site.agent("rep", login="liting")
    made = (await admin.post(f"/api/agents/{agent}/password", {}))["password"]
    browser = site.stranger()
    me = await browser.post("/api/session", {"login": "liting", "password": made})
    browser.csrf = me["csrf_token"]
    assert (me["unfinished"], me["permissions"]) == ("password", [])
    assert (await browser.call("GET", "/api/conversations"))[1]["error"] == "unfinished"
    body = {"old_password": made, "new_password": "quite another one 5"}
    assert (await browser.call("POST", "/api/me/password", json=body))[0] == 204
    assert (await browser.call("GET", "/api/conversations"))[0] == 200


async def test_a_password_grows_old(site: Site, clock: ManualClock) -> None:
    browser = await site.signed_in("rep")
    await strict(site, max_age_days=5)
    assert (await browser.get("/api/session"))["unfinished"] == ""
    clock.advance(6 * 86400)
    await site.services.bus.ring("session", [])
    assert (await browser.get("/api/session"))["unfinished"] == "password"


@pytest.mark.parametrize("login", ["liting", "nobody"])
async def test_a_login_rests_after_failures_whether_or_not_it_exists(
    site: Site, clock: ManualClock, login: str
) -> None:
    await strict(site)
    await site.agent("rep", login="liting")
    browser = site.stranger()
    answers = []
    for _ in range(6):
        status, body = await browser.call("POST", "/api/session", json={"login": login, "password": "wrong"})
        answers.append((status, body["error"]))
    assert answers == [(401, "wrong_password")] * 4 + [(429, "locked")] * 2
    right = {"login": login.upper(), "password": PASSWORD}
    assert (await browser.call("POST", "/api/session", json=right))[1]["error"] == "locked"
    clock.advance(10 * 60 + 1)
    assert (await browser.call("POST", "/api/session", json=right))[0] == (200 if login == "liting" else 401)


async def test_an_idle_session_ends_with_its_socket(site: Site, clock: ManualClock) -> None:
    admin = await site.signed_in("admin")
    browser = await site.signed_in("rep")
    rules = {"second_factor_roles": [], "platform_sign_in": True, "platform_is_enough": True, "idle_minutes": 10}
    assert (await admin.call("POST", "/api/settings/sign-in", json={**rules, "idle_minutes": 2}))[0] == 422
    await admin.post("/api/settings/sign-in", rules)
    async with browser.socket() as live:
        clock.advance(9 * 60)
        assert (await browser.call("GET", "/api/session"))[0] == 200
        clock.advance(9 * 60)
        assert (await browser.call("GET", "/api/session"))[0] == 200
        clock.advance(11 * 60)
        await site.services.bus.ring("session", [])
        while await live.read() is not None:
            pass
        assert live.ws.close_code == 4401
    assert (await browser.call("GET", "/api/session"))[0] == 401


async def test_all_other_sessions_end_at_once(site: Site) -> None:
    agent = await site.agent("rep")
    here, there, phone = [await site.sign_in(agent) for _ in range(3)]
    assert (await here.call("DELETE", "/api/sessions"))[0] == 204
    assert [(await one.call("GET", "/api/session"))[0] for one in (here, there, phone)] == [200, 401, 401]
    admin = await site.signed_in("admin")
    listed = (await admin.get(f"/api/agents/{agent}/sessions"))["sessions"]
    assert (await admin.call("DELETE", f"/api/agents/{agent}/sessions/{listed[0]['id']}"))[0] == 204
    assert (await here.call("GET", "/api/session"))[0] == 401


async def test_a_token_has_some_of_its_agents_permissions_never_more(site: Site) -> None:
    rep = await site.signed_in("rep")
    assert (await rep.call("POST", "/api/tokens", json={"name": "x", "permissions": ["fly"]}))[0] == 422
    beyond = {"name": "x", "permissions": ["connections.read"]}
    assert (await rep.call("POST", "/api/tokens", json=beyond))[1]["error"] == "beyond_you"
    made = await rep.post("/api/tokens", {"name": "x", "permissions": ["customers.read", "inbox.read"]}, status=201)
    bearer = {"Authorization": f"Bearer {made['token']}"}
    program = site.stranger()
    assert (await program.call("GET", "/api/session", headers=bearer))[1]["permissions"] == [
        "customers.read",
        "inbox.read",
    ]
    assert (await program.call("GET", "/api/conversations", headers=bearer))[0] == 200
    assert (await program.call("GET", "/api/agents", headers=bearer))[0] == 403
    assert (await rep.get("/api/tokens"))["tokens"][0]["permissions"] == ["customers.read", "inbox.read"]
    # What the agent loses, the token loses.
    await site.services.db.execute("update agent set role = 'marketer' where id = $1", rep.me["agent"]["id"])
    await site.services.bus.ring("token", [made["id"]])
    assert (await program.call("GET", "/api/conversations", headers=bearer))[0] == 403
    # A narrow program makes nothing wider than itself.
    assert (await program.call("DELETE", "/api/me/identities/1", headers=bearer))[0] == 404
    assert (await program.call("POST", "/api/me/second-factor/begin", headers=bearer, json={}))[1]["error"] == (
        "session_needed"
    )


async def test_the_trail_is_read_filtered_and_in_pages(site: Site) -> None:
    auditor = await site.signed_in("auditor")
    agents = [await site.agent("rep") for _ in range(5)]
    page = await auditor.get("/api/trail", action="agent", limit=4)
    assert [line["object_id"] for line in page["lines"]] == agents[:0:-1]
    rest = await auditor.get("/api/trail", action="agent.created", limit=4, cursor=page["next_cursor"])
    assert [line["object_id"] for line in rest["lines"]] == [agents[0], auditor.me["agent"]["id"]]
    assert rest["next_cursor"] is None
    mine = await auditor.get("/api/trail", agent_id=auditor.me["agent"]["id"])
    assert [line["action"] for line in mine["lines"]] == ["trail.read", "session.opened"]
    assert (await auditor.call("GET", "/api/trail?cursor=zz"))[0] == 422
    assert (await (await site.signed_in("manager")).call("GET", "/api/trail"))[0] == 403


async def test_a_connection_goes_only_when_nothing_is_lost_and_its_name_is_typed(site: Site) -> None:
    admin = await site.signed_in("admin")
    used, unused = await site.connection(), await site.connection()
    account = await site.account(used)
    await site.conversation(account)
    assert (await admin.call("POST", f"/api/connections/{unused}/delete", json={"name": "other"}))[0] == 422
    refused = await admin.call("POST", f"/api/connections/{used}/delete", json={"name": "企业微信"})
    assert refused[1]["error"] == "connection_in_use"
    for _ in range(2):
        await admin.post(f"/api/connections/{unused}/test")
    errors = (await admin.get(f"/api/connections/{unused}/errors"))["errors"]
    assert [one["n"] for one in errors] == [2]
    assert (await admin.call("POST", f"/api/connections/{unused}/delete", json={"name": "企业微信"}))[0] == 204
    assert [one["id"] for one in (await admin.get("/api/connections"))["connections"]] == [used]
    second = await site.account(used)
    ordered = await admin.post("/api/accounts/order", {"account_ids": [second, account]})
    assert [one["id"] for one in ordered["accounts"]] == [second, account]
    assert (await admin.call("POST", "/api/accounts/order", json={"account_ids": [999]}))[0] == 422
