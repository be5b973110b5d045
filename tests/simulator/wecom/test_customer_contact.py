"""Customer contact (chapters 4, 5, 6, 8, 9, 11): what is refused, what is told to the apps and what is not."""

from __future__ import annotations

import pytest

from .conftest import CORP, PNG, Json, Receiver, Shop

PREFIX = "externalcontact/"


def fields(event: str) -> dict[str, str]:
    """The elements of a callback, as text."""
    import re

    found = re.findall(r"<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</\1>", event)
    return {name: data or plain for name, data, plain in found}


async def told(shop: Shop, receiver: Receiver) -> list[dict[str, str]]:
    """What the app has heard since the last look."""
    await shop.play.settle()
    events = [fields(event) for event in receiver.events]
    receiver.events.clear()
    return events


def changes(events: list[dict[str, str]]) -> list[str]:
    return [event["ChangeType"] for event in events]


# Coming and going


async def test_adding_tells_a_state_and_a_code(shop: Shop, receiver: Receiver) -> None:
    code = shop.play.add_contact(CORP, "lisi", shop.customer, state="flyer")
    (event,) = await told(shop, receiver)
    assert (event["ChangeType"], event["UserID"], event["ExternalUserID"]) == (
        "add_external_contact", "lisi", shop.customer,
    )  # fmt: skip
    assert (event["State"], event["WelcomeCode"]) == ("flyer", code)
    assert shop.play.add_contact(CORP, "lisi", shop.customer) == ""
    assert await told(shop, receiver) == []


async def test_a_half_add_is_no_relation_until_it_is_answered(shop: Shop, receiver: Receiver) -> None:
    code = shop.play.add_contact(CORP, "lisi", shop.customer, state="qr", half=True)
    assert changes(await told(shop, receiver)) == ["add_half_external_contact"]
    assert (await shop.get(PREFIX + "get", external_userid=shop.customer))["errcode"] == 84061
    greeting = {"welcome_code": code, "text": {"content": "您好"}}
    assert (await shop.post(PREFIX + "send_welcome_msg", greeting))["errcode"] == 0
    assert shop.play.add_contact(CORP, "lisi", shop.customer) == "", "the code of the half-add was used"
    (event,) = await told(shop, receiver)
    assert (event["State"], "WelcomeCode" in event) == ("qr", False)


async def test_deletions_by_either_side(shop: Shop, receiver: Receiver) -> None:
    shop.play.add_contact(CORP, "lisi", shop.customer)
    shop.play.member_edits(CORP, "lisi", shop.customer, remark="老王")
    shop.play.delete_contact(CORP, "lisi", shop.customer, by_customer=True)
    assert changes(await told(shop, receiver)) == ["add_external_contact", "edit_external_contact", "del_follow_user"]
    assert (await shop.get(PREFIX + "get", external_userid=shop.customer))["errcode"] == 0, "one side remains"
    shop.play.add_contact(CORP, "lisi", shop.customer, state="again")
    (follow,) = (await shop.get(PREFIX + "get", external_userid=shop.customer))["follow_user"]
    assert (follow["remark"], follow["state"]) == ("老王", "again"), "what the member wrote stayed"
    shop.play.delete_contact(CORP, "lisi", shop.customer)
    assert changes(await told(shop, receiver)) == ["add_external_contact", "del_external_contact"]
    assert (await shop.get(PREFIX + "get", external_userid=shop.customer))["errcode"] == 84061
    with pytest.raises(LookupError):
        shop.play.delete_contact(CORP, "lisi", shop.customer)


async def test_the_api_s_own_changes_are_told_to_nobody(shop: Shop, receiver: Receiver) -> None:
    shop.play.create_follow(CORP, "lisi", shop.customer)
    who = {"userid": "LISI", "external_userid": shop.customer}
    tag = (await shop.post(PREFIX + "add_corp_tag", {"group_name": "意向", "tag": [{"name": "高"}]}))["tag_group"]
    tag_id = tag["tag"][0]["id"]
    for path, body in (
        ("remark", {**who, "remark": "王"}),
        ("mark_tag", {**who, "add_tag": [tag_id]}),
        ("edit_corp_tag", {"id": tag_id, "name": "很高"}),
        ("add_contact_way", {"type": 1, "scene": 2, "user": ["lisi"]}),
        ("del_corp_tag", {"tag_id": [tag_id]}),
    ):
        assert (await shop.post(PREFIX + path, body))["errcode"] == 0, path
    chat = shop.play.create_group(CORP, "群", "lisi", [])
    moved = await shop.post(PREFIX + "groupchat/onjob_transfer", {"chat_id_list": [chat], "new_owner": "zhangsan"})
    assert moved["failed_chat_list"] == []
    assert await told(shop, receiver) == []


async def test_apps_without_the_right_neither_hear_nor_call(shop: Shop, receiver: Receiver) -> None:
    shop.play.set_app_rights(CORP, contacts=False)
    shop.play.add_contact(CORP, "lisi", shop.customer)
    assert await told(shop, receiver) == []
    assert (await shop.post(PREFIX + "get_corp_tag_list", {}))["errcode"] == 48002


# Describing


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40063),
        ({"remark": "长" * 21}, 40058),
        ({"description": "长" * 151}, 40058),
        ({"remark_company": "长" * 21}, 40058),
        ({"remark": 7}, 40058),
        ({"remark_mobiles": [f"1380000000{n}" for n in range(6)]}, 40058),
        ({"remark_pic_mediaid": "nothing"}, 40007),
        ({"userid": "ghost", "remark": "王"}, 60111),
        ({"userid": "zhangsan", "remark": "王"}, 84061),
        ({"external_userid": "wm0", "remark": "王"}, 40096),
        ({"external_userid": "", "remark": "王"}, 41035),
    ],
)
async def test_remarks_that_are_refused(shop: Shop, body: Json, errcode: int) -> None:
    shop.play.create_follow(CORP, "lisi", shop.customer, remark="老王")
    answer = await shop.post(PREFIX + "remark", {"userid": "lisi", "external_userid": shop.customer, **body})
    assert answer["errcode"] == errcode
    assert shop.play.truth(CORP)["relations"][f"{shop.customer}/lisi"]["remark"] == "老王"


async def test_phones_replace_and_one_empty_number_clears(shop: Shop) -> None:
    shop.play.create_follow(CORP, "lisi", shop.customer, remark_mobiles=["13800000001"])
    who = {"userid": "lisi", "external_userid": shop.customer}

    def phones() -> list[str]:
        return list(shop.play.truth(CORP)["relations"][f"{shop.customer}/lisi"]["phones"])

    await shop.post(PREFIX + "remark", {**who, "remark_mobiles": ["13800000002", "13800000003"]})
    assert phones() == ["13800000002", "13800000003"]
    await shop.post(PREFIX + "remark", {**who, "remark_mobiles": []})
    assert phones() == ["13800000002", "13800000003"]
    await shop.post(PREFIX + "remark", {**who, "remark_mobiles": [""]})
    assert phones() == []


async def test_people_of_other_companies_show_their_card(shop: Shop) -> None:
    partner = shop.play.create_customer(CORP, "赵经理", type=2, corp_name="木业公司", position="采购")
    assert partner.startswith("wo")
    assert shop.play.add_contact(CORP, "lisi", partner) == "", "partners are not greeted"
    await shop.post(PREFIX + "remark", {"userid": "lisi", "external_userid": partner, "remark_company": "木业"})
    answer = await shop.get(PREFIX + "get", external_userid=partner)
    assert (answer["external_contact"]["corp_name"], answer["external_contact"]["position"]) == ("木业公司", "采购")
    assert "remark_corp_name" not in answer["follow_user"][0], "a company's name is for WeChat users only"


# Tags


async def test_the_tag_library_s_rules(shop: Shop) -> None:
    theirs = shop.play.create_tag_group(CORP, "来源", ["抖音"])

    async def add(**body: object) -> Json:
        return await shop.post(PREFIX + "add_corp_tag", body)

    made = (await add(group_name="意向", order=3, tag=[{"name": "高", "order": 9}, {"name": "高"}, {"name": "低"}]))[
        "tag_group"
    ]
    assert [(tag["name"], tag["order"]) for tag in made["tag"]] == [("高", 9), ("低", 0)]
    assert (await add(group_name="意向", tag=[{"name": "高"}]))["errcode"] == 40071
    assert (await add(group_name="意向", tag=[]))["errcode"] == 40063
    assert (await add(group_id="et0", tag=[{"name": "中"}]))["errcode"] == 40068
    assert (await add(group_name="长" * 31, tag=[{"name": "中"}]))["errcode"] == 40058
    assert (await add(group_name="意向", tag=[{"name": "长" * 31}]))["errcode"] == 40058
    assert (await add(group_name="意向", tag=[{"name": "中", "order": -1}]))["errcode"] == 40058
    shop.simulator.settings.corp_tags = 3
    assert (await add(group_name="意向", tag=[{"name": "中"}]))["errcode"] == 40126

    async def edit(**body: object) -> int:
        return int((await shop.post(PREFIX + "edit_corp_tag", body))["errcode"])

    high = made["tag"][0]["id"]
    assert await edit(id=high, name="低") == 40071
    assert await edit(id=made["group_id"], name="来源") == 40071
    assert await edit(id=theirs["抖音"], name="快手") == 60011
    assert await edit(id="et0", name="x") == 40068
    assert await edit(id=high, order=7) == 0
    assert (await shop.post(PREFIX + "del_corp_tag", {"tag_id": [high, theirs["抖音"]]}))["errcode"] == 60011
    assert (await shop.post(PREFIX + "del_corp_tag", {}))["errcode"] == 40063
    names = [g["group_name"] for g in (await shop.post(PREFIX + "get_corp_tag_list", {}))["tag_group"]]
    assert names == ["来源", "意向"]
    assert (await shop.post(PREFIX + "del_corp_tag", {"tag_id": [tag["id"] for tag in made["tag"]]}))["errcode"] == 0
    names = [g["group_name"] for g in (await shop.post(PREFIX + "get_corp_tag_list", {}))["tag_group"]]
    assert names == ["来源"], "a group goes with its last tag"


async def test_tags_belong_to_the_relation_and_go_with_the_library(shop: Shop) -> None:
    tags = shop.play.create_tag_group(CORP, "意向", ["高", "低"])
    for userid in ("lisi", "ZhangSan"):
        shop.play.create_follow(CORP, userid, shop.customer)
    who = {"userid": "lisi", "external_userid": shop.customer}
    assert (await shop.post(PREFIX + "mark_tag", {**who, "add_tag": list(tags.values())}))["errcode"] == 0
    relations = shop.play.truth(CORP)["relations"]
    assert relations[f"{shop.customer}/lisi"]["tags"] == sorted(tags.values())
    assert relations[f"{shop.customer}/zhangsan"]["tags"] == []
    assert (await shop.post(PREFIX + "mark_tag", who))["errcode"] == 40063
    assert (await shop.post(PREFIX + "mark_tag", {**who, "add_tag": ["et0"]}))["errcode"] == 40068
    shop.simulator.settings.tags_per_customer = 1
    assert (await shop.post(PREFIX + "mark_tag", {**who, "add_tag": [tags["高"]]}))["errcode"] == 40144
    shop.play.people_delete_tag(CORP, tags["高"])
    assert shop.play.truth(CORP)["relations"][f"{shop.customer}/lisi"]["tags"] == [tags["低"]]


async def test_what_people_do_to_tags_is_told(shop: Shop, receiver: Receiver) -> None:
    tag = shop.play.people_add_tag(CORP, "意向", "高")
    shop.play.people_change_tag(CORP, tag, name="很高")
    group = next(iter(shop.play.truth(CORP)["tags"]))
    shop.play.people_shuffle_tags(CORP, group, {tag: 5})
    shop.play.people_delete_tag(CORP, group)
    events = await told(shop, receiver)
    assert [(e["ChangeType"], e.get("TagType", ""), e["Id"]) for e in events] == [
        ("create", "tag_group", group),
        ("create", "tag", tag),
        ("update", "tag", tag),
        ("shuffle", "", group),
        ("delete", "tag_group", group),
    ]


# Groups


async def test_what_people_do_in_groups_is_told_with_versions(shop: Shop, receiver: Receiver) -> None:
    chat = shop.play.found_group(CORP, "群", "lisi", [])
    shop.play.group_join(CORP, chat, [shop.customer], scene=3, state="poster")
    shop.play.group_join(CORP, chat, [shop.customer])
    shop.play.group_leave(CORP, chat, [shop.customer], removed=True)
    shop.play.rename_group(CORP, chat, "新群")
    shop.play.change_group_notice(CORP, chat, "公告")
    shop.play.change_group_owner(CORP, chat, "zhangsan")
    shop.play.dissolve_group(CORP, chat)
    events = await told(shop, receiver)
    assert [(e["ChangeType"], e.get("UpdateDetail", "")) for e in events] == [
        ("create", ""), ("update", "add_member"), ("update", "del_member"), ("update", "change_name"),
        ("update", "change_notice"), ("update", "change_owner"), ("dismiss", ""),
    ]  # fmt: skip
    joined, left = events[1], events[2]
    assert (joined["JoinScene"], joined["MemChangeCnt"], joined["Item"]) == ("3", "1", shop.customer)
    assert (left["QuitScene"], left["Item"]) == ("1", shop.customer)
    assert joined["CurMemVer"] == left["LastMemVer"] != left["CurMemVer"]
    assert (await shop.post(PREFIX + "groupchat/get", {"chat_id": chat}))["errcode"] == 49008
    assert (await shop.post(PREFIX + "groupchat/list", {"limit": 10}))["group_chat_list"] == []


async def test_a_group_may_be_told_late(shop: Shop) -> None:
    shop.simulator.settings.group_lag = 2
    chat = shop.play.create_group(CORP, "群", "lisi", [])
    shop.play.rename_group(CORP, chat, "新群")

    async def name() -> str:
        return str((await shop.post(PREFIX + "groupchat/get", {"chat_id": chat}))["group_chat"]["name"])

    assert await name() == "群"
    shop.play.advance_clock(2)
    assert await name() == "新群"


async def test_groups_of_members_without_customer_contact_are_not_seen(shop: Shop) -> None:
    chat = shop.play.create_group(CORP, "群", "lisi", [])
    shop.play.set_member(CORP, "lisi", serves=False)
    assert (await shop.post(PREFIX + "groupchat/list", {"limit": 10}))["group_chat_list"] == []
    assert (await shop.post(PREFIX + "groupchat/get", {"chat_id": chat}))["errcode"] == 84074
    shop.simulator.settings.groups_untold_above = 1
    assert (await shop.post(PREFIX + "groupchat/list", {"limit": 10}))["errcode"] == 81017


# Codes


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"type": None}, 41037),
        ({"type": 3}, 41039),
        ({"scene": None}, 41038),
        ({"scene": 9}, 41040),
        ({"style": 9}, 41042),
        ({"state": "s" * 31}, 40058),
        ({"remark": "长" * 31}, 40058),
        ({"skip_verify": "yes"}, 40058),
        ({"type": 1, "user": ["lisi", "zhangsan"]}, 41041),
        ({"user": []}, 40063),
        ({"user": ["ghost"]}, 60111),
        ({"user": ["office"]}, 84074),
        ({"user": [], "party": [9]}, 60011),
        ({"user": [f"m{n}" for n in range(101)]}, 41041),
        ({"is_temp": True}, 41039),
    ],
)
async def test_codes_that_cannot_be(shop: Shop, body: Json, errcode: int) -> None:
    for number in range(101):
        shop.play.create_member(CORP, f"m{number}", f"成员{number}")
    shop.play.create_member(CORP, "office", "行政", serves=False)
    wanted = {"type": 2, "scene": 2, "user": ["lisi"], **body}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    assert (await shop.post(PREFIX + "add_contact_way", wanted))["errcode"] == errcode
    assert shop.play.truth(CORP)["codes"] == {}


async def test_codes_have_a_quota_and_temporary_ones_a_life(shop: Shop) -> None:
    shop.simulator.settings.contact_ways = 1
    wanted = {"type": 1, "scene": 2, "user": ["lisi"]}
    first = await shop.post(PREFIX + "add_contact_way", wanted)
    assert first["errcode"] == 0
    assert (await shop.post(PREFIX + "add_contact_way", wanted))["errcode"] == 41045
    temporary = await shop.post(PREFIX + "add_contact_way", {**wanted, "is_temp": True, "expires_in": 60})
    assert temporary["errcode"] == 0
    listed = (await shop.post(PREFIX + "list_contact_way", {}))["contact_way"]
    assert [one["config_id"] for one in listed] == [first["config_id"]], "temporary ones are not listed"
    assert shop.play.customer_scans(CORP, temporary["config_id"], shop.customer) == "lisi"
    shop.play.advance_clock(61)
    with pytest.raises(ValueError, match="leads nowhere"):
        shop.play.customer_scans(CORP, temporary["config_id"], shop.customer)
    shop.play.advance_clock(91 * 86_400)
    assert (await shop.post(PREFIX + "list_contact_way", {}))["contact_way"] == [], "only 90 days by default"
    assert (await shop.post(PREFIX + "get_contact_way", {}))["errcode"] == 41043
    assert (await shop.post(PREFIX + "get_contact_way", {"config_id": "x"}))["errcode"] == 41044


async def test_a_refused_change_changes_nothing(shop: Shop) -> None:
    code = (await shop.post(PREFIX + "add_contact_way", {"type": 2, "scene": 2, "user": ["lisi"], "state": "a"}))[
        "config_id"
    ]
    change = {"config_id": code, "state": "b", "user": ["ghost"]}
    assert (await shop.post(PREFIX + "update_contact_way", change))["errcode"] == 60111
    assert shop.play.truth(CORP)["codes"][code] == {"state": "a", "users": ["lisi"]}


async def test_a_code_with_verification_half_adds(shop: Shop, receiver: Receiver) -> None:
    wanted = {"type": 2, "scene": 2, "user": ["lisi"], "skip_verify": False, "state": "gate"}
    code = (await shop.post(PREFIX + "add_contact_way", wanted))["config_id"]
    shop.play.customer_scans(CORP, code, shop.customer)
    (event,) = await told(shop, receiver)
    assert (event["ChangeType"], event["State"]) == ("add_half_external_contact", "gate")


# Greetings


async def greet(shop: Shop, code: str, **body: object) -> int:
    return int((await shop.post(PREFIX + "send_welcome_msg", {"welcome_code": code, **body}))["errcode"])


HELLO = {"text": {"content": "您好"}}


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 41089),
        ({"text": {"content": "长" * 1334}}, 40058),
        ({"attachments": [{"msgtype": "voice", "voice": {"media_id": "x"}}]}, 41065),
        ({"attachments": [{"msgtype": "image", "image": {"media_id": "x"}}]}, 40007),
        ({"attachments": [{"msgtype": "link", "link": {"title": "t"}}]}, 40063),
        ({"attachments": [{"msgtype": "link", "link": {"title": "t", "url": "u"}}] * 10}, 41064),
        ({"attachments": [{"msgtype": "miniprogram", "miniprogram": {"title": "t"}}]}, 40063),
    ],
)
async def test_a_bad_greeting_does_not_cost_the_code(shop: Shop, body: Json, errcode: int) -> None:
    code = shop.play.add_contact(CORP, "lisi", shop.customer)
    assert await greet(shop, code, **body) == errcode
    assert await greet(shop, code, **HELLO) == 0
    assert await greet(shop, code, **HELLO) == 41051
    assert [one.text for one in shop.play.greetings(CORP)] == ["您好"]


async def test_when_there_is_no_greeting(shop: Shop) -> None:
    assert await greet(shop, "", **HELLO) == 41049
    assert await greet(shop, "nonsense", **HELLO) == 41050
    code = shop.play.add_contact(CORP, "lisi", shop.customer)
    shop.play.chat_begins(CORP, "lisi", shop.customer)
    assert await greet(shop, code, **HELLO) == 41051
    shop.play.set_member(CORP, "zhangsan", greets_by_console=True)
    assert shop.play.add_contact(CORP, "zhangsan", shop.customer) == ""
    shop.play.set_member(CORP, "zhangsan", greets_by_console=False, absent=True)
    code = shop.play.add_contact(CORP, "zhangsan", shop.play.create_customer(CORP, "客户"))
    assert await greet(shop, code, **HELLO) == 40205


async def test_consent_to_the_archive_brings_its_own_code(shop: Shop, receiver: Receiver) -> None:
    code = shop.play.add_contact(CORP, "lisi", shop.customer, needs_consent=True)
    assert await greet(shop, code, **HELLO) == 41053
    fresh = shop.play.approve_archive(CORP, "lisi", shop.customer)
    events = await told(shop, receiver)
    assert (events[-1]["ChangeType"], events[-1]["WelcomeCode"]) == ("msg_audit_approved", fresh)
    assert await greet(shop, fresh, **HELLO) == 0
    assert await greet(shop, code, **HELLO) == 41051


async def test_a_greeting_with_a_picture(shop: Shop) -> None:
    media_id = (await shop.upload("image", PNG))["media_id"]
    code = shop.play.add_contact(CORP, "lisi", shop.customer)
    assert await greet(shop, code, attachments=[{"msgtype": "image", "image": {"media_id": media_id}}]) == 0
    (greeting,) = shop.play.greetings(CORP, userid="LISI")
    assert greeting.attachments == [{"msgtype": "image", "image": {"media_id": media_id}}]


# The directory


async def test_people_come_change_and_leave(shop: Shop, receiver: Receiver) -> None:
    shop.play.member_joins(CORP, "WangWu", "王五")
    shop.play.member_changes(CORP, "wangwu", position="店长")
    shop.play.create_follow(CORP, "WangWu", shop.customer)
    chat = shop.play.create_group(CORP, "群", "WangWu", [])
    shop.play.rename_userid(CORP, "wangwu", "WangWu001")
    shop.play.department_changes(CORP, 7, "新部门")
    shop.play.department_changes(CORP, 7, "老部门")
    shop.play.department_goes(CORP, 7)
    assert shop.play.member_leaves(CORP, "wangwu001") == [shop.customer]
    events = await told(shop, receiver)
    assert changes(events) == [
        "create_user", "update_user", "update_user", "create_party", "update_party", "delete_party", "delete_user",
    ]  # fmt: skip
    assert (events[2]["UserID"], events[2]["NewUserID"]) == ("WangWu", "WangWu001")
    assert (await shop.get("user/get", userid="wangwu001"))["errcode"] == 60111
    assert "WangWu001" not in (await shop.get(PREFIX + "get_follow_user_list"))["follow_user"]
    assert shop.play.truth(CORP)["unassigned"].keys() == {f"{shop.customer}/wangwu001"}
    (group,) = (await shop.post(PREFIX + "groupchat/list", {"limit": 10, "status_filter": 1}))["group_chat_list"]
    assert group == {"chat_id": chat, "status": 1}


async def test_the_state_survives_a_restart(shop: Shop) -> None:
    from simulator.wecom.state import from_json, to_json

    tags = shop.play.create_tag_group(CORP, "意向", ["高"])
    shop.play.add_contact(CORP, "lisi", shop.customer, state="x")
    shop.play.member_edits(CORP, "lisi", shop.customer, add_tags=[tags["高"]], own_tags=["怕冷"])
    await shop.post(PREFIX + "add_contact_way", {"type": 2, "scene": 2, "user": ["lisi"], "state": "s"})
    chat = shop.play.found_group(CORP, "群", "lisi", [shop.customer])
    shop.play.rename_group(CORP, chat, "新群")
    await shop.post(
        PREFIX + "transfer_customer",
        {"handover_userid": "lisi", "takeover_userid": "zhangsan", "external_userid": [shop.customer]},
    )
    world = from_json(to_json(shop.simulator.world))
    assert world.corps[CORP] == shop.simulator.world.corps[CORP]
