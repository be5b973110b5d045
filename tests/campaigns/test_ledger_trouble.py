"""What goes wrong with posts of a campaign stays with them: they wait as long as it takes, others go on, and it is said why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import REGISTRY

from campaigns.ledger import answers, aside, calls, doubt, ends, measure, replies, tickets, views
from campaigns.ledger.quiet import until
from campaigns.shapes import Schedule
from scrm.clock import ManualClock, ShiftedClock, SystemClock
from scrm.services import Services
from simulator.faults import Fault
from simulator.wechat_oa import OfficialAccountSimulator
from tests.campaigns.conftest import TEXT, Asking
from tests.company import AES_KEY

ADD = "/cgi-bin/externalcontact/add_msg_template"
THROTTLED = 45009
FOLLOWER = """
with u as (insert into customer (name) values ('粉丝') returning id),
k as (insert into contact (connection_id, external_id, customer_id) select $1, $2, id from u returning id, customer_id)
insert into delivery (run_id, campaign_id, customer_id, contact_id, account_id, connection_id, way, state, due_at, created_at, updated_at)
select r.id, r.campaign_id, k.customer_id, k.id, a.id, $1, 'broadcast', 'planned', now() - interval '1 minute', now(), now()
from k, campaign_run r, account a where r.id = $3 and a.connection_id = $1
"""
TICKETS = "select state, attempts, due_at, reason from broadcast_ticket order by id"
DELIVERIES = "select state, reason, detail from delivery order by id"


def shift(services: Services) -> ShiftedClock:
    clock = services.clock = ShiftedClock()
    return clock


async def test_a_throttle_never_fails_a_post_and_the_others_of_the_connection_wait_too(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    clock = shift(shop.services)
    for who in ("一", "二"):
        await asking.plan(shop.customer(who))
    fault = shop.wecom.faults.add(Fault("refuse", ADD, code=THROTTLED, times=30))
    while fault.hits < 30:
        before = fault.hits
        assert await calls.call(shop.services)
        assert fault.hits == before + 1
        assert not await calls.call(shop.services), "the other one did not wait"
        clock.advance(901)
    rows = await db.fetch(TICKETS)
    assert {row["state"] for row in rows} == {"queued"}
    assert max(row["attempts"] for row in rows) > 12
    while await calls.call(shop.services):
        pass
    assert await asking.states() == ["asked", "asked"]


async def test_a_throttle_that_outlasts_the_run_ends_it_and_says_why(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    clock = shift(shop.services)
    await asking.plan(shop.customer("一"))
    shop.wecom.faults.add(Fault("refuse", ADD, code=THROTTLED, times=None))
    await calls.call(shop.services)
    clock.advance(timedelta(days=3, hours=1))
    await calls.call(shop.services)
    row = await db.fetchrow(DELIVERIES)
    assert row is not None
    assert (row["state"], row["reason"]) == ("failed", "never_taken")
    assert "45009" not in row["detail"]["zh"]
    assert "3 天" in row["detail"]["zh"]


async def test_a_post_in_doubt_is_asked_about_less_and_less_often(asking: Asking, official: Fault) -> None:
    """Of a platform that knows our key: each look is a call."""
    shop, db = asking.shop, asking.shop.services.db
    clock = shift(shop.services)
    times = []
    for _ in range(12):
        for _ in range(400):
            if await calls.call(shop.services):
                break
            clock.advance(5)
            await doubt.resolve(shop.services)
        times.append(clock.now())
    assert await asking.states() == ["doubt"]
    assert official.hits == 12
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert gaps[0] >= 60
    assert gaps[-1] >= 850
    assert sum(gaps) < 20 * 3600
    assert await db.fetchval("select attempts from broadcast_ticket") == 12


async def test_a_post_in_doubt_is_not_called_again_after_a_long_pause(asking: Asking, official: Fault) -> None:
    """Its key is forgotten by then, and a call would be a second post."""
    shop = asking.shop
    clock = shift(shop.services)
    await calls.call(shop.services)
    clock.advance(90)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["queued"]
    clock.advance(timedelta(hours=30))
    await calls.call(shop.services)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["uncertain"]
    assert official.hits == 1


async def test_members_are_asked_at_one_pace_by_all_processes(asking: Asking, monkeypatch: Any) -> None:
    shop, db = asking.shop, asking.shop.services.db
    clock = shift(shop.services)
    loaded = shop.services.connections.held(shop.wecom_id)
    assert loaded is not None
    monkeypatch.setattr(type(loaded.adapter), "tasks_per_minute", 2)
    for n in range(5):
        await asking.plan(shop.customer(f"客户{n}"))
    made = []
    for _ in range(3):
        while await calls.call(shop.services):
            pass
        made.append(len(asking.tasks()))
        clock.advance(62)
    assert made == [2, 4, 5]
    assert await db.fetchval("select max(attempts) from broadcast_ticket") == 1


async def test_a_run_that_cannot_be_read_is_put_aside_and_the_next_goes_on(asking: Asking) -> None:
    """Whatever fails in it: here its content is no content."""
    shop, db = asking.shop, asking.shop.services.db
    clock = shift(shop.services)
    await asking.plan(shop.customer("一"))
    await db.execute("update campaign_run set content = '{\"post\": 5}' where id = $1", asking.run)
    await db.execute(
        "update delivery set state = 'planned', ticket_id = null, way = 'reply'; delete from broadcast_ticket"
    )
    bad, asking.run = asking.run, await another(asking)
    await asking.plan(shop.customer("二"))
    for _ in range(3):
        await replies.send_due(shop.services)
        while await calls.call(shop.services):
            pass
        await ends.settle(shop.services)
    assert await asking.states() == ["asked"]
    told = await progress(asking, bad)
    assert [(one.step, one.tries, one.error) for one in told.aside] == [("replies", 1, "ValidationError")]
    assert (await progress(asking, asking.run)).aside == []
    # Mended, it goes on by itself, and nothing is left of its trouble.
    await db.execute("update campaign_run set content = $2 where id = $1", bad, {"post": {"text": TEXT}})
    clock.advance(11)
    await replies.send_due(shop.services)
    assert (await progress(asking, bad)).aside == []
    assert await db.fetchval("select state from delivery where run_id = $1", bad) == "failed"


async def test_a_post_that_cannot_be_called_lets_the_others_pass(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    clock = shift(shop.services)
    await asking.plan(shop.customer("一"))
    await db.execute("update campaign_run set content = '{\"post\": 5}' where id = $1", asking.run)
    bad, asking.run = asking.run, await another(asking)
    await asking.plan(shop.customer("二"))
    while await calls.call(shop.services):
        pass
    assert await asking.states() == ["queued", "asked"]
    assert [one.step for one in (await progress(asking, bad)).aside] == ["calls"]
    await db.execute("update campaign_run set content = $2 where id = $1", bad, {"post": {"text": TEXT}})
    clock.advance(61)
    while await calls.call(shop.services):
        pass
    assert await asking.states() == ["asked", "asked"]
    assert (await progress(asking, bad)).aside == []


async def test_what_is_late_does_not_break_the_quiet_hours(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    await asking.plan(shop.customer("一"))
    clock = shop.services.clock = ManualClock(SystemClock().now().replace(hour=15))  # 23:00 in Shanghai
    await db.execute("update broadcast_ticket set due_at = $1", clock.now() - timedelta(hours=3))
    await db.execute("update campaign set schedule = $1", {"quiet": {"begin": "21:00", "end": "09:00"}})
    while await calls.call(shop.services):
        pass
    row = await db.fetchrow(TICKETS)
    assert row is not None
    assert (row["state"], row["attempts"]) == ("queued", 0)
    morning = until(Schedule(), clock.now())
    assert row["due_at"] == morning
    assert morning is not None
    clock.advance(morning - clock.now())
    await calls.call(shop.services)
    assert await asking.states() == ["asked"]
    # Nor is anything new begun at night.
    clock.advance(timedelta(hours=14))
    await asking_planned(asking)
    assert not await tickets.make(shop.services)


async def test_who_was_under_way_when_a_connection_was_removed_is_told(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    await asking.plan(shop.customer("一"))
    await calls.call(shop.services)
    await asking_planned(asking)
    await db.execute("delete from account where id = $1", asking.account)
    await ends.settle(shop.services)
    await ends.settle(shop.services)
    rows = await db.fetch(DELIVERIES)
    assert [(row["state"], row["reason"]) for row in rows] == [("uncertain", "gone"), ("failed", "gone")]
    assert await db.fetchval("select state from campaign_run") == "done"


async def test_each_follow_up_is_seen_however_many_there_are(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    await asking.plan(shop.customer("一"))
    await db.execute(
        "update delivery set state = 'sent', sent_at = now() - interval '1 hour', counted_at = now() - interval '1 hour'"
    )
    mine = await db.fetchval("select customer_id from delivery")
    other = await db.fetchval("insert into customer (name) values ('别人') returning id")
    for customer, n in ((mine, 1), (other, 1200)):
        await db.execute(
            "insert into follow_up (customer_id, kind, at, created_at) select $1, 'call', now(), now() from generate_series(1, $2)",
            customer, n,
        )  # fmt: skip
    await answers.fold_follow_ups(shop.services)
    assert await db.fetchval("select count(followed_at) from delivery") == 1
    # What is young is looked at again; what is settled is not.
    assert await db.fetchval("select mark from campaign_followed") == 0
    clock = shift(shop.services)
    clock.advance(600)
    await answers.fold_follow_ups(shop.services)
    assert await db.fetchval("select mark from campaign_followed") == 1201


async def test_a_cancelled_run_is_looked_at_until_nothing_of_it_is_open(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    await asking.plan(shop.customer("一"))
    await calls.call(shop.services)
    await db.execute("update campaign_run set state = 'cancelled'; update campaign set state = 'cancelled'")
    await ends.settle(shop.services)
    assert await db.fetchval("select swept_at from campaign_run") is None
    await db.execute("update broadcast_ticket set state = 'done'; update delivery set state = 'cancelled'")
    await ends.settle(shop.services)
    assert await db.fetchval("select swept_at from campaign_run") is not None


async def test_a_rejection_still_ends_a_post_at_once(asking: Asking) -> None:
    shop, db = asking.shop, asking.shop.services.db
    await asking.plan(shop.customer("一"))
    shop.wecom.faults.add(Fault("refuse", ADD, code=41064))
    await calls.call(shop.services)
    assert await asking.states() == ["failed"]
    assert await db.fetchval("select state from delivery") == "failed"


async def test_the_gauges_tell_what_is_open_late_in_doubt_and_aside(asking: Asking) -> None:
    shop = asking.shop
    await asking.plan(shop.customer("一"))
    shop.wecom.faults.add(Fault("drop", ADD))
    await calls.call(shop.services)
    await asking_planned(asking)
    await aside.put(shop.services, asking.run, "watch", KeyError("n"))
    await measure.measure(shop.services)

    def read(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"scrm_campaign_{name}", labels)

    assert (read("open", state="planned"), read("open", state="sending")) == (1, 1)
    assert (read("tickets", state="doubt"), read("tickets", state="asked")) == (1, 0)
    assert (read("late_seconds") or 0) >= 60
    assert read("aside") == 1


# ------------------------------------------------------------------------------------------------------------- helpers


async def progress(asking: Asking, run: int) -> views.RunProgress:
    async with asking.shop.services.db.pool.acquire() as tx:
        return await views.progress(tx, run, asking.shop.services.clock.now())


async def another(asking: Asking) -> int:
    """A run of a second campaign."""
    made: int = await asking.shop.services.db.fetchval(
        "with c as (insert into campaign (kind, name, state, schedule, created_at, updated_at) "
        "select kind, 'zwei', state, schedule, now(), now() from campaign limit 1 returning id) "
        "insert into campaign_run (campaign_id, due_at, state, content, created_at, frozen_at) "
        "select id, now(), 'running', $1, now(), now() from c returning id",
        {"post": {"text": TEXT}},
    )
    return made


async def asking_planned(asking: Asking) -> None:
    """One more recipient, of whom nothing is made yet."""
    await asking.shop.services.db.execute(
        "with u as (insert into customer (name) values ('客户') returning id) "
        "insert into delivery (run_id, campaign_id, customer_id, account_id, connection_id, way, state, due_at, created_at, updated_at) "
        "select r.id, r.campaign_id, u.id, $2, $3, 'task', 'planned', now() - interval '1 minute', now(), now() "
        "from u, campaign_run r where r.id = $1",
        asking.run, asking.account, asking.shop.wecom_id,
    )  # fmt: skip


@pytest.fixture
async def official(asking: Asking) -> AsyncIterator[Fault]:
    """A post to two followers of an Official Account, whose platform never answers whoever hands it in."""
    services = asking.shop.services
    async with OfficialAccountSimulator() as platform:
        platform.control.add_account("wxtrouble", "secret", "gh_trouble")
        async with services.work() as work:
            made = await services.connections.create(
                work, "wechat_oa", "公众号", {"app_id": "wxtrouble", "original_id": "gh_trouble", "base_url": platform.base_url},
                {"app_secret": "secret", "token": "tokenoftrouble", "encoding_aes_key": AES_KEY},
            )  # fmt: skip
        await services.connections.refresh()
        await services.connections.test(made)
        for key in ("o1", "o2"):
            platform.control.add_person("wxtrouble", key, followed_days_ago=2)
            await services.db.execute(FOLLOWER, made, key, asking.run)
        await tickets.make(services)
        yield platform.faults.add(Fault("drop", "*/message/mass/send", times=None))
