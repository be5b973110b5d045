"""Signing in, staying signed in, and being signed out."""

from __future__ import annotations

import pytest

from scrm.auth import COOKIE
from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import PASSWORD, Site, eventually, running


async def test_signing_in_gives_a_cookie_that_scripts_cannot_read(site: Site) -> None:
    await site.agent("rep", login="Li.Ting")
    browser = site.stranger()
    body = {"login": " li.ting ", "password": PASSWORD}
    async with browser.http.post(f"{site.base}/api/session", json=body) as answer:
        cookie = answer.headers["Set-Cookie"]
        me = await answer.json()
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert me["agent"]["login"] == "Li.Ting"
    assert me["permissions"] == sorted(me["permissions"])
    assert me["demo"] is False
    token = answer.cookies[COOKIE].value
    stored = await site.services.db.fetchrow("select * from session")
    assert stored is not None
    assert len(stored["token_hash"]) == 32
    assert token not in repr(dict(stored))
    assert (await browser.get("/api/session"))["csrf_token"] == me["csrf_token"]


async def test_a_wrong_password_and_an_unknown_login_look_the_same(site: Site) -> None:
    await site.agent("rep", login="liting")
    browser = site.stranger()
    wrong = await browser.call("POST", "/api/session", json={"login": "liting", "password": "not it at all"})
    unknown = await browser.call("POST", "/api/session", json={"login": "nobody", "password": "not it at all"})
    assert wrong == unknown
    assert wrong[0] == 401
    assert wrong[1]["error"] == "wrong_password"


async def test_a_disabled_agent_cannot_sign_in(site: Site) -> None:
    agent = await site.agent("rep", login="gone")
    await site.services.db.execute("update agent set disabled_at = now() where id = $1", agent)
    status, _ = await site.stranger().call("POST", "/api/session", json={"login": "gone", "password": PASSWORD})
    assert status == 401


async def test_too_many_failures_are_stopped_also_with_the_right_password(site: Site) -> None:
    await site.agent("rep", login="liting")
    await site.agent("rep", login="other")
    browser = site.stranger()
    allowed = site.services.settings.sessions.attempts_per_minute
    for _ in range(allowed):
        assert (await browser.call("POST", "/api/session", json={"login": "liting", "password": "wrong"}))[0] == 401
    async with browser.http.post(f"{site.base}/api/session", json={"login": "LiTing", "password": PASSWORD}) as answer:
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert (await browser.call("POST", "/api/session", json={"login": "other", "password": PASSWORD}))[0] == 200


async def test_successes_are_not_counted_as_attempts(site: Site) -> None:
    agent = await site.agent("rep")
    for _ in range(site.services.settings.sessions.attempts_per_minute + 3):
        await site.sign_in(agent)


async def test_attempts_are_counted_in_redis_by_all_processes(services: Services, redis_url: str) -> None:
    from pydantic import SecretStr

    redis = services.settings.redis.model_copy(update={"url": SecretStr(redis_url)})
    services.settings = services.settings.model_copy(update={"redis": redis})
    async with running(services) as one, running(services) as two:
        await one.agent("rep", login="liting")
        allowed = services.settings.sessions.attempts_per_minute
        for number in range(allowed):
            site = (one, two)[number % 2]
            assert (await site.stranger().call("POST", "/api/session", json={"login": "liting", "password": "x"}))[
                0
            ] == 401
        for site in (one, two):
            assert (await site.stranger().call("POST", "/api/session", json={"login": "liting", "password": "x"}))[
                0
            ] == 429


async def test_a_change_needs_the_csrf_token_of_the_session(site: Site) -> None:
    browser = await site.signed_in("rep")
    right, browser.csrf = browser.csrf, ""
    assert (await browser.call("PATCH", "/api/me", json={"name": "李婷"}))[1]["error"] == "csrf"
    other = await site.signed_in("rep")
    browser.csrf = other.csrf
    assert (await browser.call("PATCH", "/api/me", json={"name": "李婷"}))[0] == 403
    browser.csrf = right
    assert (await browser.call("PATCH", "/api/me", json={"name": "李婷"}))[1]["agent"]["name"] == "李婷"


async def test_another_site_cannot_sign_a_browser_in(site: Site) -> None:
    await site.agent("rep", login="liting")
    body = {"login": "liting", "password": PASSWORD}
    status, _ = await site.stranger().call(
        "POST", "/api/session", json=body, headers={"Origin": "https://evil.example"}
    )
    assert status == 403
    assert (await site.stranger().call("POST", "/api/session", json=body, headers={"Origin": site.base}))[0] == 200


async def test_signing_out_ends_the_session_and_forgets_the_cookie(site: Site) -> None:
    browser = await site.signed_in("rep")
    assert (await browser.call("DELETE", "/api/session"))[0] == 204
    assert (await browser.call("GET", "/api/session"))[0] == 401
    assert COOKIE not in {cookie.key for cookie in browser.http.cookie_jar if cookie.value}


async def test_a_session_that_is_ended_elsewhere_is_over_at_once(site: Site) -> None:
    agent = await site.agent("rep")
    phone, desk = await site.sign_in(agent), await site.sign_in(agent)
    listed = (await desk.get("/api/sessions"))["sessions"]
    assert [one["current"] for one in listed].count(True) == 1
    other = next(one["id"] for one in listed if not one["current"])
    assert (await phone.call("GET", "/api/session"))[0] == 200
    assert (await desk.call("DELETE", f"/api/sessions/{other}"))[0] == 204
    assert (await phone.call("GET", "/api/session"))[0] == 401
    assert (await desk.call("DELETE", f"/api/sessions/{other}"))[0] == 404


async def test_nobody_ends_the_session_of_somebody_else(site: Site) -> None:
    one, two = await site.signed_in("rep"), await site.signed_in("admin")
    theirs = (await one.get("/api/sessions"))["sessions"][0]["id"]
    assert (await two.call("DELETE", f"/api/sessions/{theirs}"))[0] == 404
    assert (await one.call("GET", "/api/session"))[0] == 200


async def test_a_session_ends_by_itself(services: Services) -> None:
    clock = ManualClock()
    services.clock = clock
    async with running(services) as site:
        browser = await site.signed_in("rep")
        clock.advance(services.settings.sessions.days * 86400 - 60)
        assert (await browser.call("GET", "/api/session"))[0] == 200
        clock.advance(120)
        assert (await browser.call("GET", "/api/session"))[0] == 401


async def test_a_new_password_ends_the_other_sessions(site: Site) -> None:
    agent = await site.agent("rep")
    here, there = await site.sign_in(agent), await site.sign_in(agent)
    wrong = {"old_password": "nope nope nope", "new_password": "another long one 2"}
    assert (await here.call("POST", "/api/me/password", json=wrong))[1]["fields"] == {
        "old_password": "This is not your password."
    }
    short = {"old_password": PASSWORD, "new_password": "short"}
    assert (await here.call("POST", "/api/me/password", json=short))[1]["error"] == "weak_password"
    right = {"old_password": PASSWORD, "new_password": "another long one 2"}
    assert (await here.call("POST", "/api/me/password", json=right))[0] == 204
    assert (await here.call("GET", "/api/session"))[0] == 200
    assert (await there.call("GET", "/api/session"))[0] == 401


async def test_an_api_token_works_without_a_cookie_and_ends(site: Site) -> None:
    browser = await site.signed_in("rep")
    made = await browser.post("/api/tokens", {"name": "报表"}, status=201)
    program = site.stranger()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert (await program.call("GET", "/api/session", headers=bearer))[1]["csrf_token"] == ""
    assert (await program.call("PATCH", "/api/me", headers=bearer, json={"language": "en"}))[0] == 200
    status, answer = await program.call("POST", "/api/tokens", headers=bearer, json={"name": "more"})
    assert (status, answer["error"]) == (403, "session_needed")
    listed = (await browser.get("/api/tokens"))["tokens"]
    assert [(one["name"], one["used_at"] is not None) for one in listed] == [("报表", True)]
    stored = await site.services.db.fetchrow("select * from api_token")
    assert stored is not None
    assert made["token"] not in repr(dict(stored))
    assert (await browser.call("DELETE", f"/api/tokens/{made['id']}"))[0] == 204
    assert (await program.call("GET", "/api/session", headers=bearer))[0] == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "Bearer \udcff"])
async def test_a_broken_token_is_nobody(site: Site, header: str) -> None:
    browser = await site.signed_in("rep")
    raw = header.encode("utf-8", "surrogateescape").decode("latin-1")
    assert (await browser.call("GET", "/api/session", headers={"Authorization": raw}))[0] == 401


async def test_what_happens_around_signing_in_is_written_down(site: Site) -> None:
    agent = await site.agent("rep", login="liting")
    await site.stranger().call("POST", "/api/session", json={"login": "liting", "password": "wrong"})
    browser = await site.sign_in(agent)
    await browser.post("/api/tokens", {"name": "x"}, status=201)
    await browser.call("DELETE", "/api/session")
    trail = await site.services.db.fetch("select action, agent_id, address, detail from audit_event order by id")
    assert [row["action"] for row in trail] == [
        "agent.created", "session.refused", "session.opened", "token.created", "session.closed",
    ]  # fmt: skip
    assert {row["agent_id"] for row in trail[1:]} == {agent}
    assert {row["address"] for row in trail[1:]} == {"127.0.0.1"}
    assert PASSWORD not in repr([dict(row) for row in trail])


async def test_the_address_of_a_client_behind_a_trusted_proxy(services: Services) -> None:
    server = services.settings.server.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})
    services.settings = services.settings.model_copy(update={"server": server})
    async with running(services) as site:
        await site.agent("rep", login="liting")
        body = {"login": "liting", "password": PASSWORD}
        headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 127.0.0.5"}
        assert (await site.stranger().call("POST", "/api/session", json=body, headers=headers))[0] == 200
    assert await services.db.fetchval("select address from session") == "203.0.113.9"


async def test_nobody_else_may_claim_an_address(site: Site) -> None:
    await site.agent("rep", login="liting")
    body = {"login": "liting", "password": PASSWORD}
    await site.stranger().call("POST", "/api/session", json=body, headers={"X-Forwarded-For": "203.0.113.9"})
    assert await site.services.db.fetchval("select address from session") == "127.0.0.1"


async def test_a_session_remembers_when_it_was_seen(services: Services) -> None:
    clock = ManualClock()
    services.clock = clock
    async with running(services) as site:
        browser = await site.signed_in("rep")
        clock.advance(3600)
        await services.bus.ring("session", [0])

        async def seen() -> bool:
            listed = (await browser.get("/api/sessions"))["sessions"]
            return bool(listed[0]["seen_at"] > listed[0]["created_at"])

        await eventually(seen)
