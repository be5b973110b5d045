"""The second factor at the door: codes in time, each once; recovery codes; roles that must have one; resets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pyotp
import pytest

from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import PASSWORD, Browser, Site, running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def site(services: Services, clock: ManualClock) -> AsyncIterator[Site]:
    services.clock = clock
    async with running(services) as made:
        yield made


def code_of(secret: str, clock: ManualClock, *, steps: int = 0) -> str:
    return str(pyotp.TOTP(secret).generate_otp(int(clock.now().timestamp()) // 30 + steps))


async def enrolled(site: Site, clock: ManualClock, role: str = "rep") -> tuple[int, str, list[str]]:
    agent = await site.agent(role)
    browser = await site.sign_in(agent)
    made = await browser.post("/api/me/second-factor/begin", {"password": PASSWORD})
    assert made["qr_svg"].startswith("<svg")
    assert made["secret"] in made["uri"]
    codes = (await browser.post("/api/me/second-factor/confirm", {"code": code_of(made["secret"], clock)}))["codes"]
    clock.advance(60)
    return agent, made["secret"], codes


async def half_way(site: Site, agent: int) -> Browser:
    browser = await site.sign_in(agent)
    assert (browser.me["unfinished"], browser.me["permissions"]) == ("second", [])
    return browser


async def give(browser: Browser, code: str) -> tuple[int, Any]:
    return await browser.call("POST", "/api/session/code", json={"code": code})


async def test_a_password_alone_opens_nothing(site: Site, clock: ManualClock) -> None:
    agent, secret, _ = await enrolled(site, clock)
    browser = await half_way(site, agent)
    for route in site.table:
        if route.unfinished or route.permission == "public" or "{" in route.path:
            continue
        body = {"json": {}} if route.method in ("POST", "PATCH") and not route.upload else {}
        status, answer = await browser.call(route.method, route.path, **body)
        assert (status, answer["error"]) == (403, "unfinished"), route.path
    for path, body in (
        ("/api/me/password", {"json": {"old_password": PASSWORD, "new_password": "another long one 2"}}),
        ("/api/me/second-factor/begin", {"json": {"password": PASSWORD}}),
        ("/api/me/second-factor/confirm", {"json": {"code": code_of(secret, clock)}}),
    ):
        assert (await browser.call("POST", path, **body))[1]["error"] == "unfinished", path
    async with browser.http.get(f"{site.base}/ws") as answer:
        assert answer.status == 403
    status, me = await give(browser, code_of(secret, clock))
    assert (status, me["unfinished"]) == (200, "")
    assert "inbox.read" in me["permissions"]
    async with browser.socket():
        pass


async def test_a_code_counts_once_and_only_in_its_time(site: Site, clock: ManualClock) -> None:
    agent, secret, _ = await enrolled(site, clock)
    code = code_of(secret, clock)
    assert (await give(await half_way(site, agent), code))[0] == 200
    # Not again, in no session, and not the one before it either.
    again = await half_way(site, agent)
    assert (await give(again, code))[1]["error"] == "wrong_code"
    assert (await give(again, code_of(secret, clock, steps=-1)))[1]["error"] == "wrong_code"
    clock.advance(30)
    for steps in (-4, 4):
        assert (await give(again, code_of(secret, clock, steps=steps)))[1]["error"] == "wrong_code", steps
    # A phone that is half a minute ahead.
    assert (await give(again, code_of(secret, clock, steps=1)))[0] == 200


async def test_the_same_code_twice_at_once_opens_one_session(site: Site, clock: ManualClock) -> None:
    agent, secret, _ = await enrolled(site, clock)
    one, two = await half_way(site, agent), await half_way(site, agent)
    code = code_of(secret, clock)
    answers = await asyncio.gather(give(one, code), give(two, code))
    assert sorted(status for status, _ in answers) == [200, 401]


async def test_a_recovery_code_works_once(site: Site, clock: ManualClock) -> None:
    agent, _, codes = await enrolled(site, clock)
    assert len(set(codes)) == 10
    browser = await half_way(site, agent)
    assert (await give(browser, codes[0].upper()))[0] == 200
    assert (await browser.get("/api/me/second-factor"))["recovery_left"] == 9
    assert (await give(await half_way(site, agent), codes[0]))[1]["error"] == "wrong_code"
    fresh = (await browser.post("/api/me/second-factor/recovery", {"password": PASSWORD}))["codes"]
    assert (await give(await half_way(site, agent), codes[1]))[1]["error"] == "wrong_code"
    assert (await give(await half_way(site, agent), fresh[0]))[0] == 200
    stored = repr([dict(row) for row in await site.services.db.fetch("select * from recovery_code")])
    assert not any(code in stored for code in (*codes, *fresh))


async def test_secrets_are_sealed_and_never_told_again(site: Site, clock: ManualClock) -> None:
    agent, secret, _ = await enrolled(site, clock)
    row = await site.services.db.fetchrow("select * from second_factor")
    assert row is not None
    assert secret.encode() not in row["secret"]
    browser = await half_way(site, agent)
    await give(browser, code_of(secret, clock))
    assert secret not in repr(await browser.get("/api/me/second-factor"))
    assert (await browser.call("POST", "/api/me/second-factor/begin", json={"password": PASSWORD}))[1]["error"] == (
        "second_factor_exists"
    )
    trail = repr([dict(row) for row in await site.services.db.fetch("select * from audit_event")])
    assert secret not in trail


async def test_guessing_is_stopped_also_when_the_password_is_known(site: Site, clock: ManualClock) -> None:
    """Giving the right password between guesses does not start the count anew."""
    agent, _secret, _ = await enrolled(site, clock)
    rules = site.services.settings.sessions.attempts_per_minute
    answers = []
    for _ in range(rules + 1):
        status, answer = await site.stranger().call(
            "POST", "/api/session", json={"login": await login_of(site, agent), "password": PASSWORD}
        )
        if status != 200:
            answers.append(answer["error"])
            break
        browser = await half_way(site, agent)
        answers.append((await give(browser, "000000"))[1]["error"])
    assert answers[:-1] == ["wrong_code"] * (len(answers) - 1)
    assert answers[-1] == "too_many_requests"
    assert len(answers) <= rules + 1


async def login_of(site: Site, agent: int) -> str:
    return str(await site.services.db.fetchval("select login from agent where id = $1", agent))


async def test_a_role_that_needs_one_is_asked_at_once(site: Site, clock: ManualClock) -> None:
    admin, rep = await site.signed_in("admin"), await site.signed_in("rep")
    rules = {"second_factor_roles": ["rep"], "platform_sign_in": True, "platform_is_enough": True, "idle_minutes": 0}
    async with rep.socket() as live:
        assert (await admin.call("POST", "/api/settings/sign-in", json=rules))[0] == 200
        while await live.read() is not None:
            pass
        assert live.ws.close_code == 4401
    assert (await rep.call("GET", "/api/conversations"))[1]["error"] == "unfinished"
    assert (await rep.get("/api/session"))["unfinished"] == "enrol"
    # The password was given just now; setting it up finishes the session.
    made = await rep.post("/api/me/second-factor/begin", {})
    assert (await rep.call("POST", "/api/me/second-factor/confirm", json={"code": "000000"}))[1][
        "error"
    ] == "wrong_code"
    await rep.post("/api/me/second-factor/confirm", {"code": code_of(made["secret"], clock)})
    assert (await rep.call("GET", "/api/conversations"))[0] == 200
    assert (await rep.call("POST", "/api/me/second-factor/remove", json={"password": PASSWORD}))[1]["error"] == (
        "second_factor_required"
    )
    assert (await admin.call("GET", "/api/session"))[1]["unfinished"] == ""


async def test_removing_needs_the_password_and_an_admin_helps_with_a_lost_phone(site: Site, clock: ManualClock) -> None:
    agent, secret, _ = await enrolled(site, clock)
    browser = await half_way(site, agent)
    await give(browser, code_of(secret, clock))
    assert (await browser.call("POST", "/api/me/second-factor/remove", json={"password": "nope"}))[0] == 422
    admin = await site.signed_in("admin")
    people = {one["id"]: one for one in (await admin.get("/api/people"))["people"]}
    assert people[agent]["second_factor"] is True
    assert (await admin.call("DELETE", f"/api/agents/{agent}/second-factor"))[0] == 204
    assert (await browser.call("GET", "/api/session"))[0] == 401
    assert (await site.sign_in(agent)).me["unfinished"] == ""


async def test_half_a_session_ends_by_itself(site: Site, clock: ManualClock) -> None:
    agent, secret, _ = await enrolled(site, clock)
    browser = await half_way(site, agent)
    clock.advance(11 * 60)
    assert (await give(browser, code_of(secret, clock)))[0] == 401
