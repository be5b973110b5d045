"""KF session states, and messages on events (chapters 16.2 and 16.4)."""

from __future__ import annotations

import itertools

import pytest

from simulator.wecom.state import BOT, ENDED, HUMAN, POOL, UNTREATED

from .conftest import Json, Shop

ALLOWED = {
    (UNTREATED, BOT),
    (UNTREATED, POOL),
    (UNTREATED, HUMAN),
    (UNTREATED, ENDED),
    (BOT, POOL),
    (BOT, HUMAN),
    (BOT, ENDED),
    (POOL, HUMAN),
    (POOL, ENDED),
    (HUMAN, HUMAN),
    (HUMAN, ENDED),
}


async def state(shop: Shop) -> Json:
    return await shop.post("kf/service_state/get", {"open_kfid": shop.kf, "external_userid": shop.customer})


async def change(shop: Shop, to: int, servicer: str = "") -> Json:
    wanted: Json = {"open_kfid": shop.kf, "external_userid": shop.customer, "service_state": to}
    if servicer:
        wanted["servicer_userid"] = servicer
    return await shop.post("kf/service_state/trans", wanted)


async def on_event(shop: Shop, code: str, msgtype: str = "text", **more: object) -> Json:
    body = {"text": {"content": "欢迎光临"}, "msgmenu": {"head_content": "请选择"}, "image": {"media_id": "x"}}[msgtype]
    return await shop.post("kf/send_msg_on_event", {"code": code, "msgtype": msgtype, msgtype: body, **more})


async def bring_to(shop: Shop, wanted: int) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    if wanted != UNTREATED:
        assert (await change(shop, wanted, "ZhangSan" if wanted == HUMAN else ""))["errcode"] == 0


@pytest.mark.parametrize(("before", "after"), list(itertools.product(range(5), range(5))))
async def test_every_arrow(shop: Shop, before: int, after: int) -> None:
    await bring_to(shop, before)
    answer = await change(shop, after, "lisi" if after == HUMAN else "")
    expected = 0 if (before, after) in ALLOWED else 95016
    assert answer["errcode"] == expected
    assert (await state(shop))["service_state"] == (after if expected == 0 else before)


async def test_a_session_begins_with_the_customers_message(shop: Shop) -> None:
    assert (await state(shop))["service_state"] == ENDED
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    assert (await state(shop))["service_state"] == UNTREATED
    await change(shop, ENDED)
    shop.play.customer_says(shop.kf, shop.customer, "还有")
    assert (await state(shop))["service_state"] == UNTREATED


async def test_a_session_ends_by_itself_after_48_hours(shop: Shop) -> None:
    await bring_to(shop, HUMAN)
    shop.play.advance_clock(48 * 3600)
    assert await state(shop) == {"errcode": 0, "errmsg": "ok", "service_state": ENDED}


async def test_the_servicer_is_named_while_a_person_serves(shop: Shop) -> None:
    await bring_to(shop, UNTREATED)
    await change(shop, HUMAN, "zhangsan")
    assert (await state(shop))["servicer_userid"] == "ZhangSan"


async def test_who_cannot_serve(shop: Shop) -> None:
    await bring_to(shop, UNTREATED)
    assert (await change(shop, HUMAN, "ghost"))["errcode"] == 95014
    assert (await change(shop, HUMAN))["errcode"] == 95014
    shop.play.servicer_status(shop.kf, "lisi", stopped=True)
    assert (await change(shop, HUMAN, "lisi"))["errcode"] == 95019
    shop.play.create_member("ww5f4c3b2a1908f7e6", "lisi", "李四", status=4)
    assert (await change(shop, HUMAN, "lisi"))["errcode"] == 95014
    assert (await change(shop, 5))["errcode"] == 40058
    assert (await state(shop))["service_state"] == UNTREATED


async def test_the_same_servicer_again_is_no_change(shop: Shop) -> None:
    await bring_to(shop, HUMAN)
    assert (await change(shop, HUMAN, "ZhangSan"))["errcode"] == 95016


async def test_welcome_once_within_20_seconds(shop: Shop) -> None:
    code = shop.play.customer_enters(shop.kf, shop.customer, scene="qr")
    (event,) = await shop.events()
    assert (event["event_type"], event["welcome_code"], event["scene"]) == ("enter_session", code, "qr")
    shop.play.advance_clock(18)
    assert await on_event(shop, code, msgid="w1") == {"errcode": 0, "errmsg": "ok", "msgid": "w1"}
    assert (await on_event(shop, code))["errcode"] == 41050
    assert [(m.msgid, m.via) for m in shop.play.received(shop.kf, shop.customer)] == [("w1", "event")]


async def test_welcome_too_late(shop: Shop) -> None:
    code = shop.play.customer_enters(shop.kf, shop.customer)
    shop.play.advance_clock(21)
    assert (await on_event(shop, code))["errcode"] == 41050
    assert shop.seen() == []


async def test_no_welcome_after_a_welcome_or_a_word_within_48_hours(shop: Shop) -> None:
    await on_event(shop, shop.play.customer_enters(shop.kf, shop.customer))
    assert shop.play.customer_enters(shop.kf, shop.customer) == ""
    assert "welcome_code" not in (await shop.events())[-1]
    shop.play.advance_clock(48 * 3600)
    assert shop.play.customer_enters(shop.kf, shop.customer) != ""
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    assert shop.play.customer_enters(shop.kf, shop.customer) == ""


async def test_a_repeated_msgid_spends_no_code(shop: Shop) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    await shop.send("在的", msgid="m1")
    pooled = (await change(shop, POOL))["msg_code"]
    assert (await on_event(shop, pooled, msgid="m1"))["errcode"] == 0
    assert shop.seen() == ["在的"]
    assert (await on_event(shop, pooled, msgid="m2"))["errcode"] == 0
    assert shop.seen() == ["在的", "欢迎光临"]


async def test_codes_of_state_changes(shop: Shop) -> None:
    await bring_to(shop, UNTREATED)
    assert "msg_code" not in await change(shop, BOT)
    pooled = (await change(shop, POOL))["msg_code"]
    assert (await on_event(shop, pooled, "msgmenu"))["errcode"] == 40008
    shop.play.advance_clock(47 * 3600)
    assert (await on_event(shop, pooled))["errcode"] == 0
    taken = (await change(shop, HUMAN, "lisi"))["msg_code"]
    assert (await on_event(shop, taken))["errcode"] == 0
    assert "msg_code" not in await change(shop, HUMAN, "ZhangSan")
    closing = (await change(shop, ENDED))["msg_code"]
    assert (await on_event(shop, closing, "image"))["errcode"] == 40008
    assert (await on_event(shop, closing, "msgmenu"))["errcode"] == 0


async def test_closing_words_within_20_seconds(shop: Shop) -> None:
    await bring_to(shop, HUMAN)
    closing = (await change(shop, ENDED))["msg_code"]
    shop.play.advance_clock(21)
    assert (await on_event(shop, closing))["errcode"] == 41050


async def test_codes_that_never_were(shop: Shop) -> None:
    assert (await on_event(shop, "made-up"))["errcode"] == 41050
    assert (await on_event(shop, ""))["errcode"] == 41049


async def test_a_menu_on_an_event_has_at_most_ten_items(shop: Shop) -> None:
    code = shop.play.customer_enters(shop.kf, shop.customer)
    text = {"type": "text", "text": {"content": "项"}}
    body = {"code": code, "msgtype": "msgmenu", "msgmenu": {"list": [text] * 11}}
    assert (await shop.post("kf/send_msg_on_event", body))["errcode"] == 95008
    body["msgmenu"] = {"list": [text] * 10}
    assert (await shop.post("kf/send_msg_on_event", body))["errcode"] == 0


async def test_what_happens_in_the_client_is_told(shop: Shop) -> None:
    await bring_to(shop, POOL)
    code = shop.play.servicer_takes(shop.kf, shop.customer, "lisi")
    shop.play.servicer_takes(shop.kf, shop.customer, "ZhangSan")
    closing = shop.play.servicer_ends(shop.kf, shop.customer)
    shop.play.servicer_says(shop.kf, shop.customer, "lisi", "还有一件事")
    shown = ("change_type", "old_servicer_userid", "new_servicer_userid", "msg_code")
    assert [[event.get(name) for name in shown] for event in await shop.events()] == [
        [1, None, "lisi", code],
        [2, "lisi", "ZhangSan", None],
        [3, "ZhangSan", None, closing],
        [4, None, "lisi", None],
    ]
    assert (await state(shop))["servicer_userid"] == "lisi"


async def test_changes_by_the_api_are_not_told(shop: Shop) -> None:
    await bring_to(shop, POOL)
    await change(shop, ENDED)
    assert await shop.events() == []


async def test_a_servicer_may_switch_a_customer_off(shop: Shop) -> None:
    shop.play.servicer_rejects(shop.kf, shop.customer, "lisi")
    assert shop.play.customer_says(shop.kf, shop.customer, "在吗") == ""
    shop.play.servicer_rejects(shop.kf, shop.customer, "lisi", on=False)
    assert shop.play.customer_says(shop.kf, shop.customer, "在吗") != ""
    events = await shop.events()
    assert [event["reject_switch"] for event in events] == [1, 0]
    assert len((await shop.sync())["msg_list"]) == 3


async def test_only_a_serving_member_takes_a_session(shop: Shop) -> None:
    await bring_to(shop, POOL)
    with pytest.raises(ValueError, match="95014"):
        shop.play.servicer_takes(shop.kf, shop.customer, "ghost")
