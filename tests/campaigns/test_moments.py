"""Moments through the service and a simulated WeCom: forecast, handed out once, published, liked, reminded, taken back."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from campaigns.life import acts as life
from campaigns.moments import acts, views
from campaigns.moments.fitting import reasons
from campaigns.moments.forecast import forecast
from campaigns.shapes import Audience, Posts
from customers.greetings.content import Content, File, Part
from scrm.config import Settings
from scrm.errors import Conflict, Unprocessable
from tests.campaigns.posting import Posting, posting
from tests.company import CORP, PASSWORD

PICTURE = File(sha256="0" * 64, name="a.png", mime="image/png", size=10)


@pytest.fixture
async def members(settings: Settings) -> AsyncIterator[Posting]:
    async with posting(settings) as made:
        yield made


async def test_the_life_of_a_moment(members: Posting) -> None:
    """Asked once for both members; published by one, liked and commented by her customers, told on their timelines; then taken back."""
    control = members.shop.wecom.control
    liker = await members.customer("陈立群", "zhangsan", "lisi")
    talker = await members.customer("王小明", "zhangsan")
    campaign = await members.write("{{greeting}}，新茶到了")
    told = await forecast(members.shop.services, campaign)
    assert (told.members, told.customers) == (2, 2)
    assert {one.account_id: one.n for one in told.accounts} == {
        members.accounts["zhangsan"]: 2,
        members.accounts["lisi"]: 1,
    }
    run = await members.posted(campaign)
    [made] = members.made()
    assert "新茶到了" in made.text
    assert "{{" not in made.text
    assert await members.states(run) == {"zhangsan": "asked", "lisi": "asked"}

    moment = members.publish("zhangsan")
    control.like_moment(CORP, moment, "zhangsan", liker)
    control.comment_moment(CORP, moment, "zhangsan", talker, "好看")
    await members.turn()
    await members.turn()
    await members.turn()
    assert await members.states(run) == {"zhangsan": "published", "lisi": "asked"}
    seen = await members.progress(run)
    assert (seen.shown, seen.likes, seen.comments, seen.people, seen.may_see) == (2, 1, 1, 2, 3)
    story = await members.db.fetch(
        "select u.name, t.kind from timeline t join customer u on u.id = t.customer_id where t.object_kind = 'campaign' order by t.id"
    )
    assert sorted((row["name"], row["kind"]) for row in story) == [
        ("王小明", "moment.commented"),
        ("陈立群", "moment.liked"),
    ]
    page = await views.reactions(members.db, members.shop.manager, run, views.MomentReactionQuery(kind="like"))
    assert [(one.name, one.account, one.hidden) for one in page.reactions] == [("陈立群", "张三", False)]

    async with members.shop.services.work() as work:
        await acts.withdraw(work, members.shop.manager, run, address="")
    await members.turn()
    assert await members.states(run) == {"zhangsan": "published", "lisi": "withdrawn"}
    with pytest.raises(ValueError, match="taken back"):
        members.publish("lisi")
    assert (await members.progress(run)).state == "done"
    assert await members.db.fetchval("select state from campaign where id = $1", campaign) == "done"


async def test_a_run_is_done_when_everybody_has_published_it(members: Posting) -> None:
    campaign = await members.write()
    run = await members.posted(campaign)
    for who in members.accounts:
        members.publish(who)
    await members.turn()
    seen = await members.progress(run)
    assert (seen.state, seen.counts) == ("done", {"published": 2})
    assert await members.db.fetchval("select state from campaign where id = $1", campaign) == "done"


async def test_only_customers_with_the_tag_see_it(members: Posting) -> None:
    gold = await members.company_tag("金牌")
    await members.customer("陈立群", "zhangsan", tags=[gold])
    await members.customer("王小明", "zhangsan")
    campaign = await members.write(tag_ids=[members.tag], account_ids=[members.accounts["zhangsan"]])
    told = await forecast(members.shop.services, campaign)
    assert (told.members, told.customers) == (1, 1)
    run = await members.posted(campaign)
    members.publish("zhangsan")
    await members.turn()
    await members.turn()
    assert [one.tags for one in members.made()] == [[gold]]
    assert (await members.progress(run)).shown == 1


async def test_tags_that_the_platform_lost_are_never_everybody(members: Posting) -> None:
    await members.company_tag("金牌")
    campaign = await members.write(tag_ids=[members.tag])
    run = await members.start(campaign)
    await members.db.execute("delete from tag_link")
    await members.turn()
    [task] = await members.tasks(run)
    assert (task["state"], task["reason"]["code"], members.made()) == ("failed", "tags_unknown", [])
    assert set((await members.states(run)).values()) == {"failed"}
    assert (await members.progress(run)).state == "done"
    other = await members.write(tag_ids=[members.tag])
    with pytest.raises(Unprocessable):
        await members.submit(other)
    assert {one.left_out for one in (await forecast(members.shop.services, other)).accounts} == {"tags_unknown"}


async def test_days_to_publish_end_and_what_is_left_is_taken_back(members: Posting) -> None:
    run = await members.posted(await members.write())
    await members.db.execute("update moment_task set made_at = made_at - interval '4 days'")
    await members.turn()
    assert set((await members.states(run)).values()) == {"withdrawn"}
    assert (await members.progress(run)).state == "done"


async def test_cancelled_before_the_call_nothing_is_asked_and_after_it_is_taken_back(members: Posting) -> None:
    services = members.shop.services
    early, late = await members.write("甲"), await members.write("乙")
    out = await members.posted(early)
    queued = await members.start(late)
    for campaign in (early, late):
        async with services.work() as work:
            await life.cancel(work, members.shop.manager, campaign, address="")
    await members.turn()
    await members.turn()
    assert [one["state"] for one in await members.tasks(queued)] == ["cancelled"]
    for run in (queued, out):
        assert set((await members.states(run)).values()) == {"withdrawn"}
    assert [bool(one.cancelled) for one in members.made()] == [True]


async def test_a_paused_campaign_is_not_called(members: Posting) -> None:
    campaign = await members.write()
    run = await members.start(campaign)
    async with members.shop.services.work() as work:
        await life.pause(work, members.shop.manager, campaign, address="")
    await members.turn()
    assert [one["state"] for one in await members.tasks(run)] == ["queued"]
    async with members.shop.services.work() as work:
        await life.resume(work, members.shop.manager, campaign, address="")
    await members.turn()
    assert [one["state"] for one in await members.tasks(run)] == ["making"]


async def test_who_did_not_publish_is_reminded_once_an_hour(members: Posting) -> None:
    run = await members.posted(await members.write())
    shop = members.shop
    await members.db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, 'lisi')",
        shop.rep.agent_id, shop.wecom_id,
    )  # fmt: skip
    async with shop.services.work() as work:
        told = await acts.remind(work, shop.manager, run, address="")
    assert (told.members, told.unlinked) == (1, 1)
    row = await members.db.fetchrow("select agent_id, kind, data ->> 'name' as name from notification")
    assert tuple(row) == (shop.rep.agent_id, "moment_reminder", "秋日")
    members.publish("zhangsan")
    await members.turn()
    with pytest.raises(Conflict):
        async with shop.services.work() as work:
            await acts.remind(work, shop.manager, run, address="")
    assert (await members.progress(run)).remindable == 0


async def test_members_whom_the_platform_refuses_are_told_apart(members: Posting) -> None:
    services, gone = members.shop.services, "nobody"
    await services.db.execute(
        "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_member', $2, '走了')",
        members.shop.wecom_id, gone,
    )  # fmt: skip
    run = await members.posted(await members.write())
    assert (await members.states(run))[gone] == "refused"
    assert (await members.progress(run)).counts == {"refused": 1, "asked": 2}


async def test_a_customer_is_recognised_later_and_told_of_once(members: Posting) -> None:
    control = members.shop.wecom.control
    run = await members.posted(await members.write())
    stranger = members.shop.customer("以后才认识")
    control.create_follow(CORP, "zhangsan", stranger)
    moment = members.publish("zhangsan")
    control.like_moment(CORP, moment, "zhangsan", stranger)
    for _ in range(3):
        await members.turn()
    query = views.MomentReactionQuery()
    page = await views.reactions(members.db, members.shop.manager, run, query)
    assert [(one.customer_id, one.hidden) for one in page.reactions] == [(None, False)]
    await members.db.execute(
        """with u as (insert into customer (name) values ('终于') returning id)
        insert into contact (connection_id, external_id, customer_id) select $1, $2, id from u""",
        members.shop.wecom_id, stranger,
    )  # fmt: skip
    for _ in range(3):
        await members.turn()
    page = await views.reactions(members.db, members.shop.manager, run, query)
    assert [one.name for one in page.reactions] == ["终于"]
    assert await members.db.fetchval("select count(*) from timeline where kind = 'moment.liked'") == 1
    page = await views.reactions(members.db, members.shop.rep, run, query)
    assert [one.name for one in page.reactions] == ["终于"], "nobody's customer is everybody's"
    await members.db.execute("update customer set owner_id = $1 where name = '终于'", members.shop.manager.agent_id)
    page = await views.reactions(members.db, members.shop.rep, run, query)
    assert [(one.name, one.customer_id, one.hidden) for one in page.reactions] == [("", None, True)]


def part(kind: str, **content: str) -> Part:
    return Part(kind=kind, content=content, file=PICTURE)  # type: ignore[arg-type]


async def test_what_fits_a_moment(members: Posting) -> None:
    cases = [
        (Content(text="好"), []),
        (Content(parts=(part("image"),) * 9), []),
        (Content(parts=(part("video"),)), []),
        (Content(), ["empty"]),
        (Content(text="好" * 2001), ["too_long"]),
        (Content(text="好" * 1900), ["too_long"]),
        (Content(parts=(part("file"),)), ["kind"]),
        (Content(parts=(part("image"), part("link"))), ["mixed"]),
        (Content(parts=(part("video"),) * 2), ["too_many"]),
        (Content(parts=(part("image"),) * 10), ["too_many"]),
        (Content(parts=(Part(kind="link", content={"title": "t", "url": "https://a"}),)), ["cover"]),
        (Content(text="{{customer.name}}"), ["variable"]),
    ]
    for content, codes in cases:
        found = await reasons(members.db, Posts(post=content), Audience(), members.shop.services.connections)
        assert [one.code for _, one in found] == codes, content


async def test_the_month_is_counted_and_refused_before_the_platform_does(members: Posting) -> None:
    services = members.shop.services
    adapter = services.connections.held(members.shop.wecom_id)
    assert adapter is not None
    adapter.adapter.moments_per_month = 2  # type: ignore[attr-defined]
    for text in ("一", "二"):
        await members.posted(await members.write(text))
    campaign = await members.write("三")
    [limit] = (await forecast(services, campaign)).limits
    assert (limit.month_used, limit.month_limit, limit.full, limit.near_limit) == (2, 2, True, True)
    run = await members.start(campaign)
    await members.turn()
    [task] = await members.tasks(run)
    assert (task["state"], task["reason"]["code"], len(members.made())) == ("failed", "month_full", 2)


async def test_a_minute_takes_as_many_as_the_platform_does(members: Posting) -> None:
    loaded = members.shop.services.connections.held(members.shop.wecom_id)
    assert loaded is not None
    loaded.adapter.moments_per_minute = 1  # type: ignore[attr-defined]
    runs = [await members.start(await members.write(text)) for text in ("一", "二")]
    await members.turn()
    states = [one["state"] for run in runs for one in await members.tasks(run)]
    assert sorted(states) == ["making", "queued"]
    await members.db.execute(
        "update moment_task set called_at = called_at - interval '2 minutes' where called_at is not null"
    )
    await members.turn()
    await members.turn()
    assert [one["state"] for run in runs for one in await members.tasks(run)] == ["open", "open"]


async def test_the_sheet_and_the_list_say_what_became_of_it(members: Posting) -> None:
    campaign = await members.write()
    run = await members.posted(campaign)
    members.publish("zhangsan")
    await members.turn()
    base = members.shop.address
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        await http.post(f"{base}/api/session", json={"login": "manager", "password": PASSWORD})
        async with http.get(f"{base}/api/campaigns", params={"kind": "moment"}) as answer:
            [line] = (await answer.json())["campaigns"]
        async with http.get(f"{base}/api/moment-runs/{run}/export") as answer:
            rows = list(csv.reader(io.StringIO((await answer.text()).lstrip("\ufeff"))))
    assert line["last_run"]["counts"] == {"sent": 1, "asked": 1}
    assert [row[:2] for row in rows[1:]] == [["张三", "已发表"], ["李四", "待发表"]]


async def test_looks_become_rarer_and_stop_after_two_weeks(members: Posting) -> None:
    run = await members.posted(await members.write())
    members.publish("zhangsan")
    gaps = []
    for age in ("0 minutes", "2 hours", "3 days", "15 days"):
        await members.db.execute(
            "update moment_post set published_at = now() - $1::interval where state = 'published'", _span(age)
        )
        await members.turn()
        gaps.append(
            await members.db.fetchval(
                "select look_at - now() from moment_post where run_id = $1 and state = 'published'", run
            )
        )
    assert gaps[-1] is None
    assert gaps[:3] == sorted(gaps[:3])
    assert gaps[2] > timedelta(hours=11)


def _span(words: str) -> timedelta:
    n, unit = words.split()
    return timedelta(**{unit: int(n)})
