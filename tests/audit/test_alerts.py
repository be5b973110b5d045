"""Alerts: raised once, told to those who may review, seen within reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from audit.alerts.raising import NewAlert, raise_alerts
from scrm.services import Services
from tests.http.site import START, Site, running


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as site:
        yield site


def an_alert(conversation_id: int | None, fingerprint: str = "one", **changes: Any) -> NewAlert:
    title = {"zh-CN": "大额红包", "en": "A large red packet"}
    return replace(NewAlert("money", "high", title, fingerprint, START, conversation_id=conversation_id), **changes)


async def raised(services: Services, *alerts: NewAlert) -> int:
    async with services.work() as work:
        return await raise_alerts(work, alerts)


async def test_the_same_twice_is_one_alert_and_one_notice(site: Site) -> None:
    reviewer = await site.agent("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    one, other = an_alert(conversation), an_alert(conversation, "two")
    assert await raised(site.services, one, one, other) == 2
    assert await raised(site.services, one) == 0
    told = await site.services.db.fetch("select data from notification where agent_id = $1", reviewer)
    assert [row["data"]["alert_kind"] for row in told] == ["money"]


async def test_a_look_into_the_past_rings_no_bell(site: Site) -> None:
    await site.agent("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    assert await raised(site.services, an_alert(conversation, quiet=True)) == 1
    assert await site.services.db.fetchval("select count(*) from notification") == 0


async def test_alerts_are_seen_within_reach_and_nobody_else_is_told(site: Site) -> None:
    db = site.services.db
    await db.execute(
        "insert into role (key, name, permissions, reach) values ('checker', '质检员', '{audit.read,audit.review}', 'team')"
    )
    ours, theirs = await site.team("一组"), await site.team("二组")
    connection = await site.connection()
    mine = await site.account(connection, team_id=ours)
    foreign = await site.account(connection, team_id=theirs)
    here, there = await site.conversation(mine), await site.conversation(foreign)
    checker = await site.agent("checker", teams=(ours,))
    browser, auditor = await site.sign_in(checker), await site.signed_in("auditor")
    await raised(
        site.services,
        an_alert(here, "here"),
        an_alert(there, "there", kind="other"),
        an_alert(None, "my account", account_id=mine, kind="account"),
        an_alert(None, "their account", account_id=foreign, kind="their_account"),
        an_alert(None, "nobody's", kind="nobody"),
    )
    page = await browser.get("/api/audit/alerts")
    assert [one["kind"] for one in page["alerts"]] == ["account", "money"]
    assert len((await auditor.get("/api/audit/alerts"))["alerts"]) == 5
    for one in (await auditor.get("/api/audit/alerts"))["alerts"]:
        status, _ = await browser.call("GET", f"/api/audit/alerts/{one['id']}")
        assert status == (200 if one["kind"] in ("account", "money") else 404)
    told = await db.fetch("select data from notification where agent_id = $1", checker)
    assert {row["data"]["alert_kind"] for row in told} == {"account", "money"}


async def test_pages_follow_one_another(site: Site) -> None:
    browser = await site.signed_in("auditor")
    conversation = await site.conversation(await site.account(await site.connection()))
    await raised(site.services, *[an_alert(conversation, f"{n}") for n in range(7)])
    found: list[int] = []
    cursor = None
    while True:
        page = await browser.get("/api/audit/alerts", limit=3, cursor=cursor, state="open", severity="high")
        found += [one["id"] for one in page["alerts"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == 7
    assert found == sorted(found, reverse=True)
