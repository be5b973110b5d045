"""Whose customer it is: giving, dropping, sharing, undoing; and claims of many at once."""

from __future__ import annotations

import asyncio
from typing import Any

from customers.owning import give
from customers.pool.rules import LIMITS, ClaimLimits
from scrm.undo import HEADER
from tests.http.site import Browser, Site


async def customer(site: Site, owner_id: int | None = None, *, pooled: bool = False, name: str = "周女士") -> int:
    made: int = await site.services.db.fetchval(
        "insert into customer (name, owner_id, owned_at, pooled_at) values ($1, $2, case when $2::bigint is not null then now() end, "
        "case when $3 then now() end) returning id", name, owner_id, pooled,
    )  # fmt: skip
    return made


async def owner_of(site: Site, customer_id: int) -> int | None:
    found: int | None = await site.services.db.fetchval("select owner_id from customer where id = $1", customer_id)
    return found


async def limits(site: Site, **values: Any) -> None:
    async with site.services.work() as work:
        await LIMITS.save(work, ClaimLimits(**values), by=None)


async def with_step(browser: Browser, path: str, body: Any) -> tuple[Any, int]:
    headers = {"X-CSRF-Token": browser.csrf}
    async with browser.http.post(browser.base + path, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json(), int(answer.headers[HEADER].split(";")[0])


def me(browser: Browser) -> int:
    return int(browser.me["agent"]["id"])


async def test_a_manager_gives_and_the_new_owner_hears_of_it(site: Site) -> None:
    manager, rep = await site.signed_in("manager"), await site.signed_in("rep")
    ids = [await customer(site), await customer(site)]
    done, step = await with_step(manager, "/api/customers/owner", {"ids": ids, "to_id": me(rep), "reason": "新客户"})
    assert [one["done"] for one in done["results"]] == [True, True]
    assert {await owner_of(site, one) for one in ids} == {me(rep)}
    notices = (await rep.get("/api/notifications"))["notifications"]
    assert [(one["kind"], one["data"]["count"]) for one in notices] == [("customer_given", 2)]
    story = await site.services.db.fetch("select kind, data from timeline where customer_id = $1", ids[0])
    assert [(row["kind"], row["data"]["to"]) for row in story] == [("owner.changed", me(rep))]
    undone = await manager.post(f"/api/undo/{step}")
    assert undone["restored"] == 2
    assert {await owner_of(site, one) for one in ids} == {None}
    pooled = await site.services.db.fetchval("select count(*) from customer where pooled_at is not null")
    assert pooled == 0, "nobody's before means nobody's again, not the pool"


async def test_undo_leaves_alone_what_somebody_changed_meanwhile(site: Site) -> None:
    manager, rep, other = await site.signed_in("manager"), await site.signed_in("rep"), await site.signed_in("rep")
    ids = [await customer(site, me(other)), await customer(site, me(other))]
    _, step = await with_step(manager, "/api/customers/owner", {"ids": ids, "to_id": me(rep)})
    async with site.services.work() as work:
        await give(work, ids[:1], me(manager), "given", None)
    assert await manager.post(f"/api/undo/{step}") == {"kind": "customer.owner", "restored": 1, "skipped": 1}
    assert [await owner_of(site, one) for one in ids] == [me(manager), me(other)]


async def test_a_rep_drops_their_own_and_nobody_elses(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    mine, theirs = await customer(site, me(rep)), await customer(site, me(other))
    status, _ = await rep.call("POST", "/api/customers/owner", json={"ids": [theirs], "to_id": None})
    assert status == 404, "without a team in common it is not seen at all"
    status, _ = await rep.call("POST", "/api/customers/owner", json={"ids": [mine], "to_id": me(other)})
    assert status == 403
    _, step = await with_step(rep, "/api/customers/owner", {"ids": [mine], "to_id": None, "reason": "不需要了"})
    row = await site.services.db.fetchrow("select owner_id, pooled_at, pool_reason from customer where id = $1", mine)
    assert row is not None
    assert (row["owner_id"], row["pool_reason"]) == (None, "不需要了")
    assert row["pooled_at"] is not None
    await rep.post(f"/api/undo/{step}")
    assert await owner_of(site, mine) == me(rep)


async def test_who_lost_a_customer_waits_before_claiming_it_again(site: Site) -> None:
    await limits(site, cool_days=7)
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    one = await customer(site, me(rep))
    await rep.post("/api/customers/owner", {"ids": [one], "to_id": None})
    refused = (await rep.post("/api/customers/claim", {"ids": [one]}))["results"][0]
    assert (refused["done"], refused["error"]) == (False, "cooling")
    assert (await rep.get(f"/api/customers/{one}/ownership"))["cooling_until"] is not None
    assert (await other.post("/api/customers/claim", {"ids": [one]}))["results"][0]["done"]
    assert (await other.post("/api/customers/claim", {"ids": [one]}))["results"][0]["done"], "asked twice is done once"
    claims = await site.services.db.fetchval("select count(*) from owner_history where kind = 'claimed'")
    assert claims == 1


async def test_fifty_claimers_at_once_each_customer_one_owner_and_limits_hold(site: Site) -> None:
    await limits(site, per_day=5, hold_most=4, cool_days=7)
    ids = [await customer(site, pooled=True) for _ in range(120)]
    people = [await site.signed_in("rep") for _ in range(10)]
    held = {me(one): 0 for one in people}
    # The first two hold some already.
    for browser, count in ((people[0], 3), (people[1], 4)):
        for _ in range(count):
            await customer(site, me(browser))
        held[me(browser)] = count

    async def grab(browser: Browser, start: int) -> list[int]:
        wanted = [ids[(start * 7 + n) % len(ids)] for n in range(30)]
        results = (await browser.post("/api/customers/claim", {"ids": wanted}))["results"]
        return [one["id"] for one in results if one["done"]]

    # Five browsers of each of ten people, all at once: the same person races with themselves, too.
    got = await asyncio.gather(*(grab(people[n % 10], n) for n in range(50)))
    assert sum(map(len, got)) >= 8 * 4 + 1
    rows = await site.services.db.fetch(
        "select owner_id, count(*) as n from customer where owner_id is not null group by 1"
    )
    owned = {row["owner_id"]: row["n"] for row in rows}
    assert owned == dict.fromkeys(held, 4)
    changes = await site.services.db.fetch(
        "select customer_id, count(*) as n from owner_history where kind = 'claimed' group by 1"
    )
    assert all(row["n"] == 1 for row in changes)
    assert len(changes) == sum(4 - count for count in held.values())
    lost = await site.services.db.fetchval("select count(*) from customer where owner_id is null and pooled_at is null")
    assert lost == 0


async def test_the_limit_of_a_day_counts_claims_and_nothing_else(site: Site) -> None:
    await limits(site, per_day=2, hold_most=None)
    rep, manager = await site.signed_in("rep"), await site.signed_in("manager")
    await manager.post("/api/customers/owner", {"ids": [await customer(site)], "to_id": me(rep)})
    ids = [await customer(site, pooled=True) for _ in range(3)]
    answer = await rep.post("/api/customers/claim", {"ids": ids})
    assert [one["error"] for one in answer["results"]] == ["", "", "day_limit"]
    assert answer["allowance"] == {"today": 0, "room": None, "cool_days": 7}


async def test_sharing_lets_others_see_and_undo_ends_it(site: Site) -> None:
    rep, other = await site.signed_in("rep"), await site.signed_in("rep")
    one = await customer(site, me(rep))
    assert (await other.call("GET", f"/api/customers/{one}/ownership"))[0] == 404
    body = {"ids": [one], "agent_ids": [me(other), me(rep)], "access": "read"}
    _, step = await with_step(rep, "/api/customers/share", body)
    seen = await other.get(f"/api/customers/{one}/ownership")
    assert (seen["readers"], seen["may_share"], seen["may_drop"]) == ([me(other)], False, False)
    await rep.post(f"/api/undo/{step}")
    assert (await other.call("GET", f"/api/customers/{one}/ownership"))[0] == 404


async def test_nobody_is_given_a_customer_who_is_locked_out(site: Site) -> None:
    manager, gone = await site.signed_in("manager"), await site.agent("rep")
    await site.services.db.execute("update agent set disabled_at = now() where id = $1", gone)
    one = await customer(site)
    status, body = await manager.call("POST", "/api/customers/owner", json={"ids": [one], "to_id": gone})
    assert (status, list(body["fields"])) == (422, ["to_id"])
