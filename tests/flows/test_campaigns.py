"""A campaign through the whole service: from its date over the outbox and the platform to the ledger, and what customers answer."""

from __future__ import annotations

from typing import Any

from customers.sync.runs import begin
from scrm.config import Settings
from simulator.wechat_oa import OfficialAccountSimulator
from tests.company import CORP, Company, company, eventually

AES_KEY = "Ky00btrDZXBp1V7woLX0sxKnb5OYRg4pRzIIwoA0DrI"


async def write(shop: Company, *, text: str, audience: dict[str, Any] | None = None) -> int:
    """A scheduled campaign that is due now."""
    made: int = await shop.services.db.fetchval(
        "insert into campaign (kind, name, state, content, audience, schedule, options, created_by, next_at, created_at, updated_at) "
        "values ('message', '问候', 'scheduled', $1, $2, $3, '{}', $4, now(), now(), now()) returning id",
        {"post": {"text": text}}, audience or {}, {"mode": "now", "quiet": None}, shop.manager.agent_id,
    )  # fmt: skip
    return made


async def done(shop: Company, campaign: int) -> dict[str, int]:
    """Counts of its ledger when it is over."""
    db = shop.services.db
    await eventually(lambda: db.fetchval("select state = 'done' from campaign where id = $1", campaign), seconds=60)
    rows = await db.fetch("select state, count(*) as n from delivery where campaign_id = $1 group by 1", campaign)
    return {row["state"]: row["n"] for row in rows}


async def test_everybody_with_an_open_window_gets_it_once_and_who_answers_is_seen(shop: Company) -> None:
    db = shop.services.db
    people = [shop.customer(f"客户{n}") for n in range(12)]
    for who in people:
        shop.wecom.control.customer_says(shop.kf, who, "在吗")
    await eventually(lambda: db.fetchval("select count(*) = 12 from conversation where window_quota > 0"), seconds=30)
    await db.execute("insert into customer (name) values ('没有会话的人')")
    shop.wecom.control.customer_refuses(people[0])
    campaign = await write(shop, text="{{customer.name}}您好，周末有活动")
    counts = await done(shop, campaign)
    assert counts["skipped"] == 1
    assert counts.get("sent", 0) + counts.get("failed", 0) == 12
    for n, who in enumerate(people[1:], 1):
        got = [one for one in shop.wecom.control.received(shop.kf, who) if "周末有活动" in str(one)]
        assert len(got) == 1, who
        assert f"客户{n}您好" in str(got[0])
    row = await db.fetchrow(
        "select count(*) as n, count(message_id) as messages, count(sent_at) as sent from delivery where state = 'sent'"
    )
    assert row["n"] == row["messages"] == row["sent"]
    told = await db.fetchval("select count(*) from timeline where kind = 'campaign.sent'")
    assert told == row["n"]
    # Nobody's conversation was taken or opened by it, and an answer counts.
    assert await db.fetchval("select count(*) from conversation where assignee_id = $1", shop.manager.agent_id) == 0
    shop.wecom.control.customer_says(shop.kf, people[5], "好的，几点开始")
    await eventually(lambda: db.fetchval("select count(replied_at) = 1 from delivery"), seconds=60)
    tally = await db.fetchrow("select sum(n)::int as n, sum(replied)::int as replied from delivery_tally")
    assert (tally["n"], tally["replied"]) == (13, 1)


async def test_cancelling_keeps_what_was_sent_and_sends_nothing_more(shop: Company) -> None:
    db = shop.services.db
    who = shop.customer("客户")
    shop.wecom.control.customer_says(shop.kf, who, "在吗")
    await eventually(lambda: db.fetchval("select count(*) = 1 from conversation where window_quota > 0"), seconds=30)
    campaign = await write(shop, text="晚些时候")
    await db.execute(
        "update campaign set schedule = $2 where id = $1",
        campaign,
        {"mode": "now", "quiet": None, "spread_minutes": 600},
    )
    await eventually(lambda: db.fetchval("select count(*) = 1 from delivery"), seconds=30)
    async with shop.services.work() as work:
        await work.tx.execute("update delivery set due_at = now() + interval '1 hour' where state = 'planned'")
    before = await db.fetchval("select state from delivery")
    async with shop.services.work() as work:
        await work.tx.execute("update campaign_run set state = 'cancelled' where campaign_id = $1", campaign)
        await work.tx.execute("update campaign set state = 'cancelled' where id = $1", campaign)
    after = "cancelled" if before == "planned" else "sent"
    await eventually(lambda: db.fetchval("select state = $1 from delivery", after), seconds=30)


async def test_followers_get_it_by_one_post_of_the_platform_also_after_a_lost_answer(settings: Settings) -> None:
    async with OfficialAccountSimulator() as platform, company(settings) as shop:
        db, play = shop.services.db, platform.control
        play.add_account("wxmass", "secret", "gh_mass")
        async with shop.services.work() as work:
            connection = await shop.services.connections.create(
                work, "wechat_oa", "公众号",
                {"app_id": "wxmass", "original_id": "gh_mass", "base_url": platform.base_url},
                {"app_secret": "secret", "token": "tokenofmass", "encoding_aes_key": AES_KEY},
            )  # fmt: skip
        await shop.services.connections.refresh()
        await play.set_server("wxmass", shop.address + await shop.webhook_path(connection), "tokenofmass", AES_KEY)
        await shop.services.connections.test(connection)
        people = [play.add_person("wxmass", f"oMASS{n}", followed_days_ago=2).openid for n in range(5)]
        async with shop.services.work() as work:
            await begin(work, connection, "hand")
        await eventually(
            lambda: db.fetchval("select count(*) = 5 from contact_link where state = 'active'"), seconds=60
        )
        first = await write(shop, text="新品上市")
        assert await done(shop, first) == {"sent": 5}
        masses = play.masses("wxmass")
        assert [sorted(one.openids) for one in masses] == [sorted(people)]
        rows = await db.fetch("select state, n, attempts from broadcast_ticket")
        assert [tuple(row) for row in rows] == [("done", 5, 1)]


async def test_members_are_asked_confirm_or_do_not_and_everybody_is_accounted_for(shop: Company) -> None:
    db, play = shop.services.db, shop.wecom.control
    for name in ("zhangsan", "lisi"):
        play.create_member(CORP, name, name)
    people = [shop.customer(f"好友{n}") for n in range(6)]
    for n, who in enumerate(people):
        play.create_follow(CORP, "zhangsan" if n < 4 else "lisi", who)
    async with shop.services.work() as work:
        await begin(work, shop.wecom_id, "hand")
    await eventually(lambda: db.fetchval("select count(*) = 6 from contact_link where state = 'active'"), seconds=60)
    campaign = await write(shop, text="{{agent.name}}：双十二老客专享", audience={"channels": ["wecom_member"]})
    tasks = await eventually(lambda: _two_tasks(play), seconds=60)
    assert sorted((task.sender, len(task.receivers)) for task in tasks) == [("lisi", 2), ("zhangsan", 4)]
    assert all("老客专享" in task.text and "{{" not in task.text for task in tasks)
    # Somebody was deleted meanwhile, and one member never confirms.
    play.delete_contact(CORP, "zhangsan", people[0])
    mine = next(task for task in tasks if task.sender == "zhangsan")
    play.confirm_mass(CORP, mine.msgid)
    await db.execute("update broadcast_ticket set look_at = now()")
    await eventually(lambda: _looked(shop, 4), seconds=60)
    rows = await db.fetch("select state, reason, count(*) as n from delivery group by 1, 2 order by 1, 2")
    counts = {(row["state"], row["reason"]): row["n"] for row in rows}
    assert counts["sent", ""] == 3
    assert counts["failed", "not_a_friend"] == 1
    assert counts["asked", ""] == 2
    await db.execute(
        "update broadcast_ticket set called_at = now() - interval '4 days', look_at = now() where state = 'asked'"
    )
    assert (await done(shop, campaign))["sent"] == 3
    other = next(task for task in play.mass_tasks(CORP) if task.sender == "lisi")
    assert other.cancelled
    assert await db.fetchval("select count(*) from delivery where reason = 'not_confirmed'") == 2


async def _two_tasks(play: Any) -> Any:
    tasks = play.mass_tasks(CORP)
    return tasks if len(tasks) == 2 else None


async def _looked(shop: Company, final: int) -> bool:
    await shop.services.db.execute(
        "update broadcast_ticket set look_at = now() where state = 'asked' and look_at > now()"
    )
    return bool(
        await shop.services.db.fetchval("select count(*) = $1 from delivery where state in ('sent', 'failed')", final)
    )
