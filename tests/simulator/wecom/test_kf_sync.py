"""kf/sync_msg: cursors, tokens, paging and its traps (chapter 16.3)."""

from __future__ import annotations

import pytest

from simulator.wecom.settings import Settings

from .conftest import CORP, PNG, Json, Receiver, Shop


async def read_all(shop: Shop, cursor: str = "", **more: object) -> tuple[list[Json], str]:
    items: list[Json] = []
    for _ in range(1000):
        page = await shop.sync(cursor, **more)
        assert page["errcode"] == 0
        items += page["msg_list"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return items, cursor
    raise AssertionError("endless")


async def test_items_come_once_and_in_order(shop: Shop) -> None:
    for number in range(25):
        shop.play.customer_says(shop.kf, shop.customer, f"第{number}句")
    items, cursor = await read_all(shop, limit=10)
    assert [item["text"]["content"] for item in items] == [f"第{number}句" for number in range(25)]
    assert len({item["msgid"] for item in items}) == 25
    assert {(item["origin"], item["external_userid"], item["open_kfid"]) for item in items} == {
        (3, shop.customer, shop.kf)
    }
    assert await read_all(shop, cursor) == ([], cursor)
    shop.play.customer_says(shop.kf, shop.customer, "又来了")
    later, _ = await read_all(shop, cursor)
    assert [item["text"]["content"] for item in later] == ["又来了"]


async def test_an_old_cursor_gives_the_same_page_again(shop: Shop) -> None:
    shop.play.customers_say(shop.kf, [[shop.customer, f"{number}"] for number in range(5)])
    first = await shop.sync(limit=2)
    second = await shop.sync(first["next_cursor"], limit=2)
    assert await shop.sync(first["next_cursor"], limit=2) == second


async def test_limit_is_at_most_a_thousand(shop: Shop) -> None:
    shop.play.customers_say(shop.kf, [[shop.customer, f"{number}"] for number in range(1001)])
    page = await shop.sync()
    assert (len(page["msg_list"]), page["has_more"]) == (1000, 1)
    assert len(page["next_cursor"]) <= 64
    assert (await shop.sync(limit=1001))["errcode"] == 40058


@pytest.mark.parametrize("cursor", ["nonsense", "!!", "AAAAAAAAAAETBZ2VCDM", "x" * 65])
async def test_a_foreign_cursor_is_refused(shop: Shop, cursor: str) -> None:
    assert (await shop.sync(cursor))["errcode"] in (50100, 40058)


async def test_a_cursor_belongs_to_one_account(shop: Shop) -> None:
    other = shop.play.create_kf_account(CORP, "售后")
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    cursor = (await shop.sync())["next_cursor"]
    assert (await shop.post("kf/sync_msg", {"open_kfid": other}))["msg_list"] == []
    shop.play.customers_say(other, [[shop.customer, "一"], [shop.customer, "二"]])
    assert (await shop.post("kf/sync_msg", {"open_kfid": other, "cursor": cursor}))["errcode"] == 50100


async def test_only_three_days_are_kept(shop: Shop) -> None:
    shop.play.customers_say(shop.kf, [[shop.customer, "旧一"], [shop.customer, "旧二"]])
    cursor = (await shop.sync(limit=1))["next_cursor"]
    shop.play.advance_clock(2 * 86400)
    shop.play.customer_says(shop.kf, shop.customer, "新")
    shop.play.advance_clock(86400)
    items, _ = await read_all(shop)
    assert [item["text"]["content"] for item in items] == ["新"]
    assert (await read_all(shop, cursor))[0] == items


async def test_long_logs_are_trimmed_without_losing_what_is_readable(shop: Shop) -> None:
    shop.play.customers_say(shop.kf, [[shop.customer, f"旧{number}"] for number in range(10_500)])
    old = (await shop.sync())["next_cursor"]
    shop.play.advance_clock(4 * 86400)
    shop.play.customer_says(shop.kf, shop.customer, "新")
    assert len((await read_all(shop))[0]) == 1
    account = shop.simulator.world.corps[CORP].kf[shop.kf]
    assert len(account.items) == len(account.item_times) == len(account.authors) == 1
    items, cursor = await read_all(shop, old)
    assert [item["text"]["content"] for item in items] == ["新"]
    assert await read_all(shop, cursor) == ([], cursor)


async def test_the_token_of_a_callback_works_for_ten_minutes(shop: Shop, receiver: Receiver) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    await shop.simulator.deliveries.settled()
    token = receiver.events[0].split("<Token><![CDATA[")[1].split("]]>")[0]
    assert len(token) <= 128
    other = shop.play.create_kf_account(CORP, "售后")
    assert len((await shop.sync(token=token))["msg_list"]) == 1
    assert (await shop.post("kf/sync_msg", {"open_kfid": other, "token": token}))["errcode"] == 95007
    shop.play.advance_clock(601)
    assert (await shop.sync(token=token))["errcode"] == 95007


@pytest.mark.parametrize("token", ["made-up", "ENC", "ENC!!!", "ENCAAAAAAAAAAAAAAAAAAAAAAAA"])
async def test_a_made_up_token_is_refused(shop: Shop, token: str) -> None:
    assert (await shop.sync(token=token))["errcode"] == 95007


async def test_reading_without_a_token_is_strictly_limited(shop: Shop, settings: Settings, receiver: Receiver) -> None:
    settings.sync_without_token_per_minute = 2
    shop.play.advance_clock(61 - shop.simulator.clock.now().timestamp() % 60)
    assert [(await shop.sync())["errcode"] for _ in range(3)] == [0, 0, 45009]
    shop.play.ring(shop.kf)
    await shop.simulator.deliveries.settled()
    token = receiver.events[0].split("<Token><![CDATA[")[1].split("]]>")[0]
    assert (await shop.sync(token=token))["errcode"] == 0


async def test_an_empty_page_may_have_more_behind_it(shop: Shop) -> None:
    shop.play.customers_say(shop.kf, [[shop.customer, f"{number}"] for number in range(7)])
    shop.play.empty_pages(shop.kf, pages=2, page_cap=3)
    page = await shop.sync()
    assert (page["msg_list"], page["has_more"]) == ([], 1)
    items, _ = await read_all(shop, page["next_cursor"])
    assert len(items) == 7


async def test_our_own_sends_are_not_returned(shop: Shop) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    assert (await shop.send("在的"))["errcode"] == 0
    items, _ = await read_all(shop)
    assert [item["origin"] for item in items] == [3]


async def test_what_a_servicer_types_in_the_client_is_returned(shop: Shop) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    shop.play.servicer_says(shop.kf, shop.customer, "lisi", "在的，请讲")
    items, _ = await read_all(shop)
    assert (items[-1]["origin"], items[-1]["servicer_userid"], items[-1]["text"]["content"]) == (
        5,
        "lisi",
        "在的，请讲",
    )


async def test_every_message_type_of_a_customer(shop: Shop) -> None:
    bodies: dict[str, Json | None] = {
        "location": {"latitude": 23.1, "longitude": 113.3, "name": "媒体港", "address": "滨江东路"},
        "link": {"title": "标题", "desc": "", "url": "https://example.com", "pic_url": ""},
        "business_card": {"userid": "lisi"},
        "miniprogram": {"title": "t", "appid": "wx1", "pagepath": "p", "thumb_media_id": "m"},
        "channels": {"sub_type": 1, "nickname": "n", "title": "t"},
        "merged_msg": {"title": "聊天记录", "item": []},
        "meeting": None,
        "calendar": None,
        "note": None,
    }
    for msgtype, body in bodies.items():
        shop.play.customer_sends(shop.kf, shop.customer, msgtype, body)
    items, _ = await read_all(shop)
    assert {item["msgtype"]: item.get(item["msgtype"]) for item in items} == bodies


async def test_files_of_customers_can_be_fetched_for_three_days(shop: Shop) -> None:
    sent = shop.play.customer_sends_media(shop.kf, shop.customer, "image", PNG)
    items, _ = await read_all(shop)
    assert items[0]["image"] == {"media_id": sent["media_id"]}
    params = {"access_token": await shop.token(), "media_id": sent["media_id"]}
    async with shop.http.get(f"{shop.base}/media/get", params=params) as response:
        assert (await response.read(), response.content_type) == (PNG, "image/png")


async def test_a_file_that_is_too_large_arrives_as_a_text(shop: Shop) -> None:
    sent = shop.play.customer_sends_media(shop.kf, shop.customer, "image", PNG + b"\0" * 2 * 1024 * 1024, "大图.png")
    assert sent["media_id"] == ""
    items, _ = await read_all(shop)
    assert items[0]["msgtype"] == "text"
    assert "大图.png" in items[0]["text"]["content"]


async def test_recalls_by_both_sides(shop: Shop) -> None:
    said = shop.play.customer_says(shop.kf, shop.customer, "写错了")
    typed = shop.play.servicer_says(shop.kf, shop.customer, "lisi", "也写错了")
    shop.play.customer_recalls(shop.kf, said)
    shop.play.servicer_recalls(shop.kf, typed, "lisi")
    who = {"open_kfid": shop.kf, "external_userid": shop.customer}
    assert (await shop.events())[-2:] == [
        {"event_type": "user_recall_msg", **who, "recall_msgid": said},
        {"event_type": "servicer_recall_msg", **who, "recall_msgid": typed, "servicer_userid": "lisi"},
    ]
    assert [message.recalled for message in shop.play.received(shop.kf, shop.customer)] == [True]
    with pytest.raises(LookupError):
        shop.play.customer_recalls(shop.kf, "unknown")


async def test_event_items_have_their_ids_inside(shop: Shop) -> None:
    shop.play.customer_enters(shop.kf, shop.customer)
    (item,) = (await read_all(shop))[0]
    assert set(item) == {"msgid", "send_time", "origin", "msgtype", "event"}
    assert item["origin"] == 4
    assert item["event"]["open_kfid"] == shop.kf
