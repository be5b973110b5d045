"""Relations over HTTP: what is shown to whom, and writing into them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from customers.sync.describe import RelationInput, describe
from customers.sync.relation_views import relations_view
from customers.sync.state_views import sync_views
from scrm.config import Settings
from scrm.errors import Conflict, Forbidden, Unprocessable
from tests.company import CORP
from tests.customers.platform import Office, office


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Office]:
    async with office(settings) as made:
        yield made


async def test_words_are_written_to_the_platform_and_shown_meanwhile(site: Office) -> None:
    rep = await site.hire("lilei")
    boss = await site.hire("boss", role="manager")
    who = site.people(1)[0]
    site.play.create_follow(CORP, "lilei", who, remark="旧", remark_mobiles=["13800138000"])
    await site.compare()
    customer_id = (await site.customer(who))["id"]
    link_id = (await site.links())[f"{who}/lilei"]["id"]
    connections = site.services.connections

    async def write(by: object, **change: object) -> None:
        async with site.services.work() as work:
            await describe(work, by, connections, link_id, RelationInput(**change), address="")  # type: ignore[arg-type]

    await write(rep, remark="王总", description="要两台", add_phone="13900139000")
    async with site.db.pool.acquire() as tx:
        shown = (await relations_view(tx, rep, connections, customer_id, changeable=True)).relations[0]
    assert (shown.remark, shown.pending, shown.phones) == ("王总", True, ["138****8000", "139****9000"])
    await site.settle()
    there = site.wecom.world.corps[CORP].follows[who]["lilei"]
    assert (there.remark, there.description, there.remark_mobiles) == ("王总", "要两台", ["13800138000", "13900139000"])
    async with site.db.pool.acquire() as tx:
        view = await relations_view(tx, boss, connections, customer_id, changeable=True)
    assert (view.relations[0].pending, view.relations[0].phones) == (False, ["13800138000", "13900139000"])
    with pytest.raises(Forbidden):
        await write(rep, phones=["13900139000"])
    with pytest.raises(Unprocessable):
        await write(boss, phones=["139****2222"])
    with pytest.raises(Unprocessable):
        await write(boss, remark="长" * 21)
    await write(boss, phones=[])
    await site.settle()
    assert there.remark_mobiles == []
    site.clock.advance(5)
    site.play.delete_contact(CORP, "lilei", who)
    await site.settle()
    with pytest.raises(Conflict):
        await write(boss, remark="太晚了")


async def test_a_refused_write_is_shown_and_the_truth_is_read_again(site: Office) -> None:
    rep = await site.hire("lilei")
    who = site.people(1)[0]
    site.play.create_follow(CORP, "lilei", who, remark="旧")
    await site.compare()
    site.play.add_mischief("drop", times=None)
    site.clock.advance(5)
    site.play.delete_contact(CORP, "lilei", who)
    link_id = (await site.links())[f"{who}/lilei"]["id"]
    async with site.services.work() as work:
        await describe(work, rep, site.services.connections, link_id, RelationInput(remark="新"), address="")
    await site.settle()
    link = (await site.links())[f"{who}/lilei"]
    assert (link["state"], link["wish"], link["wish_error"]["code"]) == ("gone", None, "wecom.84061")
    async with site.db.pool.acquire() as tx:
        view = (await sync_views(tx, site.services.connections))[0]
    assert (view.refused, view.looks, view.run.state if view.run else "") == (1, 0, "done")
