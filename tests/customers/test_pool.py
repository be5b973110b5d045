"""The public pool: when customers fall into it, whom it spares, and how it is handed out."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from customers.pool.due import recompute
from customers.pool.everyone import RECOMPUTE, recompute_all
from customers.pool.fall import take_due, warn_due
from scrm.jobs import JobRunner
from scrm.services import Services, Work
from tests.customers.test_owning import customer, limits, me, owner_of, with_step
from tests.http.site import Browser, Site


async def rule(browser: Browser, name: str = "30 天未跟进", **data: Any) -> int:
    made = await browser.post("/api/rules/pool", {"name": name, "data": {"warn_days": 0, **data}}, status=201)
    return int(made["id"])


async def ago(site: Site, customer_id: int, days: float, **columns: Any) -> None:
    """As if the owner had done nothing since; then what every writer does: compute the date."""
    past = site.services.clock.now() - timedelta(days=days)
    async with site.services.work() as work:
        await work.tx.execute(
            "update customer set owned_at = $2, created_at = $2, followed_at = null where id = $1", customer_id, past
        )
        for name, value in columns.items():
            await work.tx.execute(f"update customer set {name} = $2 where id = $1", customer_id, value)
        await recompute(work, [customer_id])


async def falls_at(site: Site, customer_id: int) -> datetime | None:
    found: datetime | None = await site.services.db.fetchval(
        "select reclaim_at from customer where id = $1", customer_id
    )
    return found


async def look(services: Services, *, days: float = 0) -> None:
    """What the loop does, as if it were so many days later."""
    for step in (warn_due, take_due):
        async with services.db.transaction() as tx:
            work = Work(tx, services.clock.now() + timedelta(days=days))
            await step(work)


async def follows_up(site: Site, customer_id: int, *, at: datetime | None = None) -> None:
    async with site.services.work() as work:
        await work.tx.execute("update customer set followed_at = $2 where id = $1", customer_id, at or work.now)
        await recompute(work, [customer_id])


async def test_who_is_not_followed_up_is_warned_of_and_then_falls_into_the_pool(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    await rule(manager, days=30, warn_days=3)
    one, other = await customer(site, me(rep)), await customer(site, me(rep))
    await ago(site, one, 26.5)
    await ago(site, other, 10)
    await look(site.services)
    assert (await rep.get("/api/notifications"))["notifications"] == [], "not yet within the days of warning"
    await look(site.services, days=1)
    kinds = [(n["kind"], n["customer_id"]) for n in (await rep.get("/api/notifications"))["notifications"]]
    assert kinds == [("customer_falling", one)]
    await look(site.services, days=1.5)
    assert len((await rep.get("/api/notifications"))["notifications"]) == 1, "warned once"
    await look(site.services, days=3.4)
    assert await owner_of(site, one) == me(rep)
    await look(site.services, days=4.1)
    row = await site.services.db.fetchrow("select owner_id, pool_reason, reclaim_at from customer where id = $1", one)
    assert row is not None
    assert (row["owner_id"], row["pool_reason"], row["reclaim_at"]) == (None, "30 天未跟进", None)
    assert await owner_of(site, other) == me(rep)
    story = await site.services.db.fetch("select kind from timeline where customer_id = $1 order by id", one)
    assert [line["kind"] for line in story] == ["pool.warned", "owner.changed"]
    assert "customer_lost" in [n["kind"] for n in (await rep.get("/api/notifications"))["notifications"]]


async def test_a_new_rule_warns_those_who_are_overdue_before_it_takes_them(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    one = await customer(site, me(rep))
    await ago(site, one, 400)
    await rule(manager, days=30, warn_days=3)
    assert await falls_at(site, one) is None, "computed by a job"
    runner = JobRunner(site.services, {RECOMPUTE: recompute_all})
    while await runner.round():
        pass
    await look(site.services)
    at = await falls_at(site, one)
    assert at is not None
    assert abs(at - (site.services.clock.now() + timedelta(days=3))) < timedelta(minutes=1)
    await look(site.services, days=2.9)
    assert await owner_of(site, one) == me(rep)
    await look(site.services, days=3.1)
    assert await owner_of(site, one) is None


async def test_a_follow_up_begins_the_days_anew_and_takes_back_the_warning(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    await rule(manager, days=30, warn_days=3)
    one = await customer(site, me(rep))
    await ago(site, one, 28)
    await look(site.services)
    assert await site.services.db.fetchval("select warned_at is not null from customer where id = $1", one)
    await follows_up(site, one)
    row = await site.services.db.fetchrow("select followed_at, reclaim_at, warned_at from customer where id = $1", one)
    assert row is not None
    assert row["reclaim_at"] == row["followed_at"] + timedelta(days=30)
    assert row["warned_at"] is None


async def test_the_first_rule_whose_stages_fit_decides_and_its_exceptions_spare(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    db = site.services.db
    stage = await db.fetchval("insert into stage (name) values ('新客') returning id")
    group = await db.fetchval("insert into tag_group (name) values ('等级') returning id")
    tag = await db.fetchval("insert into tag (tag_group_id, name) values ($1, 'VIP') returning id", group)
    await rule(manager, "新客 7 天", days=7, stage_ids=[stage], except_tag_ids=[tag], except_value_fen=100_00)
    await rule(manager, "其余 60 天", days=60, except_shared=True)
    fresh, vip, dear, plain, shared = [await customer(site, me(rep)) for _ in range(5)]
    await ago(site, fresh, 8, stage_id=stage)
    await ago(site, vip, 90, stage_id=stage, tags=[tag])
    await ago(site, dear, 90, stage_id=stage, value_fen=100_00)
    await ago(site, plain, 8)
    await ago(site, shared, 90, readers=[me(manager)])
    now = site.services.clock.now()
    due, later = await falls_at(site, fresh), await falls_at(site, plain)
    assert due is not None
    assert later is not None
    assert due < now < later
    assert [await falls_at(site, one) for one in (vip, dear, shared)] == [None, None, None]


async def test_who_waits_for_an_answer_stays_until_it_is_given(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    await rule(manager, days=30)
    conversation = await site.conversation(await site.account(await site.connection()))
    one = await site.services.db.fetchval(
        "select k.customer_id from contact k join conversation c on c.contact_id = k.id where c.id = $1", conversation
    )
    await site.services.db.execute("update customer set owner_id = $2 where id = $1", one, me(rep))
    await ago(site, one, 31)
    await site.says(conversation, "在吗")
    await look(site.services)
    assert await owner_of(site, one) == me(rep)
    await site.services.db.execute("update conversation set waiting_since = null")
    await look(site.services)
    assert await owner_of(site, one) == me(rep), "looked at again in an hour"
    await look(site.services, days=0.1)
    assert await owner_of(site, one) is None


async def test_a_follow_up_in_the_last_second_wins(site: Site, database_url: str) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    await rule(manager, days=30)
    one, other = await customer(site, me(rep)), await customer(site, me(rep))
    await ago(site, one, 31)
    await ago(site, other, 31)
    writer = await asyncpg.connect(database_url)
    try:
        # Noting a follow-up, not yet committed, while the loop comes by.
        async with writer.transaction():
            await writer.execute("update customer set followed_at = now() where id = $1", one)
            await asyncio.wait_for(look(site.services), 10)
            assert await owner_of(site, other) is None, "others do not wait for it"
            assert await owner_of(site, one) == me(rep)
    finally:
        await writer.close()
    # Whoever noted it forgot to compute the date: it is computed once more before anybody is taken away.
    await look(site.services)
    assert await owner_of(site, one) == me(rep)
    due = await falls_at(site, one)
    assert due is not None
    assert due > site.services.clock.now() + timedelta(days=29)


async def test_many_loops_at_once_take_each_customer_once(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    await rule(manager, days=30)
    ids = [await customer(site, me(rep)) for _ in range(250)]
    async with site.services.work() as work:
        past = work.now - timedelta(days=31)
        await work.tx.execute("update customer set owned_at = $1, created_at = $1", past)
        await recompute(work, ids)
    await asyncio.gather(*(look(site.services) for _ in range(6)))
    await look(site.services)
    pooled = await site.services.db.fetchval(
        "select count(*) from customer where owner_id is null and pooled_at is not null"
    )
    assert pooled == 250
    assert await site.services.db.fetchval("select count(*) from owner_history where kind = 'reclaimed'") == 250


async def test_a_dry_run_names_exactly_those_whom_the_rule_would_take(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    ids = [await customer(site, me(rep), name=f"客户 {n}") for n in range(6)]
    for one, days in zip(ids, (40, 35, 29, 28, 5, 100), strict=True):
        await ago(site, one, days)
    await ago(site, ids[5], 100, readers=[me(manager)])
    data = {"days": 30, "warn_days": 3, "except_shared": True}
    tried = await manager.post("/api/rules/pool/try", {"rule": data})
    assert (tried["taken"], tried["warned"]) == (2, 2)
    assert [one["id"] for one in tried["first"]] == [ids[0], ids[1]]
    assert tried["owners"] == [{"owner_id": me(rep), "taken": 2, "warned": 2}]
    assert await site.services.db.fetchval("select count(*) from owner_history") == 0
    await rule(manager, **{**data, "warn_days": 0})
    async with site.services.work() as work:
        await recompute(work, ids)
    await look(site.services)
    gone = [one for one in ids if await owner_of(site, one) is None]
    assert gone == ids[:2]


async def test_rules_are_ordered_switched_off_deleted_and_restored(site: Site) -> None:
    manager = await site.signed_in("manager")
    first, second = await rule(manager, "一", days=30), await rule(manager, "二", days=60)
    await manager.post("/api/rules/pool/order", {"ids": [second, first]})
    assert [one["id"] for one in (await manager.get("/api/rules/pool"))["rules"]] == [second, first]
    status, _ = await manager.call("POST", "/api/rules/pool", json={"name": "三", "data": {"days": 3, "warn_days": 3}})
    assert status == 422
    headers = {"X-CSRF-Token": manager.csrf}
    async with manager.http.delete(f"{manager.base}/api/rules/pool/{second}", headers=headers) as answer:
        step = answer.headers["X-Undo-Step"].split(";")[0]
    assert [one["id"] for one in (await manager.get("/api/rules/pool"))["rules"]] == [first]
    await manager.post(f"/api/undo/{step}")
    assert [one["id"] for one in (await manager.get("/api/rules/pool"))["rules"]] == [second, first]


async def test_the_pool_says_why_since_when_and_whose_and_pages_without_a_gap(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("manager")
    ids = [await customer(site, me(rep), name=f"客户 {n:02}") for n in range(12)]
    for one in ids:
        await site.services.db.execute("update customer set phone = '13812345678' where id = $1", one)
        await rep.post("/api/customers/owner", {"ids": [one], "to_id": None, "reason": "联系不上"})
    seen: list[int] = []
    cursor = None
    while True:
        page = await rep.get("/api/pool", limit=5, cursor=cursor)
        seen += [one["id"] for one in page["customers"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    first = page["customers"][0]
    assert (first["pool_reason"], first["how"], first["last_owner_id"]) == ("联系不上", "dropped", me(rep))
    assert "2345" not in first["phone"]
    assert first["cooling_until"] is not None
    assert (await other.get("/api/pool", limit=1))["customers"][0]["phone"] == "13812345678"
    assert [one["id"] for one in (await rep.get("/api/pool", q="户 07"))["customers"]] == [ids[7]]
    assert (await rep.get("/api/pool", q="%"))["customers"] == []
    assert (await other.get("/api/pool", lost_by=me(other)))["count"] == 0
    assert (await other.get("/api/pool", lost_by=me(rep)))["count"] == 12


async def test_the_pool_is_handed_out_in_turn_as_far_as_there_is_room(site: Site) -> None:
    await limits(site, hold_most=3)
    manager, first, second = await site.signed_in("manager"), await site.agent("rep"), await site.agent("rep")
    await customer(site, second)
    ids = [await customer(site, pooled=True) for _ in range(7)]
    plan = await manager.post("/api/pool/distribute", {"agent_ids": [first, second], "count": 7, "preview": True})
    assert [(one["agent_id"], len(one["ids"]), one["full"]) for one in plan["portions"]] == [
        (first, 3, True), (second, 2, True),
    ]  # fmt: skip
    assert plan["left"] == 2
    assert await owner_of(site, ids[0]) is None, "a preview changes nothing"
    chosen = [one for portion in plan["portions"] for one in portion["ids"]]
    done, step = await with_step(manager, "/api/pool/distribute", {"agent_ids": [first, second], "ids": chosen})
    assert done["done"]
    owned = await site.services.db.fetch(
        "select owner_id, count(*) as n from customer where owner_id is not null group by 1"
    )
    assert {row["owner_id"]: row["n"] for row in owned} == {first: 3, second: 3}
    again = await manager.post("/api/pool/distribute", {"agent_ids": [first, second], "ids": chosen})
    assert again["gone"] == 5, "asked twice is done once"
    assert (await manager.post(f"/api/undo/{step}"))["restored"] == 5
