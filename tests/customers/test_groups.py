"""Customer groups: who is in them, who left, what is told of that; and what people see of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from customers.sync.group_views import GroupQuery, PeopleQuery, group_page, group_people
from scrm.config import Settings
from scrm.errors import NotFound
from tests.company import CORP
from tests.customers.platform import Office, office


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Office]:
    async with office(settings) as made:
        yield made


async def test_joins_and_leaves_are_the_difference_of_two_readings(site: Office) -> None:
    await site.hire("lilei")
    first, second, stranger = site.people(3)
    for who in (first, second):
        site.play.create_follow(CORP, "lilei", who)
    await site.compare()
    chat = site.play.found_group(CORP, "老客户群", "lilei", [first, stranger])
    await site.settle()
    group = await site.db.fetchrow("select * from group_chat where external_id = $1", chat)
    assert (group["name"], group["owner_id"], group["members"], group["contacts"]) == ("老客户群", "lilei", 3, 2)
    site.clock.advance(60)
    site.play.group_join(CORP, chat, [second], scene=3, state="zhanhui")
    site.play.group_leave(CORP, chat, [first])
    site.play.rename_group(CORP, chat, "铁粉群")
    await site.settle()
    rows = await site.db.fetch(
        "select external_id, left_at, scene, source from group_member where kind = 'contact' order by id"
    )
    found = {row["external_id"]: (row["left_at"] is not None, row["scene"], row["source"]) for row in rows}
    assert found == {first: (True, "invited", ""), stranger: (False, "invited", ""), second: (False, "code", "zhanhui")}
    assert [kind for kind in await site.story(first) if kind.startswith("group")] == ["group.joined", "group.left"]
    assert [kind for kind in await site.story(second) if kind.startswith("group")] == ["group.joined"]
    site.clock.advance(60)
    site.play.group_join(CORP, chat, [first])
    await site.settle()
    assert (await site.story(first)).count("group.joined") == 2
    # A stranger who becomes a contact is one of the group's customers.
    site.play.add_contact(CORP, "lilei", stranger)
    await site.settle()
    known = await site.db.fetchval("select contact_id is not null from group_member where external_id = $1", stranger)
    assert known


async def test_lost_callbacks_of_groups_are_made_up_for(site: Office) -> None:
    await site.hire("lilei")
    await site.hire("hanmei")
    who = site.people(1)[0]
    site.play.create_follow(CORP, "lilei", who)
    gone = site.play.create_group(CORP, "旧群", "lilei", [who])
    kept = site.play.create_group(CORP, "新群", "lilei", [])
    await site.compare()
    site.play.add_mischief("drop", times=None)
    site.clock.advance(60)
    site.play.dissolve_group(CORP, gone)
    site.play.group_join(CORP, kept, [who])
    site.play.change_group_owner(CORP, kept, "hanmei")
    site.clock.advance(60)
    await site.compare()
    rows = {row["external_id"]: row for row in await site.db.fetch("select * from group_chat")}
    assert rows[gone]["dissolved_at"] is not None
    assert (rows[kept]["owner_id"], rows[kept]["contacts"]) == ("hanmei", 1)
    assert (await site.story(who)).count("group.joined") == 2
    site.play.member_leaves(CORP, "hanmei")
    await site.compare()
    row = await site.db.fetchrow("select owner_state from group_chat where external_id = $1", kept)
    assert row["owner_state"] == "owner_left"


async def test_somebody_sees_their_own_groups_and_those_of_their_teams(site: Office) -> None:
    rep, other = await site.hire("lilei"), await site.hire("hanmei")
    boss = await site.hire("boss", role="manager")
    who = site.people(1)[0]
    site.play.create_follow(CORP, "hanmei", who)
    mine = site.play.create_group(CORP, "李雷的群", "lilei", [])
    theirs = site.play.create_group(CORP, "韩梅的群", "hanmei", [who])
    await site.compare()
    async with site.services.work() as work:
        team = await work.tx.fetchval("insert into team (name) values ('二组') returning id")
        await work.tx.execute("update account set team_id = $1", team)
    ids = {row["external_id"]: row["id"] for row in await site.db.fetch("select id, external_id from group_chat")}
    async with site.db.pool.acquire() as tx:
        assert [one.name for one in (await group_page(tx, rep, GroupQuery())).groups] == ["李雷的群"]
        page = await group_page(tx, boss, GroupQuery(limit=1))
        assert (len(page.groups), page.next_before) == (1, max(ids.values()))
        rest = await group_page(tx, boss, GroupQuery(limit=1, before=page.next_before))
        assert {page.groups[0].id, rest.groups[0].id} == set(ids.values())
        with pytest.raises(NotFound):
            await group_people(tx, rep, ids[theirs], PeopleQuery())
        people = (await group_people(tx, other, ids[theirs], PeopleQuery())).people
        assert sorted((one.kind, one.customer_id is not None) for one in people) == [
            ("contact", True),
            ("member", False),
        ]
        assert (await group_page(tx, boss, GroupQuery(q="李雷"))).groups[0].id == ids[mine]
