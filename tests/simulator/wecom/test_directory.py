"""Directory, customer contact and app messages (chapters 4, 5, 9, 17, 18)."""

from __future__ import annotations

import pytest

from simulator.wecom.settings import Settings

from .conftest import CORP, PNG, Json, Shop


async def test_departments_and_members(shop: Shop) -> None:
    shop.play.create_department(CORP, 2, "销售部")
    shop.play.create_department(CORP, 3, "华南组", parentid=2)
    shop.play.create_member(CORP, "wangwu", "王五", department=[3], position="销售")
    assert [d["id"] for d in (await shop.get("department/list"))["department"]] == [1, 2, 3]
    assert [d["id"] for d in (await shop.get("department/list", id="2"))["department"]] == [2, 3]
    assert (await shop.get("department/list", id="9"))["errcode"] == 60011
    assert [d["parentid"] for d in (await shop.get("department/simplelist"))["department_id"]] == [0, 1, 2]
    assert (await shop.get("user/simplelist", department_id="2"))["userlist"] == []
    below = await shop.get("user/simplelist", department_id="2", fetch_child="1")
    assert below["userlist"] == [{"userid": "wangwu", "name": "王五", "department": [3]}]
    assert (await shop.get("user/list", department_id="3"))["userlist"][0]["position"] == "销售"
    assert (await shop.get("user/simplelist"))["errcode"] == 40063
    rows = await shop.post("user/list_id", {"limit": 2})
    assert (len(rows["dept_user"]), rows["next_cursor"]) == (2, "2")
    assert len((await shop.post("user/list_id", {"limit": 2, "cursor": "2"}))["dept_user"]) == 1


async def test_a_member_is_found_case_blind_and_has_no_private_fields(shop: Shop) -> None:
    member = await shop.get("user/get", userid="ZHANGSAN")
    assert (member["userid"], member["name"], member["status"]) == ("ZhangSan", "张三", 1)
    assert not {"mobile", "email", "avatar", "gender", "address", "qr_code"} & set(member)
    assert (await shop.get("user/get", userid="ghost"))["errcode"] == 60111
    assert (await shop.get("user/get"))["errcode"] == 40063


async def test_customers_with_their_followers(shop: Shop) -> None:
    tags = shop.play.create_tag_group(CORP, "意向", ["高", "低"])
    shop.play.create_follow(
        CORP, "lisi", shop.customer, remark="王总", tag_ids=[tags["高"]], state="qr1", remark_mobiles=["13800000001"]
    )
    answer = await shop.get("externalcontact/get", external_userid=shop.customer)
    assert answer["external_contact"]["unionid"] == "o6_bmjrPTlm6"
    (follow,) = answer["follow_user"]
    assert (follow["userid"], follow["remark"], follow["state"]) == ("lisi", "王总", "qr1")
    assert follow["tags"] == [{"group_name": "意向", "tag_name": "高", "tag_id": tags["高"], "type": 1}]
    batch = await shop.post("externalcontact/batch/get_by_user", {"userid_list": ["LISI"]})
    assert batch["external_contact_list"][0]["follow_info"]["tag_id"] == [tags["高"]]
    assert "tags" not in batch["external_contact_list"][0]["follow_info"]


async def test_customer_lists(shop: Shop) -> None:
    assert (await shop.get("externalcontact/list", userid="lisi"))["errcode"] == 84061
    assert (await shop.get("externalcontact/list", userid="ghost"))["errcode"] == 60111
    for number in range(5):
        shop.play.create_follow(CORP, "lisi", shop.play.create_customer(CORP, f"客户{number}"))
    assert len((await shop.get("externalcontact/list", userid="lisi"))["external_userid"]) == 5
    cursor, seen = "", 0
    while True:
        wanted = {"userid_list": ["lisi"], "limit": 2, "cursor": cursor}
        page = await shop.post("externalcontact/batch/get_by_user", wanted)
        seen += len(page["external_contact_list"])
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == 5
    assert (await shop.get("externalcontact/get", external_userid="wm0"))["errcode"] == 40096
    assert (await shop.get("externalcontact/get"))["errcode"] == 41035
    assert (await shop.get("externalcontact/get", external_userid=shop.customer))["errcode"] == 84061
    bad = {"userid_list": ["lisi"], "cursor": "x"}
    assert (await shop.post("externalcontact/batch/get_by_user", bad))["errcode"] == 50100


async def test_corp_tags(shop: Shop) -> None:
    tags = shop.play.create_tag_group(CORP, "意向", ["高", "低"], group_id="etG1")
    shop.play.create_tag_group(CORP, "来源", ["抖音"], group_id="etG2")

    async def names(**wanted: object) -> list[list[str]]:
        groups = (await shop.post("externalcontact/get_corp_tag_list", wanted))["tag_group"]
        return [[tag["name"] for tag in group["tag"]] for group in groups]

    assert await names() == [["高", "低"], ["抖音"]]
    assert await names(tag_id=[tags["低"]]) == [["低"]]
    assert await names(tag_id=[tags["低"]], group_id=["etG2"]) == [["抖音"]]


async def test_customer_groups(shop: Shop) -> None:
    chat = shop.play.create_group(CORP, "VIP 群", "ZhangSan", ["lisi", shop.customer], notice="欢迎")
    for number in range(3):
        shop.play.create_group(CORP, f"群{number}", "lisi", [])
    first = await shop.post("externalcontact/groupchat/list", {"limit": 3})
    assert (len(first["group_chat_list"]), bool(first["next_cursor"])) == (3, True)
    rest = await shop.post("externalcontact/groupchat/list", {"limit": 3, "cursor": first["next_cursor"]})
    assert (len(rest["group_chat_list"]), rest["next_cursor"]) == (1, "")
    mine = {"limit": 10, "owner_filter": {"userid_list": ["ZhangSan"]}}
    assert [g["chat_id"] for g in (await shop.post("externalcontact/groupchat/list", mine))["group_chat_list"]] == [
        chat
    ]
    assert (await shop.post("externalcontact/groupchat/list", {}))["errcode"] == 40063
    assert (await shop.post("externalcontact/groupchat/list", {"limit": 1001}))["errcode"] == 40058
    group = (await shop.post("externalcontact/groupchat/get", {"chat_id": chat, "need_name": 1}))["group_chat"]
    assert [(m["type"], m["name"]) for m in group["member_list"]] == [(1, "张三"), (1, "李四"), (2, "王小明")]
    bare = (await shop.post("externalcontact/groupchat/get", {"chat_id": chat}))["group_chat"]
    assert "name" not in bare["member_list"][0]
    assert (await shop.post("externalcontact/groupchat/get", {"chat_id": "wr0"}))["errcode"] == 40050


async def message(shop: Shop, **more: object) -> Json:
    body = {"touser": "lisi", "agentid": 1000002, "msgtype": "text", "text": {"content": "有新客户"}}
    return await shop.post("message/send", {**body, **more})


def inbox(shop: Shop, userid: str = "lisi") -> list[str]:
    return [m.body.get("content", m.msgtype) for m in shop.play.member_messages(CORP, userid) if not m.recalled]


async def test_app_messages_reach_members(shop: Shop) -> None:
    answer = await message(shop, touser="LISI|ghost|Nobody", toparty="9", totag="5")
    assert (answer["invaliduser"], answer["invalidparty"], answer["invalidtag"]) == ("ghost|nobody", "9", "5")
    assert inbox(shop) == ["有新客户"]
    assert (await message(shop, touser="@all"))["errcode"] == 0
    assert (await message(shop, touser="", toparty="1"))["errcode"] == 0
    assert inbox(shop, "zhangsan") == ["有新客户"] * 2


async def test_app_messages_that_are_refused(shop: Shop) -> None:
    assert (await message(shop, touser="ghost"))["errcode"] == 81013
    assert (await message(shop, touser=""))["errcode"] == 40063
    assert (await message(shop, agentid=5))["errcode"] == 40056
    assert (await message(shop, msgtype="smoke"))["errcode"] == 40008
    assert (await message(shop, text={"content": ""}))["errcode"] == 44004
    assert (await message(shop, touser="|".join(f"u{n}" for n in range(1001))))["errcode"] == 40058
    assert (await message(shop, msgtype="markdown", markdown={"content": "长" * 700}))["errcode"] == 45002
    assert (await message(shop, msgtype="news", news={"articles": []}))["errcode"] == 40058
    assert (await message(shop, msgtype="image", image={"media_id": "x"}))["errcode"] == 40007
    assert (await message(shop, msgtype="textcard", textcard={"title": "t"}))["errcode"] == 40063
    assert inbox(shop) == []


async def test_other_types_of_app_messages(shop: Shop) -> None:
    media_id = (await shop.upload("image", PNG))["media_id"]
    assert (await message(shop, msgtype="image", image={"media_id": media_id}))["errcode"] == 0
    card = {"title": "提醒", "description": "有客户在等", "url": "https://example.com"}
    assert (await message(shop, msgtype="textcard", textcard=card))["errcode"] == 0
    assert inbox(shop) == ["image", "textcard"]


async def test_duplicates_are_dropped_on_request(shop: Shop) -> None:
    for _ in range(2):
        assert (await message(shop, enable_duplicate_check=1, duplicate_check_interval=60))["errcode"] == 0
    assert inbox(shop) == ["有新客户"]
    shop.play.advance_clock(61)
    await message(shop, enable_duplicate_check=1, duplicate_check_interval=60)
    assert len(inbox(shop)) == 2


async def test_more_than_thirty_a_minute_are_dropped_silently(shop: Shop, settings: Settings) -> None:
    shop.play.advance_clock(61 - shop.simulator.clock.now().timestamp() % 60)
    for _ in range(32):
        assert (await message(shop))["errcode"] == 0
    assert len(inbox(shop)) == 30


async def test_app_messages_can_be_recalled_for_a_day(shop: Shop) -> None:
    first, second = (await message(shop))["msgid"], (await message(shop))["msgid"]
    assert (await shop.post("message/recall", {"msgid": first}))["errcode"] == 0
    assert len(inbox(shop)) == 1
    shop.play.advance_clock(86400)
    assert (await shop.post("message/recall", {"msgid": second}))["errcode"] == 42052
    assert (await shop.post("message/recall", {"msgid": "unknown"}))["errcode"] == 40058


def test_userids_have_a_length(shop: Shop) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        shop.play.create_member(CORP, "x" * 65, "太长")
