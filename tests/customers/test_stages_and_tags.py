"""A customer's stage and tags: how they change, what is told of it, and how it is taken back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from customers.stage_settings import add_defaults
from customers.stages import move
from customers.tags import change_tags
from scrm.errors import NotFound, Unprocessable
from scrm.jobs import Job
from scrm.services import Services
from tests.http.site import Site
from tests.http.test_bulk import acted, undo


async def customer(services: Services, **columns: Any) -> int:
    values = {"name": "王小明", **columns}
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    made: int = await services.db.fetchval(
        f"insert into customer ({', '.join(values)}) values ({places}) returning id", *values.values()
    )
    return made


async def group(services: Services, name: str, tags: list[str], *, exclusive: bool = False) -> dict[str, int]:
    made = await services.db.fetchval(
        "insert into tag_group (name, exclusive) values ($1, $2) returning id", name, exclusive
    )
    return {
        one: await services.db.fetchval("insert into tag (tag_group_id, name) values ($1, $2) returning id", made, one)
        for one in tags
    }


async def stages(services: Services) -> dict[str, int]:
    async with services.work() as work:
        await add_defaults(work, None, "zh-CN")
    return {row["name"]: row["id"] for row in await services.db.fetch("select id, name from stage")}


async def story(services: Services, customer_id: int) -> list[tuple[str, dict[str, Any]]]:
    rows = await services.db.fetch("select kind, data from timeline where customer_id = $1 order by id", customer_id)
    return [(row["kind"], row["data"]) for row in rows]


async def test_a_new_tag_of_an_exclusive_group_takes_the_place_of_the_old_one(services: Services) -> None:
    level = await group(services, "等级", ["A", "B"], exclusive=True)
    other = await group(services, "兴趣", ["旅游"])
    one, two = await customer(services), await customer(services, tags=[level["A"], other["旅游"]])
    async with services.work() as work:
        changed = await change_tags(work, None, [one, two, 999], [level["B"]], [])
    assert {row.customer_id: (row.added, row.removed) for row in changed} == {
        one: ((level["B"],), ()),
        two: ((level["B"],), (level["A"],)),
    }
    assert await services.db.fetchval("select tags from customer where id = $1", two) == sorted(
        [level["B"], other["旅游"]]
    )
    assert [kind for kind, _ in await story(services, two)] == ["tag.removed", "tag.added"]
    async with services.work() as work:
        assert await change_tags(work, None, [one], [level["B"]], []) == []
    with pytest.raises(Unprocessable, match="one tag only"):
        async with services.work() as work:
            await change_tags(work, None, [one], [level["A"], level["B"]], [])


async def test_of_many_who_tag_at_once_one_tag_of_an_exclusive_group_remains(services: Services) -> None:
    level = await group(services, "等级", ["A", "B", "C", "D"], exclusive=True)
    ids = [await customer(services) for _ in range(5)]

    async def tag(one: int, order: list[int]) -> None:
        async with services.work() as work:
            await change_tags(work, None, order, [one], [])

    await asyncio.gather(*[tag(one, ids if n % 2 else ids[::-1]) for n, one in enumerate([*level.values()] * 3)])
    rows = await services.db.fetch("select tags from customer where id = any($1::bigint[])", ids)
    assert [len(row["tags"]) for row in rows] == [1] * 5
    tallied = await services.db.fetch(
        "select tag_id, sum(n)::int as n from customer_tally where tag_id is not null group by 1 having sum(n) <> 0"
    )
    assert sum(row["n"] for row in tallied) == 5


async def test_a_move_says_from_where_by_whom_why_and_after_how_long(services: Services) -> None:
    known = await stages(services)
    one = await customer(services, created_at=services.clock.now() - timedelta(hours=2))
    async with services.work() as work:
        await move(work, None, [one], known["意向"], rule={"id": 1, "name": "首次回复"})
    async with services.work() as work:
        assert await move(work, None, [one], known["意向"]) == []
        await move(work, None, [one], known["流失"], "价格太高")
    rows = await services.db.fetch("select from_id, to_id, reason, seconds from stage_history order by id")
    assert [(row["from_id"], row["to_id"], row["reason"]) for row in rows] == [
        (None, known["意向"], ""),
        (known["意向"], known["流失"], "价格太高"),
    ]
    assert 7195 <= rows[0]["seconds"] <= 7300
    told = await story(services, one)
    assert told[0][1]["rule"]["name"] == "首次回复"
    assert (told[1][1]["from"]["name"], told[1][1]["to"]["name"], told[1][1]["reason"]) == ("意向", "流失", "价格太高")
    with pytest.raises(NotFound):
        async with services.work() as work:
            await move(work, None, [one], 999)


async def test_moving_by_hand_asks_why_keeps_the_reach_and_is_taken_back(site: Site) -> None:
    services = site.services
    known = await stages(services)
    rep = await site.signed_in("rep")
    stranger = await site.agent("rep")
    mine = await customer(services, owner_id=rep.me["agent"]["id"])
    theirs = await customer(services, owner_id=stranger)
    status, body = await rep.call("POST", "/api/stages/move", json={"ids": [mine], "stage_id": known["流失"]})
    assert (status, body["error"]) == (422, "reason_needed")
    done, step = await acted(rep, "/api/stages/move", {"ids": [mine, theirs], "stage_id": known["成交"]})
    assert done == {"changed": [mine], "skipped": [theirs]}
    assert await services.db.fetchval("select count(*) from stage_history") == 1
    assert (await undo(rep, step.split(";")[0]))[1]["restored"] == 1
    row = await services.db.fetchrow("select stage_id, stage_at from customer where id = $1", mine)
    assert (row["stage_id"], row["stage_at"]) == (None, None)
    assert await services.db.fetchval("select count(*) from stage_history") == 0
    # Moved on by somebody else: what they decided stays.
    _, step = await acted(rep, "/api/stages/move", {"ids": [mine], "stage_id": known["意向"]})
    async with services.work() as work:
        await move(work, None, [mine], known["报价"])
    assert (await undo(rep, step.split(";")[0]))[0] == 409


async def test_tagging_by_hand_is_taken_back_with_what_was_displaced(site: Site) -> None:
    services = site.services
    level = await group(services, "等级", ["A", "B"], exclusive=True)
    manager = await site.signed_in("manager")
    one = await customer(services, tags=[level["A"]])
    two = await customer(services)
    done, step = await acted(manager, "/api/tags/change", {"ids": [one, two], "add": [level["B"]]})
    assert done["changed"] == [one, two]
    assert (await undo(manager, step.split(";")[0]))[1]["restored"] == 2
    rows = await services.db.fetch("select tags from customer order by id")
    assert [row["tags"] for row in rows] == [[level["A"]], []]


async def test_a_stage_that_is_put_away_and_a_tag_that_is_merged_lose_nobody(site: Site) -> None:
    from customers import stage_settings, tag_settings

    services = site.services
    manager = await site.signed_in("manager")
    known = await stages(services)
    pair = await group(services, "兴趣", ["旅游", "旅行"])
    ids = [await customer(services, stage_id=known["合同"], tags=[pair["旅游"]]) for _ in range(7)]
    listed = await manager.post(f"/api/stages/{known['合同']}/archive", {"move_to": known["报价"]})
    assert [one["name"] for one in listed["stages"] if one["archived"]] == ["合同"]
    rule = {"cause": {"on": "value", "fen": 1}, "tag_ids": [pair["旅游"], pair["旅行"]]}
    await manager.post("/api/customer-rules/tag", {"name": "规则", "data": rule}, status=201)
    await manager.post(f"/api/tags/{pair['旅游']}/merge", {"into_id": pair["旅行"]})
    assert (await manager.get("/api/customer-rules/tag"))["rules"][0]["data"]["tag_ids"] == [pair["旅行"]]
    handlers = {
        stage_settings.EMPTY_STAGE: stage_settings.empty_stage,
        tag_settings.MERGE_TAGS: tag_settings.merge_tags,
    }
    for row in await services.db.fetch("select id, kind, dedupe_key, payload from job"):
        await handlers[row["kind"]](services, Job(row["id"], row["kind"], row["dedupe_key"], row["payload"], 1))
    rows = await services.db.fetch("select stage_id, tags from customer where id = any($1::bigint[])", ids)
    assert [(row["stage_id"], row["tags"]) for row in rows] == [(known["报价"], [pair["旅行"]])] * 7
    told = await manager.get("/api/tags/counts")
    assert told["counts"] == [{"id": pair["旅行"], "n": 7}]


async def test_the_tally_is_what_the_customers_add_up_to(services: Services) -> None:
    from customers.tally import FOLD

    known = await stages(services)
    pair = await group(services, "兴趣", ["旅游", "旅行"])
    ids = [await customer(services, value_fen=100 * n) for n in range(6)]
    async with services.work() as work:
        await change_tags(work, None, ids, [pair["旅游"]], [])
        await move(work, None, ids[:4], known["报价"])
        await change_tags(work, None, ids[:2], [pair["旅行"]], [pair["旅游"]])
    await services.db.execute("update customer set merged_into = $2 where id = $1", ids[0], ids[1])
    await services.db.execute("update customer set deleted_at = now() where id = $1", ids[5])
    await services.db.execute("update customer set deleted_at = null where id = $1", ids[5])
    await services.db.execute("update customer set deleted_at = now() where id = $1", ids[4])
    for _ in range(2):
        told = await services.db.fetch(
            "select tag_id, stage_id, owner_id, sum(n)::int, sum(value_fen)::int from customer_tally group by 1, 2, 3 "
            "having sum(n) <> 0 order by 1, 2, 3"
        )
        really = await services.db.fetch(
            "select t, stage_id, owner_id, count(*)::int, coalesce(sum(value_fen), 0)::int from customer "
            "cross join lateral (select null::bigint union all select unnest(tags)) t (t) "
            "where merged_into is null and deleted_at is null group by 1, 2, 3 order by 1, 2, 3"
        )
        assert [tuple(row.values()) for row in told] == [tuple(row.values()) for row in really]
        await services.db.execute(FOLD)
