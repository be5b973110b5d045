"""Who is reached, who is not and why: tried out, and then frozen as it was tried out."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.audience.freeze import freeze
from campaigns.life.starting import start_due
from scrm.clock import ManualClock
from scrm.services import Services
from tests.http.site import Site

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
async def clock(services: Services) -> ManualClock:
    clock = services.clock = ManualClock(NOW)
    return clock


async def campaign(site: Site, **parts: Any) -> dict[str, Any]:
    boss = await site.signed_in("manager")
    body = {"client_token": f"audience-{site._names}", "name": "问候", "posts": {"post": {"text": "你好"}}, **parts}
    made: dict[str, Any] = await boss.post("/api/campaigns", body, status=201)
    made["boss"] = boss
    return made


async def dry(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await made["boss"].post(f"/api/campaigns/{made['id']}/dry-run")
    return found


async def started(site: Site, made: dict[str, Any]) -> int:
    """Submitted, due, and frozen to the end; the run."""
    now = await made["boss"].post(f"/api/campaigns/{made['id']}/submit")
    assert now["state"] == "scheduled", now
    while await start_due(site.services):
        pass
    while await freeze(site.services):
        pass
    run: int = await site.services.db.fetchval("select id from campaign_run where campaign_id = $1", made["id"])
    return run


async def ledger(site: Site, run: int) -> Counter[str]:
    rows = await site.services.db.fetch("select state, reason from delivery where run_id = $1", run)
    return Counter(row["reason"] or row["state"] for row in rows)


def told(found: dict[str, Any]) -> Counter[str]:
    counts = Counter({one["code"]: one["n"] for one in found["reasons"]})
    if found["reachable"]:
        counts["planned"] = found["reachable"]
    return counts


OPEN = {"window_expires_at": NOW + timedelta(hours=5), "window_quota": 5, "window_used": 0}


async def test_each_reason_is_told_and_frozen_as_it_was_told(site: Site, clock: ManualClock) -> None:
    db = site.services.db
    connection = await site.connection()
    account = await site.account(connection)
    off = await site.account(connection)
    await db.execute("update account set disabled_at = now() where id = $1", off)
    places = {
        "planned": (account, OPEN),
        "window_closed": (account, {**OPEN, "window_expires_at": NOW - timedelta(hours=1)}),
        "window_used_up": (account, {**OPEN, "window_used": 5}),
        "account_paused": (off, OPEN),
        "opted_out": (account, OPEN),
        "complaint": (account, OPEN),
    }
    ids: dict[str, int] = {}
    for name, (where, columns) in places.items():
        conversation = await site.conversation(where, **columns)
        ids[name] = await db.fetchval(
            "select k.customer_id from conversation c join contact k on k.id = c.contact_id where c.id = $1",
            conversation,
        )
    await db.execute("insert into customer (name) values ('谁也不认识')")
    boss = await site.signed_in("manager")
    for kind in ("opted_out", "complaint"):
        await boss.post(f"/api/customers/{ids[kind]}/holds", {"kind": kind, "note": "来电说过"})
    made = await campaign(site)
    found = await dry(made)
    expected = Counter(dict.fromkeys([*places, "no_account"], 1))
    assert told(found) == expected
    assert (found["matched"], found["reachable"], found["left_out"]) == (7, 1, 6)
    assert [(one["account_id"], one["way"], one["n"]) for one in found["accounts"]] == [(account, "reply", 1)]
    people = await made["boss"].get(f"/api/campaigns/{made['id']}/dry-run/people", reason="window_closed")
    assert [one["id"] for one in people["people"]] == [ids["window_closed"]]
    run = await started(site, made)
    assert await ledger(site, run) == expected
    # Who was reached counts for the next one.
    second = await campaign(site, audience={"exclude": {"contacted_days": 7}})
    assert told(await dry(second))["contacted_recently"] == 1
    third = await campaign(site, audience={"exclude": {"campaign_ids": [made["id"]]}})
    assert told(await dry(third))["other_campaign"] == 1
    capped = await campaign(site, options={"cap_times": 1, "cap_days": 7})
    assert told(await dry(capped))["frequency_cap"] == 1
    # And who is released is reached again.
    status, _ = await boss.call("DELETE", f"/api/customers/{ids['opted_out']}/holds?kind=opted_out")
    assert status == 200
    assert "opted_out" not in told(await dry(third))


async def test_chunks_and_a_pause_in_their_middle(site: Site, clock: ManualClock) -> None:
    db = site.services.db
    account = await site.account(await site.connection())
    await db.execute("insert into customer (name) select '客户' || n from generate_series(1, 12000) n")
    await site.conversation(account, **OPEN)
    made = await campaign(site, schedule={"mode": "now", "quiet": None, "spread_minutes": 60})
    second = await site.signed_in("manager")
    assert (await made["boss"].post(f"/api/campaigns/{made['id']}/submit"))["state"] == "waiting"
    await second.post(f"/api/campaigns/{made['id']}/decide", {"approve": True})
    while await start_due(site.services):
        pass
    assert await freeze(site.services)
    first = await db.fetchval("select count(*) from delivery")
    assert 0 < first < 12_001
    await made["boss"].post(f"/api/campaigns/{made['id']}/pause")
    assert not await freeze(site.services)
    assert await db.fetchval("select count(*) from delivery") == first
    await made["boss"].post(f"/api/campaigns/{made['id']}/resume")
    while await freeze(site.services):
        pass
    rows = await db.fetchrow("select count(*) as n, count(distinct customer_id) as people from delivery")
    assert (rows["n"], rows["people"]) == (12_001, 12_001)
    assert await db.fetchval("select state from campaign_run") == "running"
    assert await db.fetchval("select sum(n)::int from delivery_tally where reason = 'no_account'") == 12_000


async def test_quiet_hours_move_to_the_morning_of_the_recipients_clock(site: Site, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=12, minutes=30))  # 22:30 in Shanghai
    account = await site.account(await site.connection())
    await site.conversation(account, window_expires_at=clock.now() + timedelta(days=2), window_quota=5)
    made = await campaign(site, schedule={"mode": "now", "quiet": {"begin": "21:00", "end": "09:00"}})
    run = await started(site, made)
    due = await site.services.db.fetchval("select due_at from delivery where run_id = $1", run)
    assert due == datetime(2026, 6, 2, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(4))
async def test_the_dry_run_is_what_happens(site: Site, clock: ManualClock, seed: int) -> None:
    """Any mixture of people, windows, holds and options."""
    chance = random.Random(seed)
    db = site.services.db
    connection = await site.connection()
    accounts = [await site.account(connection) for _ in range(3)]
    for _ in range(25):
        window = {**OPEN, "window_used": chance.choice((0, 4, 5)), "can_send": chance.random() > 0.1}
        if chance.random() < 0.3:
            window["window_expires_at"] = NOW - timedelta(minutes=1)
        await site.conversation(chance.choice(accounts), **window)
    customers = [row["id"] for row in await db.fetch("select id from customer")]
    for customer in chance.sample(customers, 6):
        await db.execute(
            "insert into campaign_hold (customer_id, kind, at) values ($1, $2, $3)",
            customer, chance.choice(("opted_out", "complaint")), NOW,
        )  # fmt: skip
    await db.execute("update customer set city = '杭州' where id = any($1::bigint[])", chance.sample(customers, 9))
    earlier = await campaign(
        site, audience={"filter": {"match": "all", "parts": [{"field": "city", "op": "in", "value": ["杭州"]}]}}
    )
    await started(site, earlier)
    made = await campaign(
        site,
        audience={
            "account_ids": chance.sample(accounts, chance.randint(0, 2)),
            "exclude": {
                "complaints": chance.random() < 0.5,
                **({"contacted_days": 3} if chance.random() < 0.5 else {}),
                "filter": {"match": "all", "parts": [{"field": "city", "op": "in", "value": ["杭州"]}]}
                if chance.random() < 0.5
                else None,
            },
        },
        options={"cap_times": 1} if chance.random() < 0.5 else {},
    )
    found = await dry(made)
    run = await started(site, made)
    assert await ledger(site, run) == told(found)
    assert sum(one["n"] for one in found["accounts"]) == found["reachable"]
