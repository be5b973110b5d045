"""Relations, the directory and tags kept in step with a platform: what is there is here, whatever happened to the callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from customers.sync.left import left_people
from customers.tags import change_tags
from scrm.config import Settings
from tests.company import CORP
from tests.customers.platform import Office, office


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Office]:
    async with office(settings) as made:
        yield made


async def test_everything_is_read_once_and_belongs_to_who_entered_it_first(site: Office) -> None:
    lilei = await site.hire("lilei")
    await site.hire("hanmei")
    who = site.play.create_customer(CORP, "王芳", gender=2)
    site.play.create_follow(CORP, "LiLei", who, remark="王总", remark_mobiles=["13800138000", "138****8000"])
    site.clock.advance(60)
    site.play.create_follow(CORP, "hanmei", who)
    await site.compare()
    links = await site.links()
    assert set(links) == {f"{who}/lilei", f"{who}/hanmei"}
    assert links[f"{who}/lilei"]["remark"] == "王总"
    customer = await site.customer(who)
    assert (customer["name"], customer["gender"], customer["owner_id"]) == ("王芳", "female", lilei.agent_id)
    phones = await site.db.fetch("select phone from phone_number where customer_id = $1", customer["id"])
    assert [row["phone"] for row in phones] == ["+8613800138000"]
    assert customer["phone"] == "13800138000"
    assert (await site.story(who)).count("contact.added") == 2
    history = await site.db.fetchval("select kind from owner_history where customer_id = $1", customer["id"])
    assert history == "created"
    await site.compare()
    assert (await site.story(who)).count("contact.added") == 2


async def test_callbacks_say_where_to_look(site: Office) -> None:
    await site.hire("lilei")
    await site.compare()
    who = site.play.create_customer(CORP, "王芳")
    site.play.add_contact(CORP, "lilei", who, state="zhanhui")
    await site.settle()
    link = (await site.links())[f"{who}/lilei"]
    assert (link["state"], link["source"], link["by_contact"]) == ("active", "zhanhui", True)
    site.clock.advance(10)
    site.play.member_edits(CORP, "lilei", who, remark="老客户", description="要两台")
    await site.settle()
    link = (await site.links())[f"{who}/lilei"]
    assert (link["remark"], link["description"]) == ("老客户", "要两台")
    site.clock.advance(10)
    site.play.delete_contact(CORP, "lilei", who, by_customer=True)
    await site.settle()
    assert (await site.links())[f"{who}/lilei"]["state"] == "deleted_by_contact"
    await site.compare()
    assert (await site.links())[f"{who}/lilei"]["state"] == "deleted_by_contact"
    site.clock.advance(10)
    site.play.add_contact(CORP, "lilei", who)
    await site.settle()
    assert (await site.links())[f"{who}/lilei"]["state"] == "active"
    site.clock.advance(10)
    site.play.delete_contact(CORP, "lilei", who)
    await site.settle()
    assert (await site.links())[f"{who}/lilei"]["state"] == "deleted_by_agent"
    assert [kind for kind in await site.story(who) if kind.startswith("contact")] == [
        "contact.added", "contact.deleted_by_customer", "contact.added", "contact.deleted_by_agent",
    ]  # fmt: skip


async def test_half_added_waits_to_be_added_back(site: Office) -> None:
    await site.hire("lilei")
    who = site.play.create_customer(CORP, "王芳")
    site.play.add_contact(CORP, "lilei", who, half=True)
    await site.settle()
    assert (await site.links())[f"{who}/lilei"]["state"] == "half"
    await site.compare()
    assert (await site.links())[f"{who}/lilei"]["state"] == "half"
    site.clock.advance(10)
    site.play.add_contact(CORP, "lilei", who)
    await site.settle()
    assert (await site.links())[f"{who}/lilei"]["state"] == "active"


async def test_what_lost_callbacks_missed_is_found_by_the_comparison(site: Office) -> None:
    await site.hire("lilei")
    people = site.people(5)
    for who in people[:4]:
        site.play.create_follow(CORP, "lilei", who)
    await site.compare()
    site.play.add_mischief("drop", times=None)
    site.clock.advance(60)
    site.play.delete_contact(CORP, "lilei", people[0])
    site.play.member_edits(CORP, "lilei", people[1], remark="新备注", phones=["13900139000"])
    site.play.add_contact(CORP, "lilei", people[4])
    await site.settle()
    assert (await site.links())[f"{people[0]}/lilei"]["state"] == "active"
    await site.compare()
    links = await site.links()
    assert {key: link["state"] for key, link in links.items()} == {
        f"{people[0]}/lilei": "gone", **{f"{who}/lilei": "active" for who in people[1:]},
    }  # fmt: skip
    assert links[f"{people[1]}/lilei"]["remark"] == "新备注"


async def test_who_left_is_kept_with_the_customers_that_wait(site: Office) -> None:
    await site.hire("lilei")
    manager = await site.hire("boss", role="manager")
    people = site.people(3)
    for who in people:
        site.play.create_follow(CORP, "lilei", who)
    await site.compare()
    site.play.member_leaves(CORP, "lilei")
    await site.settle()
    member = await site.db.fetchrow("select * from directory_member where external_id = 'lilei'")
    assert member["left_at"] is not None
    assert [(one.name, one.customers) for one in await left_people(site.db)] == [("LILEI", 3)]
    notice = await site.db.fetchrow("select * from notification where kind = 'member_left'")
    assert (notice["agent_id"], notice["data"]["customers"]) == (manager.agent_id, 3)
    await site.compare()
    assert {link["state"] for link in (await site.links()).values()} == {"active"}


async def test_tags_go_both_ways(site: Office) -> None:
    rep = await site.hire("lilei")
    await site.hire("hanmei")
    theirs = site.play.create_tag_group(CORP, "意向", ["高", "低"])
    who = site.play.create_customer(CORP, "王芳")
    site.play.create_follow(CORP, "lilei", who, tag_ids=[theirs["高"]])
    site.play.create_follow(CORP, "hanmei", who)
    await site.compare()
    assert await site.tag_names(who) == ["高"]
    low = await site.db.fetchval("select id from tag where name = '低'")
    customer = await site.customer(who)
    async with site.services.work() as work:
        await change_tags(work, rep.agent_id, [customer["id"]], [low], [])
    await site.settle()
    truth = site.play.truth(CORP)["relations"]
    assert theirs["低"] in truth[f"{who}/lilei"]["tags"]
    assert theirs["低"] in truth[f"{who}/hanmei"]["tags"]
    # Our own writing, read back, changes nothing.
    before = await site.story(who)
    await site.compare()
    assert await site.story(who) == before
    # An employee takes it from one relation: the other still has it. Then from the other.
    site.clock.advance(5)
    site.play.member_edits(CORP, "lilei", who, remove_tags=[theirs["低"]])
    await site.settle()
    assert await site.tag_names(who) == ["低", "高"]
    site.play.member_edits(CORP, "hanmei", who, remove_tags=[theirs["低"]])
    await site.settle()
    assert await site.tag_names(who) == ["高"]


async def test_the_library_is_in_step(site: Office) -> None:
    await site.hire("lilei")
    theirs = site.play.create_tag_group(CORP, "意向", ["高", "低"])
    await site.compare()
    group = await site.db.fetchrow("select * from tag_group where name = '意向'")
    assert group is not None
    site.play.people_change_tag(CORP, theirs["高"], name="很高")
    site.play.people_delete_tag(CORP, theirs["低"])
    await site.settle()
    rows = await site.db.fetch("select name, archived_at is not null as away from tag order by id")
    assert [(row["name"], row["away"]) for row in rows] == [("很高", False), ("低", True)]
    from customers.sync.wishes import library_changed

    async with site.services.work() as work:
        await work.tx.execute("insert into tag (tag_group_id, name, position) values ($1, '中', 5)", group["id"])
        await library_changed(work)
    await site.settle()
    tags = next(iter(site.play.truth(CORP)["tags"].values()))["tags"]
    assert sorted(tag["name"] for tag in tags.values()) == ["中", "很高"]
    async with site.services.work() as work:
        await work.tx.execute("update tag set name = '中等' where name = '中'")
        await work.tx.execute("update tag set name = '不许改' where name = '很高'")
        await library_changed(work)
    await site.settle()
    tags = next(iter(site.play.truth(CORP)["tags"].values()))["tags"]
    assert sorted(tag["name"] for tag in tags.values()) == ["中等", "很高"]
    async with site.services.work() as work:
        await work.tx.execute("update tag set archived_at = now() where name = '中等'")
        await library_changed(work)
    await site.settle()
    tags = next(iter(site.play.truth(CORP)["tags"].values()))["tags"]
    assert [tag["name"] for tag in tags.values()] == ["很高"]
