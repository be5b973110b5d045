"""Signing in by WeCom's QR code, against the simulated platform: bound people only, in the browser that began, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scrm.clock import ManualClock
from scrm.services import Services
from simulator.wecom.server import WecomSimulator
from tests.http.site import Browser, Site, running

CORP = "ww0123456789abcdef"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def wecom() -> AsyncIterator[WecomSimulator]:
    async with WecomSimulator() as simulator:
        simulator.control.create_app(CORP, "s" * 43)
        simulator.control.create_member(CORP, "LiTing", "李婷")
        simulator.control.create_member(CORP, "WangWu", "王五")
        yield simulator


@pytest.fixture
async def site(services: Services, clock: ManualClock, wecom: WecomSimulator) -> AsyncIterator[Site]:
    services.clock = clock
    async with running(services) as made:
        yield made


async def connected(site: Site, wecom: WecomSimulator, agent_id: str = "1000002") -> int:
    settings = {"corp_id": CORP, "agent_id": agent_id, "base_url": wecom.base_url, "login_url": wecom.base_url}
    secrets = {"secret": "s" * 43, "token": "tokentoken", "encoding_aes_key": "k" * 43}
    async with site.services.work() as work:
        made = await site.services.connections.create(work, "wecom", "企业微信", settings, secrets)
    await site.services.connections.refresh()
    return made


async def away(browser: Browser, url: str) -> str:
    """Begins, and returns the platform's address that the browser is sent to."""
    async with browser.http.get(url, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        return str(answer.headers["Location"])


async def scanned(browser: Browser, address: str, who: str) -> str:
    """Somebody scans; the address with the code that the browser is sent back to."""
    async with browser.http.post(address, data={"who": who}, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        return str(answer.headers["Location"])


async def came_back(browser: Browser, address: str) -> str:
    async with browser.http.get(address, allow_redirects=False) as answer:
        assert answer.status == 302
        return str(answer.headers["Location"])


async def bound(site: Site, connection: int, role: str = "rep", who: str = "liting") -> int:
    admin, agent = await site.signed_in("admin"), await site.agent(role)
    body = {"connection_id": connection, "external_id": who}
    assert (await admin.call("POST", f"/api/agents/{agent}/identities", json=body))[0] == 201
    return agent


async def test_a_scan_signs_in_whom_an_administrator_bound(site: Site, wecom: WecomSimulator) -> None:
    connection = await connected(site, wecom)
    # Bound as typed; the platform does not tell upper from lower case.
    agent = await bound(site, connection, who="LITING")
    browser = site.stranger()
    assert [one["connection_id"] for one in (await browser.get("/api/sign-in"))["ways"]] == [connection]
    address = await away(browser, f"{site.base}/api/sign-in/{connection}?next=/inbox?view=mine")
    query = parse_qs(urlsplit(address).query)
    assert query["appid"] == [CORP]
    assert query["state"][0].isalnum()
    assert await came_back(browser, await scanned(browser, address, "LiTing")) == "/inbox?view=mine"
    me = await browser.get("/api/session")
    assert (me["agent"]["id"], me["unfinished"]) == (agent, "")
    trail = await site.services.db.fetchrow(
        "select detail from audit_event where action = 'session.opened' and agent_id = $1", agent
    )
    assert trail is not None
    assert trail["detail"] == {"way": "platform"}


async def test_who_is_not_bound_or_not_of_the_company_stays_outside(site: Site, wecom: WecomSimulator) -> None:
    connection = await connected(site, wecom)
    await bound(site, connection)
    browser = site.stranger()
    for who, problem in (("WangWu", "unknown_person"), ("outsider:", "platform_refused")):
        back = await scanned(browser, await away(browser, f"{site.base}/api/sign-in/{connection}"), who)
        assert await came_back(browser, back) == f"/sign-in?problem={problem}"
    given_up = await away(browser, f"{site.base}/api/sign-in/{connection}")
    state = parse_qs(urlsplit(given_up).query)["state"][0]
    assert await came_back(browser, f"{site.base}/oauth/sign-in?state={state}") == "/sign-in?problem=not_scanned"
    assert (await browser.call("GET", "/api/session"))[0] == 401


async def test_a_scan_is_good_only_in_the_browser_that_began_and_once(site: Site, wecom: WecomSimulator) -> None:
    connection = await connected(site, wecom)
    await bound(site, connection)
    attacker, victim = site.stranger(), site.stranger()
    back = await scanned(attacker, await away(attacker, f"{site.base}/api/sign-in/{connection}"), "LiTing")
    # Sent to somebody else, who would work in the attacker's name from then on.
    assert await came_back(victim, back) == "/sign-in?problem=bad_state"
    assert (await victim.call("GET", "/api/session"))[0] == 401
    cookie = {one.key: one.value for one in attacker.http.cookie_jar}["scrm_trip"]
    assert await came_back(attacker, back) == "/"
    # The same answer again, also with the cookie put back.
    replay = site.stranger()
    replay.http.cookie_jar.update_cookies({"scrm_trip": cookie})
    assert (await came_back(replay, back)).startswith("/sign-in?problem=")
    code = wecom.control.scan_to_sign_in(CORP, "LiTing")
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert (
        await came_back(replay, f"{site.base}/oauth/sign-in?state={state}&code={code}") == "/sign-in?problem=bad_state"
    )
    assert (await replay.call("GET", "/api/session"))[0] == 401


async def test_a_trip_ends_and_a_scan_too(site: Site, wecom: WecomSimulator, clock: ManualClock) -> None:
    connection = await connected(site, wecom)
    await bound(site, connection)
    browser = site.stranger()
    back = await scanned(browser, await away(browser, f"{site.base}/api/sign-in/{connection}"), "LiTing")
    clock.advance(11 * 60)
    assert await came_back(browser, back) == "/sign-in?problem=too_late_back"
    back = await scanned(browser, await away(browser, f"{site.base}/api/sign-in/{connection}"), "LiTing")
    wecom.control.advance_clock(301)
    assert await came_back(browser, back) == "/sign-in?problem=platform_refused"


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_nobody_is_sent_elsewhere_afterwards(site: Site, wecom: WecomSimulator, onward: str) -> None:
    connection = await connected(site, wecom)
    await bound(site, connection)
    browser = site.stranger()
    async with browser.http.get(
        f"{site.base}/api/sign-in/{connection}", params={"next": onward}, allow_redirects=False
    ) as answer:
        address = answer.headers["Location"]
    assert await came_back(browser, await scanned(browser, address, "LiTing")) == "/"


async def test_one_binds_oneself_in_ones_own_session_only(site: Site, wecom: WecomSimulator) -> None:
    connection = await connected(site, wecom)
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    address = (await rep.post("/api/me/identities", {"connection_id": connection}))["url"]
    back = await scanned(rep, address, "WangWu")
    assert await came_back(other, back) == "/sign-in?problem=bad_state"
    assert await came_back(rep, back) == "/settings/security?identity=bound"
    mine = (await rep.get("/api/me/identities"))["identities"]
    assert [one["external_id"] for one in mine] == ["wangwu"]
    address = (await other.post("/api/me/identities", {"connection_id": connection}))["url"]
    assert (
        await came_back(other, await scanned(other, address, "WangWu")) == "/settings/security?identity=identity_taken"
    )
    assert (await other.call("DELETE", f"/api/me/identities/{mine[0]['id']}"))[0] == 404
    assert (await rep.call("DELETE", f"/api/me/identities/{mine[0]['id']}"))[0] == 204
    fresh = site.stranger()
    back = await scanned(fresh, await away(fresh, f"{site.base}/api/sign-in/{connection}"), "WangWu")
    assert await came_back(fresh, back) == "/sign-in?problem=unknown_person"


async def test_disabled_people_and_a_closed_door(site: Site, wecom: WecomSimulator) -> None:
    connection = await connected(site, wecom)
    agent = await bound(site, connection)
    await site.services.db.execute("update agent set disabled_at = now() where id = $1", agent)
    browser = site.stranger()
    back = await scanned(browser, await away(browser, f"{site.base}/api/sign-in/{connection}"), "LiTing")
    assert await came_back(browser, back) == "/sign-in?problem=disabled"
    admin = await site.signed_in("admin")
    rules = {"second_factor_roles": [], "platform_sign_in": False, "platform_is_enough": True, "idle_minutes": 0}
    await admin.post("/api/settings/sign-in", rules)
    assert (await browser.get("/api/sign-in"))["ways"] == []
    assert (await browser.call("GET", f"/api/sign-in/{connection}"))[0] == 403


async def test_a_scan_is_enough_or_not_as_the_company_decides(
    site: Site, wecom: WecomSimulator, clock: ManualClock
) -> None:
    connection = await connected(site, wecom)
    await bound(site, connection, role="manager")
    admin = await site.signed_in("admin")

    async def unfinished(**change: Any) -> str:
        rules = {"second_factor_roles": ["manager"], "platform_sign_in": True, "platform_is_enough": True}
        await admin.post("/api/settings/sign-in", {**rules, "idle_minutes": 0, **change})
        browser = site.stranger()
        back = await scanned(browser, await away(browser, f"{site.base}/api/sign-in/{connection}"), "LiTing")
        await came_back(browser, back)
        return str((await browser.get("/api/session"))["unfinished"])

    assert await unfinished() == ""
    assert await unfinished(platform_is_enough=False) == "enrol"


async def test_a_connection_without_an_app_id_offers_nothing(site: Site, wecom: WecomSimulator) -> None:
    connection = await connected(site, wecom, agent_id="")
    browser = site.stranger()
    assert (await browser.get("/api/sign-in"))["ways"] == []
    assert (await browser.call("GET", f"/api/sign-in/{connection}"))[0] == 404
    admin, agent = await site.signed_in("admin"), await site.agent("rep")
    body = {"connection_id": connection, "external_id": "liting"}
    assert (await admin.call("POST", f"/api/agents/{agent}/identities", json=body))[0] == 422
