from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from campaigns.ledger import tickets
from scrm.config import Settings
from scrm.services import Services
from tests.company import CORP, Company, company
from tests.http.site import Site, running

TEXT = "{{agent.name}}：周末有活动"


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


@dataclass
class Asking:
    """A run of a campaign that asks one member."""

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
            "insert into campaign (kind, name, state, schedule, created_by, created_at, updated_at) "
            "values ('message', '活动', 'running', $2, $1, now(), now()) returning id",
            shop.manager.agent_id, {"mode": "now", "quiet": None},
        )  # fmt: skip
        run = await db.fetchval(
            "insert into campaign_run (campaign_id, due_at, state, content, created_at, frozen_at) "
            "values ($1, now(), 'running', $2, now(), now()) returning id",
            campaign, {"post": {"text": TEXT}},
        )  # fmt: skip
        yield Asking(shop, run, account)
