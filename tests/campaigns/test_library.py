"""Saved posts: versions, the second person, the last day, and campaigns that say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scrm.clock import ManualClock
from scrm.services import Services
from tests.campaigns.test_life import act, draft, patch, runs, seen, ticks
from tests.http.site import Browser, Site

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
BASE = "/api/campaign-contents"


@pytest.fixture
async def clock(services: Services) -> ManualClock:
    clock = services.clock = ManualClock(NOW)
    return clock


@pytest.fixture
async def marketer(site: Site, clock: ManualClock) -> Browser:
    return await site.signed_in("marketer")


@pytest.fixture
async def boss(site: Site, clock: ManualClock) -> Browser:
    return await site.signed_in("manager")


async def saved(who: Browser, text: str = "新品到店", **more: Any) -> dict[str, Any]:
    body = {"name": "新品", "posts": {"post": {"text": text}}, **more}
    made: dict[str, Any] = await who.post(BASE, body, status=201)
    return made


async def approve(who: Browser, one: dict[str, Any], version: int = 1, *, status: int = 200) -> Any:
    return await who.post(f"{BASE}/{one['id']}/approve", {"version": version}, status=status)


async def test_each_change_is_a_version_and_campaigns_get_the_approved_one(marketer: Browser, boss: Browser) -> None:
    post = await saved(marketer)
    assert (post["state"], post["may"]) == ("draft", ["change", "delete"])
    campaign = await draft(marketer, posts={})
    taking = {"content_id": post["id"]}
    assert (await act(marketer, campaign, "use", taking, status=409))["error"] == "not_approved"
    assert (await approve(boss, post))["state"] == "approved"
    path = f"{BASE}/{post['id']}"
    status, newer = await marketer.call("PATCH", path, json={"latest": 1, "posts": {"post": {"text": "第二版"}}})
    assert (status, newer["latest"], newer["approved"]) == (200, 2, 1)
    assert (await marketer.call("PATCH", path, json={"latest": 1, "name": "x"}))[0] == 409
    assert [one["posts"]["post"]["text"] for one in newer["versions"]] == ["第二版", "新品到店"]
    assert (await approve(boss, post, 1, status=409))["error"] == "changed_meanwhile"
    said = await act(marketer, campaign, "use", taking)
    assert (said["posts"]["post"]["text"], said["saved"]) == ("新品到店", {"id": post["id"], "version": 1})
    assert (await marketer.get(path))["uses"] == 1
    assert (await act(marketer, said, "copy", status=201))["saved"] == said["saved"]
    _, own = await patch(marketer, said, posts={"post": {"text": "自己写的"}})
    assert own["saved"] is None


async def test_nobody_approves_what_they_wrote(boss: Browser) -> None:
    post = await saved(boss)
    assert (await approve(boss, post, status=403))["error"] == "second_person"


async def test_what_expires_cannot_be_sent_afterwards(
    marketer: Browser, boss: Browser, services: Services, clock: ManualClock
) -> None:
    post = await saved(marketer, expires_on="2026-06-02")
    await approve(boss, post)
    late = {"mode": "at", "at": "2026-06-03T00:00:00+08:00"}
    campaign = await draft(marketer, schedule=late)
    await act(marketer, campaign, "use", {"content_id": post["id"]})
    assert (await act(marketer, campaign, "submit", status=409))["error"] == "content_expired"
    daily = {"mode": "recurring", "calendar": {"every": "day", "time": "12:00"}}
    await patch(marketer, await seen(marketer, campaign), schedule=daily)
    assert (await act(marketer, campaign, "submit"))["state"] == "scheduled"
    clock.advance(timedelta(hours=2))
    for _ in range(3):
        await ticks(services)
        clock.advance(timedelta(days=1))
    assert [(state, why) for _, state, why in await runs(services, campaign)] == [
        ("freezing", ""), ("freezing", ""), ("missed", "expired"),
    ]  # fmt: skip


async def test_the_list_finds_what_may_be_used(marketer: Browser, boss: Browser, clock: ManualClock) -> None:
    old, good, fresh = await saved(marketer, expires_on="2026-05-01"), await saved(marketer), await saved(marketer)
    for one in (old, good):
        await approve(boss, one)
    usable = await marketer.get(BASE, usable="true")
    assert [one["id"] for one in usable["contents"]] == [good["id"]]
    everything = await marketer.get(BASE, text="新品", limit=2)
    rest = await marketer.get(BASE, cursor=everything["cursor"])
    states = {one["id"]: one["state"] for one in (*everything["contents"], *rest["contents"])}
    assert states == {old["id"]: "expired", good["id"]: "approved", fresh["id"]: "draft"}
    assert (await marketer.call("DELETE", f"{BASE}/{fresh['id']}"))[0] == 204
    assert (await marketer.call("GET", f"{BASE}/{fresh['id']}"))[0] == 404


async def test_the_words_of_a_campaign_can_be_saved(marketer: Browser) -> None:
    campaign = await draft(marketer)
    kept = await marketer.post(BASE, {"name": "留着", "campaign_id": campaign["id"]}, status=201)
    assert kept["versions"][0]["posts"]["post"]["text"] == campaign["posts"]["post"]["text"]
    assert await marketer.post(BASE, {"name": "空"}, status=422)
