"""Where campaigns go, what fits there, the calendar with its clashes, and tests for colleagues."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from campaigns.life import fitting
from campaigns.life.calendar import CalendarQuery, calendar
from campaigns.life.facts import ChannelWay, ReceiveLimitView
from campaigns.life.fitting import problems
from campaigns.shapes import Audience, Posts
from customers.greetings.content import Content, Part
from scrm.clock import ManualClock
from scrm.services import Services
from scrm.views import SentenceView
from tests.campaigns.test_life import act, draft, ticks
from tests.http.site import Browser, Site

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
RULE = SentenceView(code="limit.day", zh="每天一条", en="One a day.")
TASK = ChannelWay(
    way="task", kinds=["image", "link"], text_limit=30, text_limit_unit="bytes", links_allowed=False, parts=2,
    variables=["agent.name"], batch=100, group_batch=0, least=1, per_minute=None, per_day=None, reminders=3, rule=None,
    limits=[ReceiveLimitView(times=1, period="day", everything=True, zone="Asia/Shanghai", rule=RULE)],
)  # fmt: skip


@pytest.fixture
async def clock(services: Services) -> ManualClock:
    clock = services.clock = ManualClock(NOW)
    return clock


@pytest.fixture
async def marketer(site: Site, clock: ManualClock) -> Browser:
    return await site.signed_in("marketer")


async def test_the_editor_learns_the_channels_that_have_accounts(site: Site, marketer: Browser) -> None:
    assert (await marketer.get("/api/campaigns/channels"))["channels"] == []
    connection = await site.connection()
    account = await site.account(connection)
    found = (await marketer.get("/api/campaigns/channels"))["channels"]
    assert [(one["channel"], [place["id"] for place in one["accounts"]]) for one in found] == [("wecom_kf", [account])]
    way = found[0]["ways"][0]
    assert (way["way"], way["text_limit_unit"]) == ("reply", "bytes")
    assert "customer.name" in way["variables"]
    assert way["rule"]["zh"]


def reasons(content: Content, way: ChannelWay = TASK) -> list[str]:
    return [one.code for one in fitting._reasons(content, way)]


def test_each_limit_of_a_way_has_its_reason() -> None:
    assert reasons(Content(text="你好 {{agent.name}}", parts=(Part(kind="image"),))) == []
    assert reasons(Content()) == ["empty"]
    assert reasons(Content(text="好" * 11)) == ["too_long"]
    assert reasons(Content(text="https://a.cn")) == ["link_not_allowed"]
    assert reasons(Content(parts=(Part(kind="link"),) * 3)) == ["too_many"]
    assert reasons(Content(parts=(Part(kind="video"), Part(kind="video")))) == ["kind"]
    assert reasons(Content(text="{{customer.name}}")) == ["variable"]
    assert reasons(Content(text="好" * 11), TASK.model_copy(update={"text_limit_unit": "characters"})) == []


async def test_words_of_a_channel_count_there(site: Site, services: Services) -> None:
    await site.account(await site.connection())
    posts, ways = Posts(post=Content(text="{{customer.name}}")), {"wecom_kf": [TASK]}
    found = await problems(services.db, posts, Audience(), ways)
    assert [(one.channel, one.place, one.reason.code) for one in found] == [("wecom_kf", "post", "variable")]
    assert not await problems(services.db, posts, Audience(channels=("douyin",)), ways)
    own = posts.model_copy(update={"variants": {"wecom_kf": Content(text="你好")}})
    assert not await problems(services.db, own, Audience(), ways)


async def test_what_does_not_fit_cannot_be_submitted(site: Site, marketer: Browser) -> None:
    await site.account(await site.connection())
    campaign = await draft(marketer, posts={"post": {"text": "好" * 2000}})
    found = (await marketer.get(f"/api/campaigns/{campaign['id']}/problems"))["problems"]
    assert [one["reason"]["code"] for one in found] == ["too_long"]
    refused = await act(marketer, campaign, "submit", status=422)
    assert (refused["error"], list(refused["fields"])) == ("unfit", ["posts.post"])


async def test_the_calendar_holds_runs_dates_loads_and_clashes(
    site: Site, marketer: Browser, services: Services, clock: ManualClock
) -> None:
    account = await site.account(await site.connection())
    daily = {"mode": "recurring", "calendar": {"every": "day", "time": "09:00"}, "times": 3}
    series = await draft(marketer, schedule=daily)
    once = await draft(marketer, schedule={"mode": "at", "at": "2026-06-02T09:30:00+08:00"})
    begun = await draft(marketer)
    for one in (series, once, begun):
        await act(marketer, one, "submit")
    await ticks(services)
    seen = await marketer.get("/api/campaigns/calendar", first="2026-06-01", last="2026-06-30")
    entries = [(one["day"], one["campaign_id"], one["run_state"]) for one in seen["entries"]]
    assert entries == [
        ("2026-06-01", begun["id"], "freezing"),
        ("2026-06-02", series["id"], None),
        ("2026-06-02", once["id"], None),
        ("2026-06-03", series["id"], None),
        ("2026-06-04", series["id"], None),
    ]
    assert [(one["day"], one["account_id"], one["posts"]) for one in seen["loads"]] == [
        ("2026-06-02", account, 2), ("2026-06-03", account, 1), ("2026-06-04", account, 1),
    ]  # fmt: skip
    near = {"day": "2026-06-02", "kind": "near", "campaign_ids": [series["id"], once["id"]], "account_ids": [account]}
    assert seen["clashes"] == [{**near, "rule": None}]
    query = CalendarQuery(first=NOW.date(), last=date(2026, 6, 30))
    async with services.db.pool.acquire() as tx:
        strict = await calendar(tx, query, clock.now(), {"wecom_kf": [TASK]})
    assert [(one.kind, one.rule) for one in strict.clashes] == [("limit", RULE), ("near", None)]
    assert (await marketer.call("GET", "/api/campaigns/calendar?first=2026-06-01&last=2026-12-01"))[0] == 422


async def test_a_test_goes_to_colleagues_with_their_own_values(site: Site, marketer: Browser) -> None:
    colleague = await site.signed_in("rep")
    me = colleague.me["agent"]
    campaign = await draft(marketer, posts={"post": {"text": "{{customer.name}}，{{greeting}}"}})
    body: dict[str, Any] = {"agent_ids": [me["id"], 999]}
    sent = await act(marketer, campaign, "test", body)
    assert sent["people"] == [{"agent_id": me["id"], "name": me["name"], "way": "notice"}]
    notice = (await colleague.get("/api/notifications"))["notifications"][0]
    assert (notice["kind"], notice["data"]["note"]) == ("campaign_test", f"{me['name']}，早上好")
    await act(marketer, campaign, "test", {"agent_ids": [999]}, status=422)
