"""A company with many accounts on three platforms and a crowd behind each of them, the campaigns it runs, and what platforms saw of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from customers.filtering import EVERYBODY
from scrm.app import open_services, running
from scrm.services import Services
from simulator.douyin.server import DouyinSimulator
from simulator.douyin.settings import Settings as DouyinSettings
from simulator.wechat_oa import OfficialAccountSimulator
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings as WecomSettings
from tests.campaigns.hands import Plan
from tests.company import AES_KEY, CORP, SECRET, connect, eventually, people, settle_in

PEOPLE = """
with said as (select * from unnest($2::text[]) with ordinality w (key, n)),
made as (insert into customer (name, created_at) select key, $4 from said order by n returning id, name),
known as (
  insert into contact (connection_id, external_id, customer_id, name) select $1, name, id, name from made returning id, external_id
)
insert into contact_link (contact_id, account_id, state, added_at) select id, $3, 'active', $4 from known
"""
ACCOUNT = """
insert into account (connection_id, channel, external_id, name) values ($1, $2, $3, $3)
on conflict (connection_id, channel, external_id) do update set name = excluded.name returning id
"""
CAMPAIGN = """
insert into campaign (kind, name, state, content, audience, schedule, options, created_by, next_at, created_at, updated_at)
values ('message', $1, 'scheduled', $2, $3, '{"mode": "now", "quiet": null}', '{}', $4, $5, $5, $5)
"""
LEDGER = """
select d.campaign_id, d.state, d.reason, d.way, coalesce(k.external_id, '') as who from delivery d left join contact k on k.id = d.contact_id
"""
MAY_HAVE_GOT = ("sent", "uncertain")
FINAL = ("sent", "failed", "skipped", "uncertain", "cancelled")


def words(wave: int) -> str:
    return f"第 {wave} 场活动。"


@dataclass
class Crowd:
    services: Services
    wecom: WecomSimulator
    douyin: DouyinSimulator
    official: OfficialAccountSimulator
    wecom_id: int
    author: int
    kf: list[str] = field(default_factory=list)
    shops: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)

    async def ask_friends_of(self, members: int, each: int) -> None:
        """Members of the company who will be asked to send."""
        now = self.services.clock.now()
        for n in range(members):
            member = f"member{n}"
            self.wecom.control.create_member(CORP, member, member)
            account = await self.services.db.fetchval(ACCOUNT, self.wecom_id, "wecom_member", member)
            keys = [f"wm{member}{k:07}" for k in range(each)]
            for key in keys:
                self.wecom.control.create_customer(CORP, key, external_userid=key)
                self.wecom.control.create_follow(CORP, member, key)
            await self.services.db.execute(PEOPLE, self.wecom_id, keys, account, now)
            self.members.append(member)

    async def spread_by(self, accounts: int, each: int, address: str) -> None:
        """Official Accounts with followers."""
        services, now = self.services, self.services.clock.now()
        for n in range(accounts):
            app = f"wxcrowd{n}"
            self.official.control.add_account(app, "secret", f"gh_crowd{n}")
            async with services.work() as work:
                made = await services.connections.create(
                    work, "wechat_oa", app, {"app_id": app, "original_id": f"gh_crowd{n}", "base_url": self.official.base_url},
                    {"app_secret": "secret", "token": "tokenofcrowd", "encoding_aes_key": AES_KEY},
                )  # fmt: skip
            await services.connections.refresh()
            hook = await services.db.fetchval("select key from connection where id = $1", made)
            await self.official.control.set_server(app, f"{address}/webhooks/wechat_oa/{hook}", "tokenofcrowd", AES_KEY)
            await services.connections.test(made)
            account = await services.db.fetchval("select id from account where connection_id = $1", made)
            keys = [f"o{app}{k:07}" for k in range(each)]
            for key in keys:
                self.official.control.add_person(app, key, followed_days_ago=9)
            await services.db.execute(PEOPLE, made, keys, account, now)
            self.apps.append(app)

    async def talk(self, each: int) -> None:
        """Customers who write, so that their windows are open."""
        for kf in self.kf:
            keys = [self.wecom.control.create_customer(CORP, f"客户{n}") for n in range(each)]
            self.wecom.control.customers_say(kf, [[key, "在吗"] for key in keys])
        for shop in self.shops:
            for n in range(each):
                self.douyin.control.write(self.douyin.control.add_customer(name=f"网友{n}").open_id, shop, "在吗")
        number = each * (len(self.kf) + len(self.shops))
        asked = "select count(*) = $1 from conversation where window_quota > 0"
        await eventually(lambda: self.services.db.fetchval(asked, number), seconds=60 + number / 50)

    async def begin(self, waves: int) -> None:
        """As many campaigns to everybody, all at once."""
        now = self.services.clock.now()
        audience = {"of": "customers", "filter": EVERYBODY.model_dump(mode="json")}
        for wave in range(waves):
            await self.services.db.execute(
                CAMPAIGN, words(wave), {"post": {"text": words(wave)}}, audience, self.author, now
            )

    def confirm_some(self, most: int) -> int:
        """Members send what was put before them."""
        open_ = [t for t in self.wecom.control.mass_tasks(CORP) if not t.confirmed and not t.cancelled][:most]
        for task in open_:
            self.wecom.control.confirm_mass(CORP, task.msgid)
        return len(open_)

    def seen(self) -> Counter[tuple[str, str]]:
        """How often each person got each words. A task that was not confirmed counts: the member may still send it."""
        got: Counter[tuple[str, str]] = Counter()
        for task in self.wecom.control.mass_tasks(CORP):
            got.update((who, task.text) for who in task.receivers if task.results.get(who, 1) == 1)
        for app in self.apps:
            for mass in self.official.control.masses(app):
                got.update((who, mass.body["content"]) for who in mass.openids)
        for account in self.wecom.world.corps[CORP].kf.values():
            for who, session in account.sessions.items():
                got.update((who, one.body["content"]) for one in session.received if one.msgtype == "text")
        for message in self.douyin.platform.world.messages.values():
            if message.from_id in self.shops:
                got[message.to_id, str(message.fields.get("text", ""))] += 1
        return got

    async def settled(self) -> int:
        """How many deliveries have their last state."""
        return int(await self.services.db.fetchval("select count(*) from delivery where state = any($1)", list(FINAL)))

    async def wrong(self) -> list[str]:
        """Where the ledger does not say what happened; empty when all is right."""
        names = {row["id"]: row["name"] for row in await self.services.db.fetch("select id, name from campaign")}
        seen, found = self.seen(), []
        found += [f"{who} got {text} {n} times" for (who, text), n in seen.items() if n > 1]
        for row in await self.services.db.fetch(LEDGER):
            times = seen.get((row["who"], names[row["campaign_id"]]), 0)
            got_as_told = times == 1 if row["state"] == "sent" else times == 0 or row["state"] == "uncertain"
            if row["state"] not in FINAL or not got_as_told:
                found.append(f"{row['way']}: {row['who']} is {row['state']} ({row['reason']}) and got it {times} times")
        return found


@asynccontextmanager
async def crowd(plan: Plan, accounts: Iterable[int]) -> AsyncIterator[tuple[Crowd, str]]:
    """Platforms and the web process, here; ``accounts``: how many of WeCom's customer service and of Douyin. Nobody works yet."""
    wecom_settings = WecomSettings(
        api_per_minute=1_000_000, api_per_hour=100_000_000, sync_without_token_per_minute=100_000
    )
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        wecom = await enter(WecomSimulator(clock=plan.clock, settings=wecom_settings))
        douyin = await enter(DouyinSimulator(clock=plan.clock, settings=DouyinSettings(calls_per_second=10_000)))
        official = await enter(OfficialAccountSimulator(clock=plan.clock))
        services = await enter(open_services(plan.settings, plan.url, clock=plan.clock))
        wecom.control.create_app(CORP, SECRET)
        ids = await connect(services, wecom.base_url, douyin.base_url)
        address = await enter(running(services, "web"))
        kf, shop = await settle_in(services, wecom, douyin, ids, address)
        _, manager = await people(services)
        made = Crowd(services, wecom, douyin, official, ids[0], manager.agent_id, [kf], [shop])
        desks, shops = accounts
        made.kf += [wecom.control.create_kf_account(CORP, f"客服{n}", servicers=["zhangsan"]) for n in range(1, desks)]
        for n in range(1, shops):
            account = douyin.control.add_account(name=f"店{n}").open_id
            await services.connections.authorised(ids[1], douyin.control.scan(account, "awtestapp0000001")["code"])
            made.shops.append(account)
        await services.connections.test(ids[0])
        yield made, address
