"""KF accounts, contact ways, servicers and customers (chapters 16.1 and 16.5)."""

from __future__ import annotations

import pytest

from .conftest import CORP, PNG, Shop


async def test_an_account_is_added_listed_renamed_and_deleted(shop: Shop) -> None:
    media_id = (await shop.upload("image", PNG))["media_id"]
    added = await shop.post("kf/account/add", {"name": "售后", "media_id": media_id})
    assert added["errcode"] == 0
    renamed = {"open_kfid": added["open_kfid"], "name": "售后服务"}
    assert (await shop.post("kf/account/update", renamed))["errcode"] == 0
    accounts = (await shop.post("kf/account/list", {}))["account_list"]
    assert [account["name"] for account in accounts] == ["售前咨询", "售后服务"]
    assert set(accounts[1]) == {"open_kfid", "name", "avatar", "manage_privilege"}
    assert (await shop.post("kf/account/del", {"open_kfid": added["open_kfid"]}))["errcode"] == 0
    assert len((await shop.post("kf/account/list", {}))["account_list"]) == 1
    assert (await shop.post("kf/account/del", {"open_kfid": added["open_kfid"]}))["errcode"] == 95004


async def test_bad_names_and_pictures_are_refused(shop: Shop) -> None:
    media_id = (await shop.upload("image", PNG))["media_id"]
    file_id = (await shop.upload("file", b"not a picture"))["media_id"]
    assert (await shop.post("kf/account/add", {"name": "", "media_id": media_id}))["errcode"] == 95006
    assert (await shop.post("kf/account/add", {"name": "长" * 17, "media_id": media_id}))["errcode"] == 95006
    assert (await shop.post("kf/account/add", {"name": "好", "media_id": "unknown"}))["errcode"] == 40007
    assert (await shop.post("kf/account/add", {"name": "好", "media_id": file_id}))["errcode"] == 40007


async def test_lists_come_in_pages_of_at_most_a_hundred(shop: Shop) -> None:
    for number in range(104):
        shop.play.create_kf_account(CORP, f"账号{number}")
    assert len((await shop.post("kf/account/list", {"offset": 0, "limit": 100}))["account_list"]) == 100
    assert len((await shop.post("kf/account/list", {"offset": 100, "limit": 100}))["account_list"]) == 5
    assert (await shop.post("kf/account/list", {"limit": 101}))["errcode"] == 40058


@pytest.mark.parametrize(("open_kfid", "errcode"), [("", 60251), ("xx1", 95000), ("wkunknown", 95004)])
async def test_wrong_account_ids(shop: Shop, open_kfid: str, errcode: int) -> None:
    assert (await shop.post("kf/sync_msg", {"open_kfid": open_kfid}))["errcode"] == errcode


async def test_an_account_that_was_taken_away_is_neither_listed_nor_usable(shop: Shop) -> None:
    shop.play.grant_kf(shop.kf, False)
    assert (await shop.post("kf/account/list", {}))["account_list"] == []
    assert (await shop.sync())["errcode"] == 48007
    assert (await shop.send())["errcode"] == 48007
    shop.play.grant_kf(shop.kf, True)
    assert (await shop.sync())["errcode"] == 0


async def test_contact_ways(shop: Shop) -> None:
    plain = (await shop.post("kf/add_contact_way", {"open_kfid": shop.kf}))["url"]
    scene = (await shop.post("kf/add_contact_way", {"open_kfid": shop.kf, "scene": "shop_01"}))["url"]
    assert plain.startswith("https://work.weixin.qq.com/kf/kfc")
    assert "enc_scene=" in scene
    assert "enc_scene=" not in plain
    for wrong in ("a b", "x" * 33, "中文"):
        assert (await shop.post("kf/add_contact_way", {"open_kfid": shop.kf, "scene": wrong}))["errcode"] == 40058


async def test_servicers_are_added_listed_and_removed_case_blind(shop: Shop) -> None:
    shop.play.create_member(CORP, "wangwu", "王五")
    shop.play.create_department(CORP, 2, "销售部")
    wanted = {"open_kfid": shop.kf, "userid_list": ["WANGWU", "zhangsan", "ghost"], "department_id_list": [2, 9]}
    results = (await shop.post("kf/servicer/add", wanted))["result_list"]
    assert [(r["errcode"], r["errmsg"]) for r in results] == [
        (0, "success"),
        (0, "ignored"),
        (60030, "not in the visible range"),
        (0, "success"),
        (60030, "not in the visible range"),
    ]
    shop.play.servicer_status(shop.kf, "lisi", stopped=True, stop_type=1)
    listed = (await shop.get("kf/servicer/list", open_kfid=shop.kf))["servicer_list"]
    assert listed == [
        {"userid": "ZhangSan", "status": 0},
        {"userid": "lisi", "status": 1, "stop_type": 1},
        {"userid": "wangwu", "status": 0},
        {"department_id": 2},
    ]
    removed = await shop.post("kf/servicer/del", {"open_kfid": shop.kf, "userid_list": ["wangwu", "ghost"]})
    assert [entry["errmsg"] for entry in removed["result_list"]] == ["success", "ignored"]
    assert (await shop.post("kf/servicer/add", {"open_kfid": shop.kf}))["errcode"] == 40063
    many = {"open_kfid": shop.kf, "userid_list": [f"u{n}" for n in range(101)]}
    assert (await shop.post("kf/servicer/add", many))["errcode"] == 40058


async def test_the_status_numbers_of_event_and_list_differ(shop: Shop) -> None:
    shop.play.servicer_status(shop.kf, "lisi", stopped=True)
    shop.play.servicer_status(shop.kf, "lisi", stopped=False)
    assert [event["status"] for event in await shop.events()] == [2, 1]


async def test_profiles_only_of_customers_of_the_last_48_hours(shop: Shop) -> None:
    stranger = shop.play.create_customer(CORP, "陌生人")
    shop.play.customer_enters(shop.kf, shop.customer, scene="s1", scene_param="p=1")
    wanted = {"external_userid_list": [shop.customer, stranger, "zhangsan"]}
    answer = await shop.post("kf/customer/batchget", wanted)
    assert answer["invalid_external_userid"] == [stranger, "zhangsan"]
    (profile,) = answer["customer_list"]
    assert (profile["nickname"], profile["gender"], profile["unionid"]) == ("王小明", 1, "o6_bmjrPTlm6")
    assert profile["avatar"].startswith(shop.simulator.base_url)
    assert "enter_session_context" not in profile
    with_context = await shop.post("kf/customer/batchget", {**wanted, "need_enter_session_context": 1})
    assert with_context["customer_list"][0]["enter_session_context"] == {"scene": "s1", "scene_param": "p=1"}
    shop.play.advance_clock(48 * 3600)
    assert (await shop.post("kf/customer/batchget", wanted))["customer_list"] == []


async def test_at_most_a_hundred_profiles_a_call(shop: Shop) -> None:
    ids = [f"wm{number}" for number in range(101)]
    assert (await shop.post("kf/customer/batchget", {"external_userid_list": ids}))["errcode"] == 40058
    assert (await shop.post("kf/customer/batchget", {"external_userid_list": []}))["errcode"] == 40063


async def test_the_avatar_of_a_customer_can_be_loaded(shop: Shop) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    answer = await shop.post("kf/customer/batchget", {"external_userid_list": [shop.customer]})
    async with shop.http.get(answer["customer_list"][0]["avatar"]) as response:
        assert response.content_type == "image/svg+xml"
        assert "明" in await response.text()
