"""Keeping in step when things break: a kill in the middle, callbacks twice and out of order, a throttled platform, an expired token,
two processes at once, an answer that comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from customers.sync.readings import next_number
from customers.sync.runs import begin
from customers.sync.take import take_reading
from customers.tags import change_tags
from inbox.contacts import contacts_renamed
from scrm.app import open_services
from scrm.config import Settings
from simulator.faults import Fault
from tests.company import CORP, fast
from tests.customers.platform import Office, Worker, office

CONTACT = "/cgi-bin/externalcontact/"


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Office]:
    async with office(settings) as made:
        yield made


async def test_a_killed_comparison_goes_on_behind_its_last_page(site: Office) -> None:
    await site.hire("lilei")
    people = site.people(350)
    for who in people:
        site.play.create_follow(CORP, "lilei", who)
    async with site.services.work() as work:
        await begin(work, site.connection_id, "hand")
    fault = site.wecom.faults.add(Fault("hang", f"{CONTACT}batch/get_by_user", skip=2))
    going = asyncio.create_task(site.worker.sweep.round())
    while fault.hits == 0:
        await asyncio.sleep(0.01)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    site.wecom.faults.clear()
    read = await site.db.fetchval("select count(*) from contact_link")
    assert read == 200
    pages = site.wecom.faults.add(Fault("delay", f"{CONTACT}batch/get_by_user", times=None, seconds=0.0))
    site.clock.advance(timedelta(minutes=5))
    await site.settle()
    assert len(await site.links()) == 350
    assert pages.hits == 2
    run = await site.db.fetchrow("select state, counts from sync_run")
    assert (run["state"], run["counts"]["relations"]) == ("done", 350)


async def test_callbacks_in_any_order_and_twice_end_at_the_truth(site: Office) -> None:
    await site.hire("lilei")
    await site.compare()
    people = site.people(12)
    site.play.add_mischief("reorder", times=9)
    site.play.add_mischief("duplicate", times=None, copies=3)
    for n, who in enumerate(people):
        site.play.add_contact(CORP, "lilei", who)
        site.clock.advance(1)
        if n % 3 == 0:
            site.play.delete_contact(CORP, "lilei", who)
            site.clock.advance(1)
        if n % 3 == 1:
            site.play.member_edits(CORP, "lilei", who, remark=f"第{n}位")
            site.clock.advance(1)
    site.play.clear_mischief()
    await site.settle()
    truth = site.play.truth(CORP)["relations"]
    links = await site.links()
    assert {key for key, link in links.items() if link["state"] == "active"} == set(truth)
    assert all(links[key]["remark"] == true["remark"] for key, true in truth.items())
    for who in people:
        assert (await site.story(who)).count("contact.added") <= 1


async def test_a_throttled_platform_is_asked_later_and_an_expired_token_is_renewed(site: Office) -> None:
    rep = await site.hire("lilei")
    tags = site.play.create_tag_group(CORP, "意向", ["高"])
    people = site.people(30)
    for who in people:
        site.play.create_follow(CORP, "lilei", who)
    site.wecom.faults.add(Fault("refuse", f"{CONTACT}batch/get_by_user", code=45009, times=2))
    await site.compare()
    assert len(await site.links()) == 30
    site.play.invalidate_token(CORP)
    site.wecom.faults.add(Fault("refuse", f"{CONTACT}mark_tag", code=45009, times=3))
    site.wecom.faults.add(Fault("drop_after", f"{CONTACT}mark_tag", times=2))
    tag = await site.db.fetchval("select id from tag where name = '高'")
    async with site.services.work() as work:
        ids = [row["id"] for row in await work.tx.fetch("select id from customer")]
        await change_tags(work, rep.agent_id, ids, [tag], [])
    await site.settle()
    truth = site.play.truth(CORP)["relations"]
    assert all(true["tags"] == [tags["高"]] for true in truth.values())
    assert (
        await site.db.fetchval("select count(*) from contact_link where wish is not null or wish_error is not null")
        == 0
    )


async def test_an_older_answer_never_replaces_a_newer_one(site: Office) -> None:
    await site.hire("lilei")
    who = site.people(1)[0]
    site.play.create_follow(CORP, "lilei", who, remark="旧")
    await site.compare()
    adapter: Any = (await site.services.connections.get(site.connection_id)).adapter
    older = await next_number(site.db)
    stale = await adapter.relations_of(who)
    site.clock.advance(5)
    site.play.member_edits(CORP, "lilei", who, remark="新")
    await site.settle()
    async with site.services.work() as work:
        await take_reading(
            work, site.connection_id, older, stale.persons, stale.relations, complete=[who], renamed=contacts_renamed
        )
    assert (await site.links())[f"{who}/lilei"]["remark"] == "新"
    # Nor does an answer from before a deletion bring the relation back.
    older = await next_number(site.db)
    stale = await adapter.relations_of(who)
    site.play.delete_contact(CORP, "lilei", who)
    await site.settle()
    async with site.services.work() as work:
        await take_reading(
            work, site.connection_id, older, stale.persons, stale.relations, complete=[who], renamed=contacts_renamed
        )
    assert (await site.links())[f"{who}/lilei"]["state"] == "deleted_by_agent"


async def test_two_processes_at_once_do_everything_once(site: Office, settings: Settings) -> None:
    rep = await site.hire("lilei")
    site.play.create_tag_group(CORP, "意向", ["高"])
    url = settings.database.url
    assert url is not None
    for who in site.people(150):
        site.play.create_follow(CORP, "lilei", who)
    async with open_services(fast(settings), url.get_secret_value(), clock=site.clock) as other:
        await other.connections.refresh()
        second = Worker.of(other)
        async with site.services.work() as work:
            assert await begin(work, site.connection_id, "hand")
            assert not await begin(work, site.connection_id, "night")
        for who in site.people(40, "新客"):
            site.play.add_contact(CORP, "lilei", who)
        await site.delivered()
        for _ in range(6):
            await asyncio.gather(site.worker.rounds(), second.rounds())
        tag = await site.db.fetchval("select id from tag where name = '高'")
        async with site.services.work() as work:
            ids = [row["id"] for row in await work.tx.fetch("select id from customer")]
            await change_tags(work, rep.agent_id, ids, [tag], [])
        marks = site.wecom.faults.add(Fault("delay", f"{CONTACT}mark_tag", times=None, seconds=0.0))
        for _ in range(6):
            await asyncio.gather(site.worker.rounds(), second.rounds())
    await site.settle()
    assert len(await site.links()) == 190
    assert marks.hits == 190
    added = await site.db.fetch("select customer_id from timeline where kind = 'contact.added'")
    assert len(added) == len({row["customer_id"] for row in added}) == 190
    assert await site.db.fetchval("select count(*) from owner_history") == 190
    assert await site.db.fetchval("select count(*) from sync_run") == 1
