"""Reading customers, tags, groups and the directory from the simulated platform, and writing back to it."""

from __future__ import annotations

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import AccountRef
from scrm.channel_contacts import (
    GreetsNewContacts,
    KeepsTags,
    KnowsDirectory,
    KnowsGroups,
    KnowsRelations,
    MakesContactCodes,
    NotifiesPeople,
    RelationChange,
    TransfersRelations,
    WritesRelations,
)
from scrm.errors import Rejected
from tests.adapters.wecom.harness import WeComHarness
from tests.adapters.wecom.support import CORP_ID, Platform

ABILITIES = (
    KnowsDirectory,
    KnowsRelations,
    WritesRelations,
    KeepsTags,
    KnowsGroups,
    MakesContactCodes,
    GreetsNewContacts,
    TransfersRelations,
    NotifiesPeople,
)


@pytest.mark.parametrize("ability", ABILITIES, ids=lambda ability: ability.__name__)
async def test_the_adapter_has_every_ability_of_customer_contact(wecom: WeComAdapter, ability: type) -> None:
    assert isinstance(wecom, ability)


async def test_the_directory_is_read_whole_and_each_person_once(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    play.create_department(CORP_ID, 2, "销售部")
    play.create_department(CORP_ID, 3, "华南组", parentid=2, order=7)
    play.create_member(CORP_ID, "LiLei", "李雷", department=[2, 3], position="销售")
    play.create_member(CORP_ID, "Boss", "老板", serves=False, status=2)
    departments = await wecom.departments()
    assert [(d.external_id, d.name, d.parent_id, d.order) for d in departments] == [
        ("1", CORP_ID, "", 0),
        ("2", "销售部", "1", 0),
        ("3", "华南组", "2", 7),
    ]
    members = {one.external_id: one for one in await wecom.members()}
    assert sorted(members) == ["boss", "hanmeimei", "lilei"]
    assert (members["lilei"].department_ids, members["lilei"].position) == (("2", "3"), "销售")
    assert (members["boss"].status, members["boss"].serves, members["lilei"].serves) == ("disabled", False, True)


async def test_a_company_without_customer_contact_still_has_a_directory(
    site: WeComHarness, wecom: WeComAdapter
) -> None:
    site.play.set_app_rights(CORP_ID, contacts=False)
    assert [(one.external_id, one.serves) for one in await wecom.members()] == [("hanmeimei", False)]
    with pytest.raises(Rejected) as caught:
        await wecom.relation_accounts()
    assert (caught.value.code, caught.value.needs_admin) == ("wecom.48002", True)


async def test_relations_are_read_page_by_page(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    play.create_member(CORP_ID, "LiLei", "李雷")
    tags = play.create_tag_group(CORP_ID, "意向", ["高", "低"])
    for number in range(230):
        play.create_follow(CORP_ID, "LiLei", play.create_customer(CORP_ID, f"客户{number}"))
    play.add_contact(CORP_ID, "HanMeimei", site.customer, state="shelf-3")
    play.member_edits(
        CORP_ID,
        "hanmeimei",
        site.customer,
        remark="王总",
        phones=["13800000001"],
        add_tags=[tags["高"]],
        company="青禾",
    )
    accounts = await wecom.relation_accounts()
    assert accounts == [AccountRef("wecom_member", "hanmeimei"), AccountRef("wecom_member", "lilei")]
    found, cursor, pages = [], "", 0
    while True:
        page = await wecom.relations([one.external_id for one in accounts], cursor)
        found += list(page.relations)
        pages, cursor = pages + 1, page.cursor
        if not cursor:
            break
    assert (len(found), pages) == (231, 3)
    (mine,) = [one for one in found if one.contact.external_id == site.customer]
    assert (mine.account.external_id, mine.remark, mine.phones, mine.company) == (
        "hanmeimei", "王总", ("13800000001",), "青禾",
    )  # fmt: skip
    assert (mine.tags, mine.way, mine.source, mine.by_contact) == ((tags["高"],), "1", "shelf-3", True)
    assert mine.way_words is not None
    assert mine.contact.union_id == "wechat:oUnionLiLei"


async def test_a_member_without_customers_hides_nobody(site: WeComHarness, wecom: WeComAdapter) -> None:
    """Whichever way the platform answers, which it does not publish."""
    site.play.create_member(CORP_ID, "LiLei", "李雷")
    site.play.add_contact(CORP_ID, "HanMeimei", site.customer)
    assert len((await wecom.relations(["hanmeimei", "lilei"], "")).relations) == 1
    site.simulator.settings.member_without_customers = "refuse"
    with pytest.raises(Rejected):
        await wecom.relations(["hanmeimei", "lilei"], "")
    assert len((await wecom.relations(["hanmeimei"], "")).relations) == 1
    assert list((await wecom.relations(["lilei"], "")).relations) == []


async def test_one_contact_is_read_with_every_member(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    assert (await wecom.relations_of(site.customer)).relations == []
    assert (await wecom.relations_of("wm-nobody")).relations == []
    members = [play.create_member(CORP_ID, f"m{number}", f"同事{number}") for number in range(510)]
    for userid in members:
        play.create_follow(CORP_ID, userid, site.customer)
    page = await wecom.relations_of(site.customer)
    assert sorted(one.account.external_id for one in page.relations) == sorted(members)
    assert [one.kind for one in page.persons] == ["wechat"]
    assert page.cursor == ""


async def test_a_customer_who_deleted_the_member_is_still_told(site: WeComHarness, wecom: WeComAdapter) -> None:
    """The platform does not say so when it is read; only its event does."""
    site.play.add_contact(CORP_ID, "HanMeimei", site.customer)
    site.play.delete_contact(CORP_ID, "HanMeimei", site.customer, by_customer=True)
    assert len((await wecom.relations_of(site.customer)).relations) == 1
    assert site.play.truth(CORP_ID)["relations"][f"{site.customer}/hanmeimei"]["one_sided"] is True
    site.play.delete_contact(CORP_ID, "HanMeimei", site.customer)
    assert (await wecom.relations_of(site.customer)).relations == []


async def test_what_we_know_is_written_into_the_relation(site: WeComHarness, wecom: WeComAdapter) -> None:
    site.play.add_contact(CORP_ID, "HanMeimei", site.customer)
    change = RelationChange(remark="老王", description="要沙发", company="青禾", phones=("13800000001", "02012345678"))
    for _ in range(2):
        await wecom.describe("hanmeimei", site.customer, change)
    (relation,) = (await wecom.relations_of(site.customer)).relations
    assert (relation.remark, relation.description, relation.company) == ("老王", "要沙发", "青禾")
    assert relation.phones == ("13800000001", "02012345678")
    await wecom.describe("hanmeimei", site.customer, RelationChange(remark="", phones=()))
    (relation,) = (await wecom.relations_of(site.customer)).relations
    assert (relation.remark, relation.description, relation.phones) == ("", "要沙发", ())
    await wecom.describe("hanmeimei", site.customer, RelationChange())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (RelationChange(remark="长" * 21), "wecom.remark_too_long"),
        (RelationChange(description="长" * 151), "wecom.description_too_long"),
        (RelationChange(company="长" * 21), "wecom.company_too_long"),
        (RelationChange(phones=tuple(f"1380000000{n}" for n in range(6))), "wecom.too_many_phones"),
    ],
)
async def test_what_is_too_long_is_refused_with_its_limit(
    site: WeComHarness, wecom: WeComAdapter, change: RelationChange, code: str
) -> None:
    site.play.add_contact(CORP_ID, "HanMeimei", site.customer)
    with pytest.raises(Rejected) as caught:
        await wecom.describe("hanmeimei", site.customer, change)
    assert caught.value.code == code


async def test_writing_without_a_relation_is_refused(site: WeComHarness, wecom: WeComAdapter) -> None:
    with pytest.raises(Rejected) as caught:
        await wecom.describe("hanmeimei", site.customer, RelationChange(remark="王"))
    assert caught.value.code == "wecom.84061"


async def test_tags_are_put_on_the_relation_and_taken_off(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    play.create_member(CORP_ID, "LiLei", "李雷")
    tags = play.create_tag_group(CORP_ID, "意向", ["高", "低"])
    for userid in ("HanMeimei", "LiLei"):
        play.add_contact(CORP_ID, userid, site.customer)
    for _ in range(2):
        await wecom.mark("hanmeimei", site.customer, [tags["高"], tags["低"]], [])
    await wecom.mark("hanmeimei", site.customer, [], [tags["低"]])
    await wecom.mark("hanmeimei", site.customer, [], [])
    marked = {one.account.external_id: one.tags for one in (await wecom.relations_of(site.customer)).relations}
    assert marked == {"hanmeimei": (tags["高"],), "lilei": ()}
    with pytest.raises(Rejected) as caught:
        await wecom.mark("hanmeimei", site.customer, ["et-nothing"], [])
    assert caught.value.code == "wecom.40068"


async def test_the_tag_library_is_kept(site: WeComHarness, wecom: WeComAdapter) -> None:
    made = await wecom.add_tags(group_id="", group_name="来源", names=["抖音", "门店"], orders=[5, 3])
    assert [(tag.name, tag.order) for tag in made.tags] == [("抖音", 5), ("门店", 3)]
    again = await wecom.add_tags(group_id="", group_name="来源", names=["门店", "展会", "展会"])
    assert again.external_id == made.external_id
    assert [tag.name for tag in again.tags] == ["门店", "展会"]
    assert again.tags[0].external_id == made.tags[1].external_id
    more = await wecom.add_tags(group_id=made.external_id, group_name="", names=["抖音"])
    assert [tag.external_id for tag in more.tags] == [made.tags[0].external_id]
    await wecom.change_tag(made.tags[0].external_id, name="抖音直播", order=9)
    await wecom.change_tag(made.external_id, name="渠道")
    (group,) = await wecom.tags()
    assert (group.name, {tag.name: tag.order for tag in group.tags}) == ("渠道", {"抖音直播": 9, "门店": 3, "展会": 0})
    await wecom.delete_tags(tag_ids=[made.tags[1].external_id])
    await wecom.delete_tags(tag_ids=[made.tags[1].external_id, made.tags[0].external_id])
    (group,) = await wecom.tags()
    assert [tag.name for tag in group.tags] == ["展会"]
    await wecom.delete_tags(group_ids=[made.external_id])
    await wecom.delete_tags(group_ids=[made.external_id])
    assert await wecom.tags() == []


async def test_somebody_else_may_add_the_same_tag_in_the_same_moment(adapter: WeComAdapter, server: Platform) -> None:
    """The platform refuses the call for a name that was not there when we looked: it is looked at again."""
    there = {"group_id": "et1", "group_name": "来源", "tag": [{"id": "et2", "name": "抖音"}]}
    server.reply(
        "externalcontact/get_corp_tag_list", {"errcode": 0, "tag_group": []}, {"errcode": 0, "tag_group": [there]}
    )
    made = {**there, "tag": [{"id": "et3", "name": "门店"}]}
    server.reply("externalcontact/add_corp_tag", {"errcode": 40071}, {"errcode": 0, "tag_group": made})
    group = await adapter.add_tags(group_id="", group_name="来源", names=["抖音", "门店"])
    assert {tag.name: tag.external_id for tag in group.tags} == {"抖音": "et2", "门店": "et3"}
    first, second = server.calls("externalcontact/add_corp_tag")
    assert [tag["name"] for tag in first.json["tag"]] == ["抖音", "门店"]
    assert second.json == {"group_id": "et1", "tag": [{"name": "门店"}]}


async def test_tags_that_people_made_cannot_be_changed(site: WeComHarness, wecom: WeComAdapter) -> None:
    tags = site.play.create_tag_group(CORP_ID, "意向", ["高"])
    with pytest.raises(Rejected) as caught:
        await wecom.change_tag(tags["高"], name="很高")
    assert caught.value.code == "wecom.60011"


async def test_groups_are_read_with_their_people(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    play.create_member(CORP_ID, "LiLei", "李雷")
    chat = play.found_group(CORP_ID, "湖景房群", "hanmeimei", ["LiLei"])
    play.group_join(CORP_ID, chat, [site.customer], scene=3, state="qr-7")
    play.group_join(CORP_ID, chat, ["wmStranger"], scene=2, invited_by=site.customer)
    play.set_group_admins(CORP_ID, chat, ["LiLei"])
    play.change_group_notice(CORP_ID, chat, "文明沟通")
    assert await wecom.group_ids("") == type(await wecom.group_ids(""))([(chat, "normal")], "")
    group = await wecom.group(chat)
    assert group is not None
    assert (group.name, group.owner_id, group.admin_ids, group.notice) == (
        "湖景房群",
        "hanmeimei",
        ("lilei",),
        "文明沟通",
    )
    people = {one.external_id: one for one in group.members}
    assert [(one.kind, one.scene) for one in people.values()] == [
        ("member", "invited"), ("member", "invited"), ("contact", "code"), ("contact", "link"),
    ]  # fmt: skip
    assert (people[site.customer].source, people[site.customer].union_id) == ("qr-7", "wechat:oUnionLiLei")
    version = group.version
    play.group_leave(CORP_ID, chat, ["wmStranger"])
    group = await wecom.group(chat)
    assert group is not None
    assert group.version != version
    assert "wmStranger" not in {one.external_id for one in group.members}
    play.member_leaves(CORP_ID, "HanMeimei")
    assert (await wecom.group_ids("", owner_ids=["hanmeimei"])).ids == [(chat, "owner_left")]
    play.dissolve_group(CORP_ID, chat)
    assert await wecom.group(chat) is None
    assert (await wecom.group_ids("")).ids == []
    assert await wecom.group("wr-nothing") is None


async def test_groups_of_a_large_company_are_read_by_their_owners(site: WeComHarness, wecom: WeComAdapter) -> None:
    play = site.play
    site.simulator.settings.groups_untold_above = 100
    chats = []
    for number in range(250):
        play.create_member(CORP_ID, f"m{number:03}", f"同事{number}")
        if number % 50 == 0:
            chats.append(play.create_group(CORP_ID, f"群{number}", f"m{number:03}", []))
    found, cursor = [], ""
    while True:
        page = await wecom.group_ids(cursor)
        found += [one for one, _ in page.ids]
        cursor = page.cursor
        if not cursor:
            break
    assert sorted(found) == sorted(chats)
