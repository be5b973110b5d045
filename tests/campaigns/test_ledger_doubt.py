"""Tasks of members whose call was not answered: found in the platform's list by their own words and recipients, never made twice."""

from __future__ import annotations

import asyncio

import pytest

from campaigns.ledger import acts, calls, doubt, views
from scrm.errors import Conflict
from simulator.faults import Fault
from tests.campaigns.conftest import Asking
from tests.company import AES_KEY, eventually

ADD = "/cgi-bin/externalcontact/add_msg_template"
LOOK_NOW = "update broadcast_ticket set due_at = now() - interval '1 second' where state = 'doubt'"


async def test_a_lost_answer_is_found_by_the_words_as_they_were_said(asking: Asking) -> None:
    shop = asking.shop
    await asking.plan(shop.customer("客户"))
    shop.wecom.faults.add(Fault("drop_after", ADD))
    await calls.call(shop.services)
    assert await asking.states() == ["doubt"]
    await shop.services.db.execute(LOOK_NOW)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["asked"]
    assert len(asking.tasks()) == 1


async def test_the_task_of_a_process_that_died_in_the_call_is_found(asking: Asking) -> None:
    shop = asking.shop
    await asking.plan(shop.customer("客户"))
    fault = shop.wecom.faults.add(Fault("hang_after", ADD))
    calling = asyncio.create_task(calls.call(shop.services))

    async def made() -> bool:
        return fault.hits == 1 and len(asking.tasks()) == 1

    await eventually(made, seconds=60)
    calling.cancel()
    await asyncio.wait([calling])
    await shop.services.db.execute("update broadcast_ticket set lease_until = now() - interval '1 second'")
    await calls.call(shop.services)
    await shop.services.db.execute(LOOK_NOW)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["asked"]
    assert len(asking.tasks()) == 1


async def test_of_two_tasks_in_doubt_each_ticket_takes_its_own(asking: Asking) -> None:
    shop = asking.shop
    for kind in ("drop", "drop_after"):
        await asking.plan(shop.customer(f"客户 {kind}"))
        shop.wecom.faults.add(Fault(kind, ADD))  # type: ignore[arg-type]
        await calls.call(shop.services)
    assert await asking.states() == ["doubt", "doubt"]
    await shop.services.db.execute(LOOK_NOW)
    await doubt.resolve(shop.services)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["doubt", "asked"]


async def test_whoever_has_a_part_of_it_is_not_tried_again(asking: Asking) -> None:
    shop = asking.shop
    await asking.plan(shop.customer("客户"))
    await shop.services.db.execute("update delivery set state = 'failed', reason = 'partly_sent'")
    with pytest.raises(Conflict):
        async with shop.services.work() as work:
            await acts.retry(work, shop.manager, asking.run, address="")
    assert (await progress_of(asking)).retryable == 0


async def test_progress_offers_what_can_be_done(asking: Asking) -> None:
    """Only whom another attempt may reach, and only members whose confirmation may still come."""
    shop = asking.shop
    for who in ("一", "二"):
        await asking.plan(shop.customer(who))
        await calls.call(shop.services)
    assert [one.waiting for one in (await progress_of(asking)).accounts] == [2]
    await shop.services.db.execute("update broadcast_ticket set state = 'cancelled'")
    await shop.services.db.execute(
        "update delivery set state = 'failed', reason = case when id = (select min(id) from delivery) then 'refused' else 'not_a_friend' end"
    )
    told = await progress_of(asking)
    assert [(one.tasks, one.confirmed, one.waiting) for one in told.accounts] == [(2, 0, 0)]
    assert told.retryable == 1
    async with shop.services.work() as work:
        tried = await acts.retry(work, shop.manager, asking.run, address="")
    assert tried.again == told.retryable


async def progress_of(asking: Asking) -> views.RunProgress:
    async with asking.shop.services.db.pool.acquire() as tx:
        return await views.progress(tx, asking.run, asking.shop.services.clock.now())


async def test_a_post_is_not_repeated_under_a_key_that_its_platform_forgot(asking: Asking) -> None:
    shop = asking.shop
    async with shop.services.work() as work:
        connection = await shop.services.connections.create(
            work, "wechat_oa", "公众号", {"app_id": "wxmass", "original_id": "gh_mass", "base_url": "http://127.0.0.1:9"},
            {"app_secret": "secret", "token": "tokenofmass", "encoding_aes_key": AES_KEY},
        )  # fmt: skip
    await shop.services.connections.refresh()
    for key, hours in (("old", 30), ("new", 1)):
        await shop.services.db.execute(
            "insert into broadcast_ticket (run_id, campaign_id, connection_id, account_id, way, state, idempotency_key, due_at, called_at, created_at) "
            "select r.id, r.campaign_id, $1, $2, 'broadcast', 'doubt', $3, now() - interval '1 minute', now(), now() - make_interval(hours => $4) "
            "from campaign_run r where r.id = $5",
            connection, asking.account, key, hours, asking.run,
        )  # fmt: skip
        await doubt.resolve(shop.services)
    assert await asking.states() == ["uncertain", "queued"]
