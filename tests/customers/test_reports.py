"""Reports: every number equals a recount by hand, whatever happened in whatever order; and nobody counts beyond their reach."""

from __future__ import annotations

import io
import random
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from customers.reports import sums
from customers.rules import watch
from customers.stage_moves import MoveInput, move_by_hand, restore
from customers.stages import move
from scrm.auth import principal_of
from scrm.errors import NotFound
from scrm.permissions import Principal
from scrm.services import Services
from scrm.sessions import WHO
from tests.customers.test_stages_and_tags import customer, group, stages
from tests.http.site import Site

ZONE = ZoneInfo("Asia/Shanghai")


async def settle(services: Services) -> None:
    while await watch.round_of(services):
        continue
    while await sums.fold(services):
        continue


async def principal(services: Services, agent_id: int) -> Principal:
    row = await services.db.fetchrow(
        f"select {WHO} from agent a join role r on r.key = a.role where a.id = $1", agent_id
    )
    assert row is not None
    return principal_of(row)


def day_of(at: datetime) -> date:
    return at.astimezone(ZONE).date()


async def random_history(site: Site, dice: random.Random, known: dict[str, int], agents: list[int]) -> None:
    """Customers made over two months, moved to and fro, some of it undone, some merged, thrown away and brought back."""
    services = site.services
    who = await principal(services, agents[0])
    now = services.clock.now()
    ids = [
        await customer(
            services, owner_id=dice.choice([None, *agents]), source=dice.choice(["", "抖音", "展会"]),
            created_at=now - timedelta(days=dice.random() * 60), value_fen=dice.randrange(9) * 100,
        )
        for _ in range(40)
    ]  # fmt: skip
    connection = await site.connection()
    account = await site.account(connection)
    for _ in range(90):
        some = dice.sample(ids, dice.randrange(1, 6))
        stage = dice.choice([None, *known.values()])
        with suppress(NotFound):  # all of them lie in the recycle bin
            async with services.work() as work:
                if dice.random() < 0.3:
                    _, step = await move_by_hand(work, who, MoveInput(ids=some, stage_id=stage, reason="随便"))
                    if step is not None and dice.random() < 0.5:
                        data = await work.tx.fetchval("select data from undo_step where id = $1", step.id)
                        await restore(work, who, data)
                else:
                    await move(work, None, some, stage)
        if dice.random() < 0.3:
            await settle(services)
        if dice.random() < 0.1:
            gone = dice.choice(ids)
            await services.db.execute(
                "update customer set deleted_at = case when deleted_at is null then now() end where id = $1", gone
            )
        if dice.random() < 0.1:
            await services.db.execute(
                "update customer set owner_id = $2 where id = $1", dice.choice(ids), dice.choice(agents)
            )
    # Moves of other days: as if time had passed between.
    await services.db.execute("update stage_history set at = at - (id % 40) * interval '1 day'")
    await services.db.execute("update customer set merged_into = $2 where id = $1", ids[0], ids[1])
    for n, one in enumerate(ids[2:8]):
        contact = await services.db.fetchval(
            "insert into contact (connection_id, external_id, customer_id) values ($1, $2, $3) returning id",
            connection,
            f"x{n}",
            one,
        )
        await services.db.execute(
            "insert into contact_link (contact_id, account_id, state, ended_at) values ($1, $2, $3, $4)",
            contact, account, "deleted_by_contact" if n % 2 else "active", now - timedelta(days=n * 3) if n % 2 else None,
        )  # fmt: skip
    await services.db.execute("insert into customer_touch (customer_id) select id from customer")


@pytest.mark.parametrize("seed", range(3))
async def test_every_number_equals_a_recount_by_hand(site: Site, seed: int) -> None:
    services, dice = site.services, random.Random(seed)
    manager = await site.signed_in("manager")
    known = await stages(services)
    agents = [manager.me["agent"]["id"], await site.agent("rep"), await site.agent("rep")]
    await random_history(site, dice, known, agents)
    await settle(services)
    today = day_of(services.clock.now())
    first = today - timedelta(days=45)
    period = {"first": first.isoformat(), "last": today.isoformat()}
    customers = [
        dict(row)
        for row in await services.db.fetch("select * from customer where merged_into is null and deleted_at is null")
    ]
    live = {one["id"]: one for one in customers}
    moves = [
        dict(row)
        for row in await services.db.fetch("select * from stage_history order by id")
        if row["customer_id"] in live
    ]
    order = {
        row["id"]: (row["position"], row["kind"])
        for row in await services.db.fetch("select id, position, kind from stage")
    }

    for owner in (None, agents[1]):
        mine = [one for one in customers if owner is None or one["owner_id"] == owner]
        moved = [
            one for one in moves if first <= day_of(one["at"]) <= today and (owner is None or one["owner_id"] == owner)
        ]
        made = [one for one in mine if first <= day_of(one["created_at"]) <= today]
        grown = await manager.get("/api/reports/growth", **period, unit="week", owner_id=owner)
        weeks: dict[str, Counter[str]] = defaultdict(Counter)
        for one in made:
            day = day_of(one["created_at"])
            weeks[(day - timedelta(days=day.weekday())).isoformat()]["made"] += 1
        for one in moved:
            kind = order[one["to_id"]][1] if one["to_id"] is not None else "open"
            day = day_of(one["at"])
            weeks[(day - timedelta(days=day.weekday())).isoformat()][kind] += 1
        assert {
            row["day"]: (row["made"], row["won"], row["lost"])
            for row in grown["rows"]
            if row["made"] or row["won"] or row["lost"]
        } == {
            day: (count["made"], count["won"], count["lost"])
            for day, count in weeks.items()
            if count["made"] or count["won"] or count["lost"]
        }
        sources = await manager.get("/api/reports/sources", **period, owner_id=owner)
        assert {row["source"]: row["made"] for row in sources["rows"]} == Counter(one["source"] for one in made)

        furthest: Counter[int] = Counter()
        for one in made:
            been = {row["to_id"] for row in moves if row["customer_id"] == one["id"]} | {one["stage_id"]}
            steps = [order[stage][0] for stage in been if stage is not None and order[stage][1] != "lost"]
            furthest[max(steps, default=0)] += 1
        funnel = await manager.get("/api/reports/funnel", **period, owner_id=owner)
        assert (funnel["made"], funnel["unstaged"]) == (len(made), furthest[0])
        assert funnel["lost"] == sum(
            one["stage_id"] is not None and order[one["stage_id"]][1] == "lost" for one in made
        )
        for row in funnel["rows"]:
            place, kind = order[row["stage_id"]]
            if kind != "lost":
                assert row["reached"] == sum(n for step, n in furthest.items() if step >= place)
            spent = [one["seconds"] for one in moved if one["from_id"] == row["stage_id"]]
            assert row["left"] == len(spent)
            assert row["average_seconds"] == (int(sum(spent) / len(spent)) if spent else None)
            assert row["entered"] == sum(one["to_id"] == row["stage_id"] for one in moved)
            there = [one for one in mine if one["stage_id"] == row["stage_id"]]
            assert (row["now"], row["value_fen"]) == (len(there), sum(one["value_fen"] for one in there))
    gone = await services.db.fetchval(
        "select count(*) from contact_link l join contact k on k.id = l.contact_id join customer u on u.id = k.customer_id "
        "where l.state = 'deleted_by_contact' and u.merged_into is null and u.deleted_at is null"
    )
    assert (await manager.get("/api/reports/growth", **period))["total"]["gone"] == gone
    async with services.db.transaction() as tx:
        compared = await sums.compare(tx)
    assert (compared.differences, compared.days > 20) == ([], True)


async def test_a_sum_that_is_wrong_is_found_and_mended(site: Site) -> None:
    services = site.services
    await customer(services, source="展会")
    await settle(services)
    await services.db.execute("update customer_day set made = made + 1")
    async with services.db.transaction() as tx:
        assert len((await sums.compare(tx)).differences) == 2
    await sums.rebuild(services)
    async with services.db.transaction() as tx:
        assert (await sums.compare(tx)).differences == []


async def test_the_spread_of_customers_by_anything(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    known = await stages(services)
    tags = await group(services, "等级", ["A", "B"])
    await services.db.execute(
        "insert into custom_field (key, name, kind, data) values ('f1', '等级', 'choice', $1), ('f2', '兴趣', 'multi', $1), ('f3', '备注', 'text', '{}')",
        {"choices": [{"key": "a", "name": "甲"}, {"key": "b", "name": "乙"}]},
    )
    await customer(
        services, city="杭州", stage_id=known["新客"], tags=[tags["A"]], fields={"f1": "a", "f2": ["a", "b"]}
    )
    await customer(services, city="杭州", tags=[tags["A"], tags["B"]], fields={"f1": "a", "f2": ["b"]})
    await customer(services, city="上海", fields={})

    async def spread(by: str) -> dict[str, int]:
        report = await manager.get("/api/reports/spread", by=by)
        assert report["total"] == 3
        return {row["label"] or row["value"]: row["n"] for row in report["rows"]}

    assert await spread("city") == {"杭州": 2, "上海": 1}
    assert await spread("tag") == {str(tags["A"]): 2, str(tags["B"]): 1}
    assert await spread("stage") == {"0": 2, str(known["新客"]): 1}
    assert await spread("fields.f1") == {"甲": 2, "": 1}
    assert await spread("fields.f2") == {"乙": 2, "甲": 1, "": 1}
    for by in ("fields.f3", "fields.f9"):
        assert (await manager.call("GET", "/api/reports/spread", params={"by": by}))[0] == 422


async def test_reports_keep_the_reach(site: Site) -> None:
    services = site.services
    await services.db.execute(
        "insert into role (key, name, permissions, reach) values ('lead', '组长', $1, 'team')",
        ["customers.read", "customers.reports", "inbox.read", "inbox.team", "agents.read"],
    )
    team = await site.team("一队")
    lead = await site.signed_in("lead", teams=(team,))
    mate, stranger = await site.agent("rep", teams=(team,)), await site.agent("rep")
    for owner in (lead.me["agent"]["id"], mate, stranger, None):
        await customer(services, owner_id=owner)
    await settle(services)
    assert (await lead.get("/api/reports/growth"))["total"]["made"] == 2
    assert (await lead.get("/api/reports/spread", by="owner"))["total"] == 2
    assert (await lead.get("/api/reports/growth", owner_id=mate))["total"]["made"] == 1
    assert (await lead.call("GET", "/api/reports/growth", params={"owner_id": stranger}))[0] == 404
    assert (await lead.get("/api/reports/responses"))["agents"] == []
    rep = await site.signed_in("rep")
    assert (await rep.call("GET", "/api/reports/growth"))[0] == 403


async def test_how_quickly_customers_were_answered(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    account = await site.account(await site.connection())
    today = day_of(services.clock.now())
    for agent, day, first, later in ((1, 0, [10, 20], [5]), (2, 0, [90], []), (1, 1, [30], [7, 9])):
        await services.db.execute(
            "insert into figure_day (day, account_id, agent_id, sla_met, first_seconds, next_seconds) values ($1, $2, $3, 1, $4, $5)",
            today - timedelta(days=day), account, agent, first, later,
        )  # fmt: skip
    report = await manager.get("/api/reports/responses", first=today - timedelta(days=1), last=today)
    assert [(row["answers"], row["first_median"], row["next_median"], row["sla_met"]) for row in report["days"]] == [
        (3, 30, 7, 1),
        (4, 20, 5, 2),
    ]
    assert {row["agent_id"]: (row["answers"], row["first_median"]) for row in report["agents"]} == {
        1: (6, 20),
        2: (1, 90),
    }


async def test_reports_as_files(site: Site) -> None:
    services = site.services
    manager = await site.signed_in("manager")
    await customer(services, city="=cmd()")
    await customer(services, city="杭州", created_at=services.clock.now() - timedelta(days=1))
    await settle(services)

    async def file(kind: str, **query: Any) -> bytes:
        status, body = await manager.call("GET", f"/api/reports/{kind}", params=query)
        assert status == 200, body
        return bytes(body)

    text = (await file("csv", report="spread", by="city")).decode("utf-8-sig").splitlines()
    assert text[0] == "取值,客户数"
    assert set(text[1:]) == {"'=cmd(),1", "杭州,1"}
    for report in ("growth", "sources", "funnel"):
        rows = (
            CalamineWorkbook.from_filelike(io.BytesIO(await file("xlsx", report=report)))
            .get_sheet_by_index(0)
            .to_python()
        )
        assert len(rows) == {"growth": 31, "sources": 2, "funnel": 1}[report]
    assert await services.db.fetchval("select count(*) from audit_event where action = 'report.exported'") == 4
    assert (await manager.call("GET", "/api/reports/csv", params={"report": "spread"}))[0] == 422
    for wrong in ({"first": "2026-02-01", "last": "2026-01-01"}, {"first": "2000-01-01"}):
        assert (await manager.call("GET", "/api/reports/growth", params=wrong))[0] == 422, wrong
