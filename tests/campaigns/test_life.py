"""The life of a campaign over HTTP: written, submitted, approved, paused, ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from campaigns.life.ending import run_ended
from campaigns.life.starting import start_due
from campaigns.life.waiting import tell_of_waiting
from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import Browser, Site

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
TOKENS = count(1)


@pytest.fixture
async def clock(services: Services) -> ManualClock:
    clock = services.clock = ManualClock(NOW)
    return clock


@pytest.fixture
async def boss(site: Site, clock: ManualClock) -> AsyncIterator[Browser]:
    return await site.signed_in("manager")


@pytest.fixture
async def marketer(site: Site, clock: ManualClock) -> AsyncIterator[Browser]:
    return await site.signed_in("marketer")


async def draft(who: Browser, **parts: Any) -> dict[str, Any]:
    body = {"client_token": f"campaign-{next(TOKENS)}", "name": "六月问候", **parts}
    body.setdefault("posts", {"post": {"text": "{{greeting}}，新品到了"}})
    made: dict[str, Any] = await who.post("/api/campaigns", body, status=201)
    return made


async def act(who: Browser, campaign: dict[str, Any], verb: str, body: Any = None, *, status: int = 200) -> Any:
    return await who.post(f"/api/campaigns/{campaign['id']}/{verb}", body, status=status)


async def patch(who: Browser, campaign: dict[str, Any], **parts: Any) -> tuple[int, Any]:
    body = {"version": campaign["version"], **parts}
    return await who.call("PATCH", f"/api/campaigns/{campaign['id']}", json=body)


async def seen(who: Browser, campaign: dict[str, Any]) -> Any:
    return await who.get(f"/api/campaigns/{campaign['id']}")


async def rules(who: Browser, **parts: Any) -> None:
    kept = await who.get("/api/campaigns/settings")
    assert (await who.call("PATCH", "/api/campaigns/settings", json={**kept, **parts}))[0] == 200


async def ticks(services: Services) -> None:
    while await start_due(services):
        pass


async def end_runs(services: Services, campaign: dict[str, Any]) -> None:
    async with services.work() as work:
        await work.tx.execute(
            "update campaign_run set state = 'done', finished_at = $2 where campaign_id = $1 and state in ('freezing', 'running')",
            campaign["id"], work.now,
        )  # fmt: skip
        await run_ended(work, campaign["id"])


async def runs(services: Services, campaign: dict[str, Any]) -> list[tuple[datetime, str, str]]:
    rows = await services.db.fetch(
        "select due_at, state, reason ->> 'code' as why from campaign_run where campaign_id = $1 order by due_at",
        campaign["id"],
    )
    return [(row["due_at"], row["state"], row["why"] or "") for row in rows]


async def test_a_draft_is_written_once_read_changed_copied_deleted_and_brought_back(marketer: Browser) -> None:
    body = {"client_token": "once-and-only", "name": "问候", "posts": {"post": {"text": "你好 {{customer.name}}"}}}
    first = await marketer.post("/api/campaigns", body, status=201)
    assert (await marketer.post("/api/campaigns", body, status=201))["id"] == first["id"]
    assert first["state"] == "draft"
    assert first["may"] == ["edit", "rename", "test", "submit", "copy", "delete"]
    status, changed = await patch(marketer, first, name="新问候", posts={"post": {"text": "早"}})
    assert status == 200
    assert (changed["name"], changed["posts"]["post"]["text"]) == ("新问候", "早")
    status, answer = await patch(marketer, first, name="又一个")
    assert (status, answer["error"]) == (409, "changed_meanwhile")
    copied = await act(marketer, first, "copy", status=201)
    assert (copied["name"], copied["state"], copied["posts"]) == (
        "新问候（副本）",
        "draft",
        {**changed["posts"]},
    )
    listed = await marketer.get("/api/campaigns", text="副本", state="draft,waiting")
    assert [one["id"] for one in listed["campaigns"]] == [copied["id"]]
    page = await marketer.get("/api/campaigns", limit=1)
    rest = await marketer.get("/api/campaigns", cursor=page["cursor"])
    assert [one["id"] for one in (*page["campaigns"], *rest["campaigns"])] == [copied["id"], first["id"]]
    assert (await marketer.call("DELETE", f"/api/campaigns/{first['id']}"))[0] == 204
    assert (await marketer.call("GET", f"/api/campaigns/{first['id']}"))[0] == 404
    step = await marketer.http.delete(
        f"{marketer.base}/api/campaigns/{copied['id']}", headers={"X-CSRF-Token": marketer.csrf}
    )
    await marketer.post(f"/api/undo/{step.headers['X-Undo-Step'].split(';')[0]}")
    assert (await seen(marketer, copied))["state"] == "draft"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"posts": {"post": {"text": "{{customer.shoe}}"}}}, "posts.post"),
        ({"posts": {"variants": {"pigeon": {"text": "x"}}}}, "posts.variants.pigeon"),
        ({"schedule": {"mode": "at"}}, "schedule.at"),
        ({"schedule": {"mode": "recurring"}}, "schedule.calendar"),
        ({"schedule": {"mode": "recurring", "cron": "*/5 * * * *"}}, "schedule.cron"),
        ({"schedule": {"mode": "recurring", "cron": "0 9 31 2 *"}}, "schedule.cron"),
        ({"schedule": {"mode": "recurring", "cron": "61 9 * * *"}}, "schedule.cron"),
        ({"schedule": {"zone": "Mars/Olympus"}}, "schedule.zone"),
        ({"audience": {"filter": {"parts": [{"field": "owner", "op": "in", "value": ["me"]}]}}}, "audience"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_field(
    marketer: Browser, parts: dict[str, Any], field: str
) -> None:
    body = {"client_token": "nonsense-1", "name": "错", **parts}
    answer = await marketer.post("/api/campaigns", body, status=422)
    assert list(answer["fields"]) == [field]


async def test_a_small_one_starts_at_once_and_is_done_when_its_run_is(marketer: Browser, services: Services) -> None:
    campaign = await draft(marketer)
    assert (await act(marketer, campaign, "submit"))["state"] == "scheduled"
    await ticks(services)
    now = await seen(marketer, campaign)
    assert (now["state"], now["last_run"]["state"]) == ("running", "freezing")
    await end_runs(services, campaign)
    assert (await seen(marketer, campaign))["state"] == "done"
    bell = await marketer.get("/api/notifications")
    assert [one["kind"] for one in bell["notifications"]] == ["campaign_finished"]


async def test_an_empty_one_and_one_in_the_past_cannot_be_submitted(marketer: Browser) -> None:
    empty = await draft(marketer, posts={"post": {"text": " "}})
    assert "posts.post" in (await act(marketer, empty, "submit", status=422))["fields"]
    past = await draft(marketer, schedule={"mode": "at", "at": "2026-05-01T08:00:00+08:00"})
    assert "schedule.at" in (await act(marketer, past, "submit", status=422))["fields"]


async def test_a_second_person_approves_what_the_rules_name(
    site: Site, marketer: Browser, boss: Browser, services: Services
) -> None:
    await rules(boss, approve_roles=["marketer"])
    campaign = await draft(marketer)
    waiting = await act(marketer, campaign, "submit")
    assert (waiting["state"], waiting["approval"], waiting["next_at"]) == ("waiting", "role", None)
    asked = await boss.get("/api/notifications")
    assert [(one["kind"], one["data"]["name"]) for one in asked["notifications"]] == [("campaign_asked", "六月问候")]
    refused = await act(boss, campaign, "decide", {"approve": False, "note": "太长"})
    assert (refused["state"], refused["decision_note"]) == ("draft", "太长")
    heard = await marketer.get("/api/notifications")
    assert heard["notifications"][0]["kind"] == "campaign_refused"
    await act(marketer, campaign, "submit")
    approved = await act(boss, campaign, "decide", {"approve": True, "version": refused["version"]})
    assert approved["state"] == "scheduled"
    assert approved["decided_by"]["id"] == boss.me["agent"]["id"]
    # A change of what was approved asks anew; a new name does not.
    _, renamed = await patch(marketer, approved, name="七月问候")
    assert renamed["state"] == "scheduled"
    _, changed = await patch(marketer, renamed, posts={"post": {"text": "别的"}})
    assert (changed["state"], changed["next_at"]) == ("draft", None)
    await ticks(services)
    assert await runs(services, campaign) == []
    assert (await act(marketer, campaign, "submit"))["state"] == "waiting"


async def test_nobody_approves_what_they_submitted_and_nobody_is_left_waiting_for_nobody(
    site: Site, boss: Browser
) -> None:
    await rules(boss, approve_above=0, approve_roles=["manager"])
    campaign = await draft(boss)
    assert (await act(boss, campaign, "submit", status=409))["error"] == "nobody_approves"
    other = await site.signed_in("manager")
    await act(boss, campaign, "submit")
    assert "decide" not in (await seen(boss, campaign))["may"]
    assert "decide" in (await seen(other, campaign))["may"]
    assert (await act(boss, campaign, "decide", {"approve": True}, status=403))["error"] == "second_person"
    stale = {"approve": True, "version": campaign["version"] + 1}
    assert (await act(other, campaign, "decide", stale, status=409))["error"] == "changed_meanwhile"
    assert (await act(other, campaign, "decide", {"approve": True}))["state"] == "scheduled"


async def test_size_decides_by_the_people_who_fit(site: Site, boss: Browser, services: Services) -> None:
    await site.signed_in("admin")
    await services.db.execute("insert into customer (name) select '客户' || n from generate_series(1, 12) n")
    await rules(boss, approve_above=10)
    campaign = await draft(boss)
    waiting = await act(boss, campaign, "submit")
    assert (waiting["state"], waiting["approval"], waiting["recipients"]) == ("waiting", "size", 12)
    back = await act(boss, campaign, "withdraw")
    few = {"filter": {"parts": [{"field": "name", "op": "is", "value": "客户3"}]}}
    _, changed = await patch(boss, back, audience=few)
    assert (await act(boss, changed, "submit"))["state"] == "scheduled"


async def test_pause_resume_and_cancel(marketer: Browser, services: Services, clock: ManualClock) -> None:
    campaign = await draft(marketer)
    await act(marketer, campaign, "submit")
    await ticks(services)
    assert (await act(marketer, campaign, "pause"))["state"] == "paused"
    assert (await act(marketer, campaign, "pause", status=409))["error"] == "wrong_state"
    assert (await act(marketer, campaign, "resume"))["state"] == "running"
    assert (await patch(marketer, await seen(marketer, campaign), schedule={"mode": "now"}))[0] == 409
    assert (await marketer.call("DELETE", f"/api/campaigns/{campaign['id']}"))[0] == 409
    assert (await act(marketer, campaign, "cancel"))["state"] == "cancelled"
    assert [state for _, state, _ in await runs(services, campaign)] == ["cancelled"]
    await end_runs(services, campaign)
    assert (await seen(marketer, campaign))["state"] == "cancelled"


async def test_a_series_goes_on_until_it_ends(marketer: Browser, services: Services, clock: ManualClock) -> None:
    daily = {"mode": "recurring", "calendar": {"every": "day", "time": "12:00"}, "times": 2}
    campaign = await draft(marketer, schedule=daily)
    begun = await act(marketer, campaign, "submit")
    first = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
    assert datetime.fromisoformat(begun["next_at"]) == first
    assert len(begun["soon"]) == 3
    clock.advance(timedelta(hours=2))
    await ticks(services)
    await end_runs(services, campaign)
    between = await seen(marketer, campaign)
    assert (between["state"], datetime.fromisoformat(between["next_at"])) == ("scheduled", first + timedelta(days=1))
    clock.advance(timedelta(days=1))
    await ticks(services)
    assert (await seen(marketer, campaign))["next_at"] is None
    await end_runs(services, campaign)
    assert (await seen(marketer, campaign))["state"] == "done"
    assert await runs(services, campaign) == [(first, "done", ""), (first + timedelta(days=1), "done", "")]


async def test_what_was_due_while_the_service_was_down_is_late_or_missed_and_told(
    marketer: Browser, services: Services, clock: ManualClock
) -> None:
    at = {"mode": "at", "at": "2026-06-01T11:00:00+08:00", "late_hours": 2}
    in_time, too_late = await draft(marketer, schedule=at), await draft(marketer, schedule={**at, "late_hours": 1})
    for one in (in_time, too_late):
        await act(marketer, one, "submit")
    clock.advance(timedelta(hours=2, minutes=50))
    await ticks(services)
    started, missed = await seen(marketer, in_time), await seen(marketer, too_late)
    assert (started["state"], started["last_run"]["late"]) == ("running", True)
    assert (missed["state"], missed["last_run"]["state"], missed["last_run"]["reason"]["code"]) == (
        "done",
        "missed",
        "down",
    )
    told = (await marketer.get("/api/notifications"))["notifications"]
    assert [(one["kind"], one["data"]["campaign_id"]) for one in told] == [("campaign_missed", too_late["id"])]


async def test_of_several_dates_that_passed_only_the_latest_starts(
    marketer: Browser, services: Services, clock: ManualClock
) -> None:
    hourly = {"mode": "recurring", "cron": "0 * * * *", "late_hours": 2}
    campaign = await draft(marketer, schedule=hourly)
    await act(marketer, campaign, "submit")
    clock.advance(timedelta(hours=4, minutes=30))
    await ticks(services)
    found = await runs(services, campaign)
    assert [(state, why) for _, state, why in found] == [
        ("missed", "down"), ("missed", "down"), ("missed", "overtaken"), ("freezing", ""),
    ]  # fmt: skip
    # A month away: everything is written down, nothing is sent in heaps.
    clock.advance(timedelta(days=30))
    await ticks(services)
    found = await runs(services, campaign)
    assert len(found) == 4 + 30 * 24
    assert [state for _, state, _ in found].count("freezing") == 2


async def test_a_pause_has_its_own_reason_and_a_resting_series_may_be_edited(
    marketer: Browser, services: Services, clock: ManualClock
) -> None:
    daily = {"mode": "recurring", "calendar": {"every": "day", "time": "12:00"}, "late_hours": 1}
    campaign = await draft(marketer, schedule=daily)
    await act(marketer, campaign, "submit")
    paused = await act(marketer, campaign, "pause")
    assert paused["may"][0] == "edit"
    clock.advance(timedelta(hours=5))
    await ticks(services)
    assert await runs(services, campaign) == []
    await act(marketer, campaign, "resume")
    assert [(state, why) for _, state, why in await runs(services, campaign)] == [("missed", "paused")]
    await act(marketer, campaign, "pause")
    status, changed = await patch(
        marketer, await seen(marketer, campaign), schedule={**daily, "calendar": {"every": "day", "time": "18:00"}}
    )
    assert (status, changed["state"]) == (200, "draft")
    assert (await act(marketer, campaign, "submit"))["state"] == "scheduled"


async def test_a_date_that_passes_while_it_waits_is_told_once_and_may_still_be_approved(
    marketer: Browser, boss: Browser, services: Services, clock: ManualClock
) -> None:
    await rules(boss, approve_roles=["marketer"])
    at = {"mode": "at", "at": "2026-06-01T11:00:00+08:00", "late_hours": 2}
    prompt, slow = await draft(marketer, schedule=at), await draft(marketer, schedule=at)
    for one in (prompt, slow):
        await act(marketer, one, "submit")
    clock.advance(timedelta(hours=2))
    for _ in range(2):
        await tell_of_waiting(services)
    told = (await marketer.get("/api/notifications"))["notifications"]
    assert [(one["kind"], one["data"]["why"]["code"]) for one in told] == [("campaign_missed", "waiting")] * 2
    heard = [one["kind"] for one in (await boss.get("/api/notifications"))["notifications"]]
    assert sorted(heard) == ["campaign_asked"] * 2 + ["campaign_missed"] * 2
    await act(boss, prompt, "decide", {"approve": True})
    await ticks(services)
    assert (await seen(marketer, prompt))["last_run"]["late"] is True
    clock.advance(timedelta(hours=2))
    assert (await act(boss, slow, "decide", {"approve": True}, status=409))["error"] == "time_passed"


async def test_readers_read_and_the_next_dates_are_shown(site: Site, marketer: Browser) -> None:
    campaign = await draft(marketer)
    auditor = await site.signed_in("auditor")
    assert (await seen(auditor, campaign))["may"] == []
    zone = {"mode": "recurring", "cron": "30 2 * * *", "zone": "Europe/Berlin"}
    found = await auditor.post("/api/campaigns/dates", {"schedule": zone})
    assert len(found["dates"]) == 10
    assert found["dates"][0]["local"] == "2026-06-02T02:30+02:00"
