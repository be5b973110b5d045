"""kf/send_msg: types, limits, windows, states, and exactly once at the customer (chapter 16.4)."""

from __future__ import annotations

import asyncio

import pytest

from simulator.wecom.settings import Settings

from .conftest import CORP, PNG, Json, Shop


@pytest.fixture
async def talking(shop: Shop) -> Shop:
    """The customer has just written."""
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    return shop


async def send(shop: Shop, msgtype: str, body: object) -> int:
    message = {"touser": shop.customer, "open_kfid": shop.kf, "msgtype": msgtype, msgtype: body}
    return int((await shop.post("kf/send_msg", message))["errcode"])


async def test_a_text_reaches_the_customer(talking: Shop) -> None:
    answer = await talking.send("在的")
    assert answer["errcode"] == 0
    (message,) = talking.play.received(talking.kf, talking.customer)
    assert (message.msgid, message.msgtype, message.body) == (answer["msgid"], "text", {"content": "在的"})


async def test_the_same_msgid_is_delivered_once(talking: Shop) -> None:
    answers = [await talking.send("在的", msgid="abc_1-X") for _ in range(3)]
    assert [(a["errcode"], a["msgid"]) for a in answers] == [(0, "abc_1-X")] * 3
    assert talking.seen() == ["在的"]
    assert talking.play.session(talking.kf, talking.customer).replies_left == 4


async def test_the_same_msgid_at_the_same_instant_is_delivered_once(talking: Shop) -> None:
    await asyncio.gather(*(talking.send("在的", msgid="m1") for _ in range(20)))
    assert talking.seen() == ["在的"]


async def test_a_repeated_msgid_may_be_refused_instead(talking: Shop, settings: Settings) -> None:
    settings.repeated_msgid = "refuse"
    assert [(await talking.send("在的", msgid="m1"))["errcode"] for _ in range(2)] == [0, 40058]
    assert talking.seen() == ["在的"]


async def test_a_repeat_is_recognised_even_when_the_window_is_used_up(talking: Shop) -> None:
    for number in range(5):
        assert (await talking.send(str(number), msgid=f"m{number}"))["errcode"] == 0
    assert (await talking.send("4", msgid="m4"))["errcode"] == 0
    assert (await talking.send("5", msgid="m5"))["errcode"] == 95001


async def test_a_refused_msgid_may_be_used_later(talking: Shop) -> None:
    talking.play.servicer_says(talking.kf, talking.customer, "lisi", "我来")
    assert (await talking.send("在的", msgid="m1"))["errcode"] == 95018
    talking.play.servicer_ends(talking.kf, talking.customer)
    talking.play.customer_says(talking.kf, talking.customer, "还在吗")
    assert (await talking.send("在的", msgid="m1"))["errcode"] == 0
    assert talking.seen() == ["我来", "在的"]


@pytest.mark.parametrize("msgid", ["x" * 33, "a b", "中文", "a.b"])
async def test_bad_msgids(talking: Shop, msgid: str) -> None:
    assert (await talking.send(msgid=msgid))["errcode"] == 40058


async def test_five_messages_per_customer_message(talking: Shop) -> None:
    assert [(await talking.send(str(n)))["errcode"] for n in range(6)] == [0, 0, 0, 0, 0, 95001]
    talking.play.customer_says(talking.kf, talking.customer, "好的")
    assert (await talking.send("6"))["errcode"] == 0


async def test_within_48_hours_only(talking: Shop) -> None:
    talking.play.advance_clock(48 * 3600 - 5)
    assert (await talking.send("还来得及"))["errcode"] == 0
    talking.play.advance_clock(10)
    assert (await talking.send("太晚了"))["errcode"] == 95002
    assert talking.seen() == ["还来得及"]


async def test_nobody_may_write_first(shop: Shop) -> None:
    assert (await shop.send())["errcode"] == 95018
    shop.play.customer_enters(shop.kf, shop.customer)
    assert (await shop.send())["errcode"] == 95018


async def test_only_in_the_states_untreated_and_bot(talking: Shop) -> None:
    async def change(state: int, **more: str) -> None:
        wanted = {"open_kfid": talking.kf, "external_userid": talking.customer, "service_state": state, **more}
        assert (await talking.post("kf/service_state/trans", wanted))["errcode"] == 0

    assert (await talking.send())["errcode"] == 0
    await change(1)
    assert (await talking.send())["errcode"] == 0
    await change(2)
    assert (await talking.send())["errcode"] == 95018
    await change(3, servicer_userid="lisi")
    assert (await talking.send())["errcode"] == 95018
    await change(4)
    assert (await talking.send())["errcode"] == 95018


async def test_unknown_receivers_and_accounts(talking: Shop) -> None:
    assert (await talking.send(touser="wmunknown"))["errcode"] == 40096
    assert (await talking.send(touser=None))["errcode"] == 40096
    assert (await talking.send(open_kfid="wkunknown"))["errcode"] == 95004
    assert (await talking.send(msgtype="hologram"))["errcode"] == 40008
    assert await send(talking, "text", None) == 40063


async def test_long_texts_are_cut_at_2048_bytes(talking: Shop) -> None:
    assert (await talking.send("长" * 1000))["errcode"] == 0
    assert talking.seen() == ["长" * 682]
    assert await send(talking, "text", {"content": ""}) == 44004
    assert await send(talking, "text", {"content": 5}) == 40058


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", PNG),
        ("voice", b"#!AMR\n" + b"\0" * 13),
        ("video", b"\0\0\0\x10ftypisom\0\0\0\0"),
        ("file", b"some file"),
    ],
    ids=["image", "voice", "video", "file"],
)
async def test_media_must_be_uploaded_and_of_the_kind(talking: Shop, kind: str, content: bytes) -> None:
    media_id = (await talking.upload(kind, content))["media_id"]
    assert await send(talking, kind, {"media_id": media_id}) == 0
    other = "image" if kind != "image" else "file"
    assert await send(talking, other, {"media_id": media_id}) == 40007
    assert await send(talking, kind, {"media_id": "unknown"}) == 40007
    assert await send(talking, kind, {}) == 40063
    talking.play.advance_clock(3 * 86400)
    talking.play.customer_says(talking.kf, talking.customer, "还在吗")
    assert await send(talking, kind, {"media_id": media_id}) == 40007


async def test_links(talking: Shop) -> None:
    thumb = (await talking.upload("image", PNG))["media_id"]
    link = {"title": "t" * 128, "desc": "d" * 512, "url": "https://example.com", "thumb_media_id": thumb}
    assert await send(talking, "link", link) == 0
    assert await send(talking, "link", {**link, "title": "t" * 129}) == 40058
    assert await send(talking, "link", {**link, "desc": "描" * 171}) == 40058
    assert await send(talking, "link", {**link, "url": "u" * 2049}) == 40058
    assert await send(talking, "link", {**link, "thumb_media_id": "unknown"}) == 40007
    assert await send(talking, "link", {**link, "title": ""}) == 40063


async def test_mini_programs(talking: Shop) -> None:
    thumb = (await talking.upload("image", PNG))["media_id"]
    card = {"appid": "wx1", "title": "t", "thumb_media_id": thumb, "pagepath": "pages/index"}
    assert await send(talking, "miniprogram", card) == 0
    assert await send(talking, "miniprogram", {**card, "title": "t" * 65}) == 40058
    assert await send(talking, "miniprogram", {**card, "pagepath": ""}) == 40063


def click(number: int) -> Json:
    return {"type": "click", "click": {"id": str(number), "content": f"选项{number}"}}


async def test_menus(talking: Shop) -> None:
    view = {"type": "view", "view": {"url": "https://example.com", "content": "看"}}
    mini = {"type": "miniprogram", "miniprogram": {"appid": "wx1", "pagepath": "p", "content": "开"}}
    text = {"type": "text", "text": {"content": "说明"}}
    menu = {"head_content": "请选择", "list": [click(1), view, mini, text], "tail_content": "谢谢"}
    assert await send(talking, "msgmenu", menu) == 0
    assert await send(talking, "msgmenu", {"list": [click(n) for n in range(10)] + [text] * 40}) == 0
    assert await send(talking, "msgmenu", {"list": [click(n) for n in range(11)]}) == 95008
    assert await send(talking, "msgmenu", {"list": [text] * 51}) == 95008
    assert await send(talking, "msgmenu", {"list": [{"type": "dance"}]}) == 95009
    assert await send(talking, "msgmenu", {"head_content": "头" * 342}) == 40058
    assert await send(talking, "msgmenu", {}) == 40063
    assert await send(talking, "msgmenu", {"list": [{"type": "click", "click": {"id": "1"}}]}) == 40063


async def test_locations_and_acquisition_links(talking: Shop) -> None:
    place = {"latitude": 23.1, "longitude": 113, "name": "公司", "address": "滨江东路"}
    assert await send(talking, "location", place) == 0
    for wrong in ({"latitude": 91}, {"longitude": "113"}, {"latitude": None}, {"latitude": True}):
        assert await send(talking, "location", {**place, **wrong}) == 40058
    assert await send(talking, "ca_link", {"link_url": "https://work.weixin.qq.com/ca/cawcde"}) == 0
    assert await send(talking, "ca_link", {}) == 40063


async def test_a_message_may_be_accepted_and_fail_later(talking: Shop) -> None:
    talking.play.fail_next_sends(talking.kf, talking.customer, fail_type=13)
    failed = await talking.send("敏感", msgid="m1")
    assert failed["errcode"] == 0
    assert (await talking.send("正常"))["errcode"] == 0
    assert talking.seen() == ["正常"]
    (event,) = await talking.events()
    assert (event["event_type"], event["fail_msgid"], event["fail_type"]) == ("msg_send_fail", "m1", 13)


async def test_a_customer_may_refuse_messages(talking: Shop) -> None:
    talking.play.customer_refuses(talking.customer)
    assert (await talking.send())["errcode"] == 0
    assert talking.seen() == []
    assert [event["fail_type"] for event in await talking.events()] == [10]
    talking.play.customer_refuses(talking.customer, refuses=False)
    assert (await talking.send("又好了"))["errcode"] == 0
    assert talking.seen() == ["又好了"]


async def test_a_delivered_message_may_be_reported_as_failed(talking: Shop) -> None:
    await talking.send("在的", msgid="m1")
    talking.play.fail_sent(talking.kf, "m1", fail_type=11)
    assert talking.seen() == []
    assert [event["fail_msgid"] for event in await talking.events()] == ["m1"]


async def test_accounts_and_corps_are_apart(talking: Shop) -> None:
    other = talking.play.create_kf_account(CORP, "售后")
    talking.play.create_app("ww2", "secret-of-two")
    elsewhere = talking.play.create_kf_account("ww2", "别家")
    assert (await talking.send(open_kfid=other))["errcode"] == 95018
    assert (await talking.send(open_kfid=elsewhere))["errcode"] == 95004
    talking.play.customer_says(other, talking.customer, "在吗")
    assert (await talking.send("一", msgid="same"))["errcode"] == 0
    assert (await talking.send("二", msgid="same", open_kfid=other))["errcode"] == 0
    assert [m.body["content"] for m in talking.play.received(other, talking.customer)] == ["二"]


async def test_a_script_can_follow_what_reaches_all_customers(talking: Shop) -> None:
    other = talking.play.create_customer(CORP, "李女士")
    talking.play.customer_says(talking.kf, other, "你好")
    await talking.send("一")
    await talking.send("二", touser=other)
    assert [(d.number, d.external_userid) for d in talking.play.delivered()] == [(1, talking.customer), (2, other)]
    await talking.send("三")
    assert [d.message.body["content"] for d in talking.play.delivered(after=2)] == ["三"]
    assert talking.play.delivered(after=3) == []
