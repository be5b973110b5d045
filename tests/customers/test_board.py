"""The board: each customer in one column, counted as they are, page by page, and nobody sees beyond their reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from customers.stages import move
from tests.customers.test_stages_and_tags import customer, group, stages
from tests.http.site import Browser, Site


async def everything(browser: Browser, stage_id: int, **filters: Any) -> list[int]:
    """All cards of a column, page by page."""
    ids: list[int] = []
    cursor = ""
    while True:
        page = await browser.get("/api/board/cards", stage_id=stage_id, cursor=cursor, **filters)
        ids += [card["id"] for card in page["cards"]]
        cursor = page["next_cursor"]
        if not cursor:
            return ids


async def test_columns_count_and_page_what_is_in_them(site: Site) -> None:
    services = site.services
    known = await stages(services)
    level = await group(services, "等级", ["A"])
    manager = await site.signed_in("manager")
    rep = await site.agent("rep")
    ids = [
        await customer(
            services, owner_id=rep if n % 2 else None, value_fen=100, tags=[level["A"]] if n % 3 == 0 else []
        )
        for n in range(47)
    ]
    async with services.work() as work:
        await move(work, None, ids, known["意向"])
    left_out = await customer(services, merged_into=ids[0])
    shown = await manager.get("/api/board")
    by_stage = {one["stage_id"]: one for one in shown["columns"]}
    assert [one["stage_id"] for one in shown["columns"]] == [
        0,
        *(known[name] for name in ("新客", "意向", "报价", "合同", "成交", "流失")),
    ]
    assert (by_stage[known["意向"]]["n"], by_stage[known["意向"]]["value_fen"]) == (47, 4700)
    assert len(by_stage[known["意向"]]["cards"]) == 20
    all_of_them = await everything(manager, known["意向"])
    assert sorted(all_of_them) == ids
    assert left_out not in all_of_them
    assert sorted(await everything(manager, known["意向"], owner_id=rep)) == ids[1::2]
    assert sorted(await everything(manager, known["意向"], whose="nobody")) == ids[0::2]
    tagged = await manager.get("/api/board", tag_id=level["A"])
    assert {one["stage_id"]: one["n"] for one in tagged["columns"]}[known["意向"]] == len(ids[0::3])
    assert sorted(await everything(manager, known["意向"], tag_id=level["A"])) == ids[0::3]


async def test_the_newest_are_first_also_of_several_owners(site: Site) -> None:
    services = site.services
    known = await stages(services)
    team = await site.team("一队")
    rep = await site.signed_in("rep", teams=(team,))
    mate = await site.agent("rep", teams=(team,))
    now = services.clock.now()
    ids = [
        await customer(
            services, owner_id=(rep.me["agent"]["id"], mate)[n % 2], stage_id=known["新客"],
            stage_at=now - timedelta(minutes=n),
        )
        for n in range(50)
    ]  # fmt: skip
    assert await everything(rep, known["新客"]) == ids
    assert await everything(rep, known["新客"], whose="mine") == ids[0::2]
    assert await everything(rep, known["新客"], team_id=team) == ids


async def test_the_board_keeps_the_reach(site: Site) -> None:
    services = site.services
    known = await stages(services)
    rep = await site.signed_in("rep")
    stranger = await site.agent("rep")
    others = await site.team("二队")
    async with services.work() as work:
        await work.tx.execute("insert into team_member (team_id, agent_id) values ($1, $2)", others, stranger)
    mine = await customer(services, owner_id=rep.me["agent"]["id"], stage_id=known["新客"])
    await customer(services, owner_id=stranger, stage_id=known["新客"])
    shown = await rep.get("/api/board")
    assert {one["stage_id"]: one["n"] for one in shown["columns"]}[known["新客"]] == 1
    assert await everything(rep, known["新客"]) == [mine]
    for query in ({"owner_id": stranger}, {"team_id": others}):
        assert (await rep.call("GET", "/api/board", params=query))[0] == 404
    assert (await rep.call("GET", "/api/board", params={"whose": "nobody"}))[0] == 422
