"""Lists of numbers: what happens to each line, the split, each one's share of the day, and who accepted."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from campaigns.invites.accepted import recognise
from campaigns.invites.lines import pasted, understood
from campaigns.invites.morning import tell
from campaigns.invites.split import split
from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import Browser, Site

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # a Monday, ten in Shanghai
BASE = "/api/invite-batches"


@pytest.fixture
async def clock(services: Services) -> ManualClock:
    clock = services.clock = ManualClock(NOW)
    return clock


@pytest.fixture
async def boss(site: Site, clock: ManualClock) -> Browser:
    return await site.signed_in("manager")


@pytest.fixture
async def reps(site: Site, clock: ManualClock) -> list[Browser]:
    return [await site.signed_in("rep"), await site.signed_in("rep")]


def ids(people: list[Browser]) -> list[int]:
    return [one.me["agent"]["id"] for one in people]


def numbers(n: int, first: int = 0) -> str:
    return "\n".join(f"1381234{first + one:04d},客户{one}" for one in range(n))


def listed(people: list[Browser], text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "agent_ids": ids(people), "first_day": "2026-06-01", **more}


async def store(boss: Browser, people: list[Browser], text: str, key: str = "invite-01", **more: Any) -> Any:
    status = more.pop("status", 201)
    body = listed(people, text, client_token=key, name="老客名单", **more)
    return await boss.post(BASE, body, status=status)


async def befriend(services: Services, phone: str, agent_id: int | None, *, at: datetime | None = NOW) -> int:
    """A customer with the number who is on the list of that employee (None: on nobody's)."""
    db = services.db
    connection = await db.fetchval(
        "insert into connection (provider, name, key, secrets) values ('wecom', $1, $1, '') returning id",
        f"c{phone[1:]}-{agent_id}",
    )
    customer: int = await db.fetchval("insert into customer (name) values ('有号码的人') returning id")
    await db.execute(
        "insert into phone_number (customer_id, phone, source) values ($1, $2, 'relation')", customer, phone
    )
    if agent_id is not None:
        account = await db.fetchval(
            "insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_member', 'm', 'm') returning id",
            connection,
        )
        await db.execute(
            "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, 'm')",
            agent_id,
            connection,
        )
        contact = await db.fetchval(
            "insert into contact (connection_id, external_id, customer_id) values ($1, 'x', $2) returning id",
            connection, customer,
        )  # fmt: skip
        await db.execute(
            "insert into contact_link (contact_id, account_id, state, added_at) values ($1, $2, 'active', $3)",
            contact, account, at,
        )  # fmt: skip
    return customer


def test_a_line_is_understood_in_the_ways_people_write_it() -> None:
    text = "138 1234 5678\n张三\t13812345679\n+86-13812345670；李四\n王五 13812345671\n\n没有号码\n123"
    found = [understood(number, cells) for number, cells in pasted(text)]
    assert [(one.number, one.phone and one.phone[-4:], one.name) for one in found] == [
        (1, "5678", ""), (2, "5679", "张三"), (3, "5670", "李四"), (4, "5671", "王五"), (6, None, "没有号码"), (7, None, "123"),
    ]  # fmt: skip


def test_the_split_is_fair_keeps_the_cap_and_leaves_out_days_off() -> None:
    plan = list(split(47, [7, 8, 9], date(2026, 6, 18), 5))
    assert plan == list(split(47, [7, 8, 9], date(2026, 6, 18), 5))
    whose = Counter(agent for agent, _ in plan)
    assert max(whose.values()) - min(whose.values()) <= 1
    assert max(Counter(plan).values()) <= 5
    # The Dragon Boat Festival is on Friday, the 19th.
    assert sorted({day for _, day in plan}) == [date(2026, 6, 18), *(date(2026, 6, day) for day in (22, 23, 24))]


async def test_the_preview_says_what_happens_to_each_line_and_stores_nothing(
    boss: Browser, reps: list[Browser], services: Services
) -> None:
    await befriend(services, "+8613812340000", ids(reps)[0])
    await befriend(services, "+8613812340001", None)
    await store(boss, reps, numbers(1, first=2))
    text = f"姓名,手机\n{numbers(5)}\n13812340003\n不是号码"
    seen = await boss.post(f"{BASE}/preview", listed(reps, text))
    fates = {one["number"]: one["fate"] for one in seen["lines"]}
    assert fates == {2: "friend", 3: "known", 4: "earlier", 5: "take", 6: "take", 7: "twice", 8: "no_number"}
    assert (seen["total"], seen["taken"], seen["last_day"]) == (7, 3, "2026-06-01")
    assert await services.db.fetchval("select count(*) from invite") == 1
    made = await store(boss, reps, text, "invite-02")
    assert made["batch"]["counts"]["n"] == seen["taken"]
    assert made["batch"]["left_out"] == {"friend": 1, "earlier": 1, "twice": 1, "no_number": 1}


async def test_the_same_list_twice_or_at_once_gives_nobody_a_number_twice(
    boss: Browser, reps: list[Browser], services: Services
) -> None:
    made = await store(boss, reps, numbers(20))
    assert (await store(boss, reps, numbers(20), status=200))["batch"]["id"] == made["batch"]["id"]
    assert (await store(boss, reps, numbers(20), "invite-02", status=422))["error"] == "nothing_left"
    bodies = [listed(reps, numbers(30), client_token=f"together-{n}", name="同时") for n in range(3)]
    await asyncio.gather(*(boss.call("POST", BASE, json=body) for body in bodies))
    assert await services.db.fetchrow("select count(*), count(distinct phone) from invite") == (30, 30)


async def test_each_does_their_share_of_the_day_and_what_is_left_comes_tomorrow(
    boss: Browser, reps: list[Browser], services: Services, clock: ManualClock
) -> None:
    made = await store(boss, reps, numbers(10), per_day=3, greeting="你好{{customer.name}}，我是{{agent.name}}")
    rep, other = reps
    day = await rep.get("/api/invites/today")
    assert (len(day["invites"]), day["waiting"]) == (3, 5)
    first, second, third = day["invites"]
    assert first["phone"] == "+8613812340000"
    assert first["greeting"].startswith("你好客户0，我是坐席")
    await rep.post(f"/api/invites/{first['id']}/copied", status=204)
    assert await services.db.fetchval("select count(*) from audit_event where action = 'invite.copied'") == 1
    await other.post(f"/api/invites/{first['id']}/copied", status=404)
    await other.post(f"/api/invites/{first['id']}/outcome", {"state": "sent"}, status=404)
    later = await services.db.fetchval("select id from invite where agent_id = $1 and day > '2026-06-01'", ids(reps)[0])
    await rep.post(f"/api/invites/{later}/copied", status=404)
    after = await rep.post(f"/api/invites/{first['id']}/outcome", {"state": "sent"})
    assert (after["done"], len(after["invites"])) == (1, 3)
    await rep.post(f"/api/invites/{second['id']}/outcome", {"state": "wrong_number"})
    clock.advance(timedelta(days=1))
    tomorrow = await rep.get("/api/invites/today")
    assert [(one["id"] == third["id"], one["carried"]) for one in tomorrow["invites"]] == [
        (True, True), (False, False), (False, False),
    ]  # fmt: skip
    detail = await boss.get(f"{BASE}/{made['batch']['id']}")
    assert (detail["batch"]["counts"]["sent"], detail["batch"]["counts"]["wrong_number"]) == (1, 1)
    ended = await boss.post(f"{BASE}/{made['batch']['id']}/end")
    assert (ended["batch"]["counts"]["open"], ended["batch"]["counts"]["cancelled"]) == (0, 8)
    assert (await rep.get("/api/invites/today"))["invites"] == []
    await boss.post(f"{BASE}/{made['batch']['id']}/end", status=409)


async def test_each_is_told_once_on_working_days(
    boss: Browser, reps: list[Browser], services: Services, clock: ManualClock
) -> None:
    await store(boss, reps, numbers(3), per_day=1)
    for _ in range(2):
        await asyncio.gather(tell(services), tell(services))
    told = await services.db.fetch(
        "select agent_id, data from notification where kind = 'invites_today' order by agent_id"
    )
    assert [(row["agent_id"], row["data"]) for row in told] == [(one, {"n": 1}) for one in sorted(ids(reps))]
    services.clock = ManualClock(datetime(2026, 6, 6, 2, 0, tzinfo=UTC))
    await tell(services)
    assert await services.db.fetchval("select count(*) from notification where kind = 'invites_today'") == 2


async def test_who_accepted_is_recognised_by_the_number(
    boss: Browser, reps: list[Browser], services: Services, clock: ManualClock
) -> None:
    made = await store(boss, reps, numbers(4))
    rep, other = ids(reps)
    mine = await befriend(services, "+8613812340000", rep, at=NOW + timedelta(hours=1))
    await befriend(services, "+8613812340002", other, at=NOW + timedelta(hours=1))
    await befriend(services, "+8613812340001", other, at=NOW - timedelta(days=3))
    for _ in range(2):
        await asyncio.gather(recognise(services), recognise(services))
    rows = await services.db.fetch("select state from invite order by id")
    assert [row["state"] for row in rows] == ["accepted", "open", "elsewhere", "open"]
    lines = await services.db.fetch("select customer_id from timeline where kind = 'invite.accepted'")
    assert [row["customer_id"] for row in lines] == [mine]
    detail = await boss.get(f"{BASE}/{made['batch']['id']}")
    assert [one["counts"]["accepted"] for one in detail["agents"]] == [1, 0]


async def test_numbers_are_masked_by_role(site: Site, boss: Browser, reps: list[Browser]) -> None:
    made = await store(boss, reps, numbers(1))
    marketer = await site.signed_in("marketer")
    path = f"{BASE}/{made['batch']['id']}/numbers"
    assert (await boss.get(path))["numbers"][0]["phone"] == "+8613812340000"
    assert "*" in (await marketer.get(path))["numbers"][0]["phone"]
    seen = await marketer.post(f"{BASE}/preview", listed(reps, numbers(1, first=9)))
    assert "*" in seen["lines"][0]["phone"]
    assert (await reps[0].call("GET", path))[0] == 403
    assert (await marketer.call("GET", "/api/invites/today"))[0] == 403
