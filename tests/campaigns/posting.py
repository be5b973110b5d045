"""A company whose members post moments, with the loops turned by hand: what a test of moments holds on to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from campaigns.life import approval, write
from campaigns.life.starting import start_due
from campaigns.moments import begin, calls, doubt, ends, reactions, views, watch
from campaigns.shapes import Audience, Options, Schedule
from scrm.config import Settings
from scrm.db import Row
from tests.company import CORP, Company, company

PATH = "/cgi-bin/externalcontact/"
ADD, LIST, MEMBERS = PATH + "add_moment_task", PATH + "get_moment_list", PATH + "get_moment_task"
TOKENS = count(1)
AT_ONCE = "update moment_task set due_at = now() - interval '1 second', look_at = now() - interval '1 second'"
LOOK_NOW = "update moment_post set look_at = now() - interval '1 second' where look_at is not null"


@dataclass
class Posting:
    shop: Company
    accounts: dict[str, int]
    customers: dict[str, str] = field(default_factory=dict)
    tag: int = 0

    @property
    def db(self) -> Any:
        return self.shop.services.db

    async def customer(self, name: str, *members: str, tags: Sequence[str] = ()) -> str:
        """A customer of these members; returns the platform's id."""
        who = self.customers[name] = self.shop.customer(name)
        contact = await self.db.fetchval(
            """with u as (insert into customer (name) values ($2) returning id)
            insert into contact (connection_id, external_id, customer_id, name) select $1, $3, id, $2 from u returning id""",
            self.shop.wecom_id, name, who,
        )  # fmt: skip
        for member in members:
            await self.db.execute(
                "insert into contact_link (contact_id, account_id, state, tags) values ($1, $2, 'active', $3)",
                contact, self.accounts[member], list(tags),
            )  # fmt: skip
            self.shop.wecom.control.create_follow(CORP, member, who, tag_ids=list(tags))
        return who

    async def company_tag(self, name: str, group: str = "等级") -> str:
        """A tag of both sides; returns the platform's id."""
        external = self.shop.wecom.control.create_tag_group(CORP, group, [name])[name]
        self.tag = await self.db.fetchval(
            """with g as (insert into tag_group (name) values ($4) returning id),
            t as (insert into tag (tag_group_id, name) select id, $2 from g returning id, tag_group_id)
            insert into tag_link (connection_id, tag_group_id, tag_id, external_id) select $1, tag_group_id, id, $3 from t returning tag_id""",
            self.shop.wecom_id, name, external, group,
        )  # fmt: skip
        return external

    async def write(self, text: str = "秋天的第一杯", **parts: Any) -> int:
        services = self.shop.services
        audience = Audience(account_ids=tuple(parts.pop("account_ids", ())), tag_ids=tuple(parts.pop("tag_ids", ())))
        new = write.NewCampaign(
            client_token=f"moment-{next(TOKENS)}", kind="moment", name=parts.pop("name", "秋日"),
            posts={"post": {"text": text, **parts.pop("post", {})}}, audience=audience,
            schedule=parts.pop("schedule", Schedule(quiet=None)), options=parts.pop("options", Options()),
        )  # fmt: skip
        async with services.work() as work:
            return await write.create(services, work, self.shop.manager, new, address="")

    async def submit(self, campaign: int) -> None:
        services = self.shop.services
        recipients = await approval.size(services, campaign)
        async with services.work() as work:
            await approval.submit(
                services, work, self.shop.manager, campaign, approval.Submission(), recipients=recipients, address=""
            )

    async def start(self, campaign: int) -> int:
        """Submitted and begun; nothing is called yet. Returns the run."""
        await self.submit(campaign)
        while await start_due(self.shop.services):
            pass
        while await begin.begin(self.shop.services):
            pass
        run: int = await self.db.fetchval("select max(id) from campaign_run where campaign_id = $1", campaign)
        return run

    async def turn(self) -> None:
        """Every loop once, with all that waits for its time due now."""
        services = self.shop.services
        await self.db.execute(AT_ONCE)
        await self.db.execute(LOOK_NOW)
        for loop in (begin.begin, calls.call, doubt.resolve, watch.look, reactions.look):
            while await loop(services):
                pass
        await ends.settle(services)

    async def posted(self, campaign: int) -> int:
        """Started, and the platform has made it. Returns the run."""
        run = await self.start(campaign)
        await self.turn()
        await self.turn()
        assert [one["state"] for one in await self.tasks(run)] == ["open"]
        return run

    async def tasks(self, run: int) -> list[Row]:
        found: list[Row] = await self.db.fetch("select * from moment_task where run_id = $1 order by id", run)
        return found

    async def states(self, run: int) -> dict[str, str]:
        rows = await self.db.fetch(
            "select a.external_id, p.state from moment_post p join account a on a.id = p.account_id where run_id = $1",
            run,
        )
        return {row["external_id"]: row["state"] for row in rows}

    async def progress(self, run: int) -> views.MomentRun:
        return await views.progress(self.db, run, self.shop.services.clock.now())

    def made(self) -> list[Any]:
        """What the platform has."""
        return self.shop.wecom.control.moments(CORP)

    def publish(self, member: str, moment: int = 0) -> str:
        moment_id: str = self.made()[moment].moment_id
        self.shop.wecom.control.publish_moment(CORP, moment_id, member)
        return moment_id


@asynccontextmanager
async def posting(settings: Settings) -> AsyncIterator[Posting]:
    async with company(settings, role="web") as shop:
        yield await with_members(shop)


async def with_members(shop: Company, *names: str) -> Posting:
    """The company with two members, 张三 and 李四 unless they have other names."""
    shop.wecom.settings.moment_job_seconds = shop.wecom.settings.moment_handing_out = 0
    accounts = {}
    for userid, name in zip(("zhangsan", "lisi"), names or ("张三", "李四"), strict=True):
        shop.wecom.control.create_member(CORP, userid, name)
        accounts[userid] = await shop.services.db.fetchval(
            "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_member', $2, $3) "
            "on conflict (connection_id, channel, external_id) do update set name = excluded.name returning id",
            shop.wecom_id, userid, name,
        )  # fmt: skip
    return Posting(shop, accounts)
