"""Tasks of members whose call was not answered: found in the platform's list by their own words and recipients, never made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from campaigns.ledger import acts, doubt, tickets, views
from scrm.config import Settings
from scrm.errors import Conflict
from simulator.faults import Fault
from tests.company import AES_KEY, CORP, Company, company, eventually

ADD = "/cgi-bin/externalcontact/add_msg_template"
TEXT = "{{agent.name}}：周末有活动"
LOOK_NOW = "update broadcast_ticket set due_at = now() - interval '1 second' where state = 'doubt'"


@dataclass
class Asking:
    shop: Company
    run: int
    account: int

    async def plan(self, who: str) -> None:
        """One more recipient, and a ticket for whoever is planned."""
        shop = self.shop
        shop.wecom.control.create_follow(CORP, "zhangsan", who)
        await shop.services.db.execute(
            """with u as (insert into customer (name) values ('客户') returning id),
            k as (insert into contact (connection_id, external_id, customer_id) select $1, $2, id from u returning id, customer_id)
            insert into delivery (run_id, campaign_id, customer_id, contact_id, account_id, connection_id, way, state, due_at, created_at, updated_at)
            select r.id, r.campaign_id, k.customer_id, k.id, $3, $1, 'task', 'planned', now() - interval '1 minute', now(), now()
            from k, campaign_run r where r.id = $4""",
            shop.wecom_id, who, self.account, self.run,
        )  # fmt: skip
        assert await tickets.make(shop.services)

    async def states(self) -> list[str]:
        return [
            row["state"] for row in await self.shop.services.db.fetch("select state from broadcast_ticket order by id")
        ]

    def tasks(self) -> list[tuple[str, list[str]]]:
        return [(one.msgid, list(one.receivers)) for one in self.shop.wecom.control.mass_tasks(CORP, "zhangsan")]


@pytest.fixture
async def asking(settings: Settings) -> AsyncIterator[Asking]:
    async with company(settings, role="web") as shop:
        shop.wecom.settings.mass_handing_out = 0
        shop.wecom.control.create_member(CORP, "zhangsan", "张三")
        db = shop.services.db
        account = await db.fetchval(
            "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_member', 'zhangsan', '张三') "
            "on conflict (connection_id, channel, external_id) do update set name = excluded.name returning id",
            shop.wecom_id,
        )
        campaign = await db.fetchval(
            "insert into campaign (kind, name, state, created_by, created_at, updated_at) "
            "values ('message', '活动', 'running', $1, now(), now()) returning id",
            shop.manager.agent_id,
        )
        run = await db.fetchval(
            "insert into campaign_run (campaign_id, due_at, state, content, created_at, frozen_at) "
            "values ($1, now(), 'running', $2, now(), now()) returning id",
            campaign, {"post": {"text": TEXT}},
        )  # fmt: skip
        yield Asking(shop, run, account)


async def test_a_lost_answer_is_found_by_the_words_as_they_were_said(asking: Asking) -> None:
    shop = asking.shop
    await asking.plan(shop.customer("客户"))
    shop.wecom.faults.add(Fault("drop_after", ADD))
    await tickets.call(shop.services)
    assert await asking.states() == ["doubt"]
    await shop.services.db.execute(LOOK_NOW)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["asked"]
    assert len(asking.tasks()) == 1


async def test_the_task_of_a_process_that_died_in_the_call_is_found(asking: Asking) -> None:
    shop = asking.shop
    await asking.plan(shop.customer("客户"))
    fault = shop.wecom.faults.add(Fault("hang_after", ADD))
    calling = asyncio.create_task(tickets.call(shop.services))

    async def made() -> bool:
        return fault.hits == 1 and len(asking.tasks()) == 1

    await eventually(made, seconds=60)
    calling.cancel()
    await asyncio.wait([calling])
    await shop.services.db.execute("update broadcast_ticket set lease_until = now() - interval '1 second'")
    await tickets.call(shop.services)
    await shop.services.db.execute(LOOK_NOW)
    await doubt.resolve(shop.services)
    assert await asking.states() == ["asked"]
    assert len(asking.tasks()) == 1


async def test_of_two_tasks_in_doubt_each_ticket_takes_its_own(asking: Asking) -> None:
    shop = asking.shop
    for kind in ("drop", "drop_after"):
        await asking.plan(shop.customer(f"客户 {kind}"))
        shop.wecom.faults.add(Fault(kind, ADD))  # type: ignore[arg-type]
        await tickets.call(shop.services)
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
        await tickets.call(shop.services)
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
