"""Sending and recalling: windows, counts, content, media. Checklist items 4, 9 and 10, and the codes of chapter 10."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator import pictures
from tests.simulator.douyin.client import DEER, HAO, KEY, SHOP, Client, code, text


async def test_six_answers_in_a_day_then_none(client: Client) -> None:
    asked = await client.wrote()
    assert [code(await client.send(text("好"), asked)) for _ in range(7)] == [0] * 6 + [28003070]
    again = await client.wrote("还在吗")
    assert code(await client.send(text("在"), again)) == 0
    client.simulator.clock.advance(timedelta(hours=24))
    assert code(await client.send(text("在"), again)) == 28003081


async def test_three_greetings_in_half_a_minute(client: Client) -> None:
    entered = client.control.enter(DEER, SHOP)
    answers = [code(await client.send(text("您好"), entered, "im_enter_direct_msg")) for _ in range(4)]
    assert answers == [0, 0, 0, 28003070]
    late = client.control.enter(DEER, SHOP)
    client.simulator.clock.advance(30)
    assert code(await client.send(text("您好"), late, "im_enter_direct_msg")) == 28003081


async def test_three_enterings_a_day_may_be_greeted(client: Client) -> None:
    async def greeted() -> int:
        return code(await client.send(text("您好"), client.control.enter(DEER, SHOP), "im_enter_direct_msg"))

    assert [await greeted() for _ in range(4)] == [0, 0, 0, 28003070]
    client.simulator.clock.advance(timedelta(days=1))
    assert await greeted() == 0


async def test_only_the_customers_own_event_opens_a_window(client: Client) -> None:
    asked = await client.wrote()
    entered = client.control.enter(DEER, SHOP)
    others = await client.wrote(customer=HAO)
    echo = {**asked, "server_message_id": (await client.send(text("好"), asked))["msg_id"]}
    strange = {**asked, "server_message_id": "@nothing"}
    elsewhere = {**asked, "conversation_short_id": others["conversation_short_id"]}
    for about in (echo, others, strange, elsewhere, entered):
        assert code(await client.send(text("好"), about)) == 28003082
    assert code(await client.send(text("好"), asked, "im_enter_direct_msg")) == 28003082
    assert code(await client.send(text("好"), asked, to="nobody")) == 28003082
    assert len(client.control.received(DEER)) == 1


async def test_a_refused_send_uses_nothing_up(client: Client) -> None:
    asked = await client.wrote()
    for _ in range(10):
        assert code(await client.send(text("http://a.cn"), asked)) == 28001038
    assert [code(await client.send(text("好"), asked)) for _ in range(7)] == [0] * 6 + [28003070]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("字" * 1000, 0),
        ("字" * 1001, 28001038),
        ("看 https://a.cn", 28001038),
        ("HTTP://A.CN", 28001038),
        ("", 28001007),
    ],
)
async def test_what_a_text_may_say(client: Client, words: str, expected: int) -> None:
    assert code(await client.send(text(words), await client.wrote())) == expected


@pytest.mark.parametrize(
    "content",
    [
        {"msg_type": 2, "image": {"media_id": "@unknown"}},
        {"msg_type": 3, "video": {"item_id": "@foreign"}},
        {"msg_type": 8, "retain_consult_card": {"card_id": "@unknown"}},
        {"msg_type": 9, "group_invitation": {"group_id": "@unknown", "group_token": "x"}},
        {"msg_type": 10, "applet_card": {}},
        {"msg_type": 11, "applet_coupon": {"activity_id": "1"}},
        {"msg_type": 12},
        {"msg_type": 204, "question_guide_msg_card": {"title": "x", "question_list": [{"text": "字" * 15}]}},
        {"msg_type": 204, "question_guide_msg_card": {"title": "x", "question_list": [{"text": "a"}] * 7}},
        {"msg_type": 99},
        {"msg_type": "1", "text": {"text": "x"}},
        {},
        [],
        "text",
    ],
)
async def test_what_does_not_exist_cannot_be_sent(client: Client, content: Any) -> None:
    assert code(await client.send(content, await client.wrote())) == 28001007
    assert client.control.received(DEER) == []


async def test_a_picture_is_uploaded_then_sent(client: Client) -> None:
    picture = pictures.avatar_png("sofa")
    uploaded = await client.upload(picture)
    assert code(uploaded) == 0
    assert (uploaded["width"], uploaded["height"]) == (96, 96)
    content = {"msg_type": 2, "image": {"media_id": uploaded["image_id"]}}
    assert code(await client.send(content, await client.wrote())) == 0
    (got,) = client.control.received(DEER)
    assert client.control.file_of(got.message_id)["size"] == len(picture)


@pytest.mark.parametrize("content", [b"GIF89a...", b"", b"\x89PNG\r\n\x1a\n" + bytes(10 * 1024 * 1024)])
async def test_what_is_no_picture_or_too_large_is_refused(client: Client, content: bytes) -> None:
    assert code(await client.upload(content)) == 28001007


async def test_own_works_cards_and_groups_can_be_sent(client: Client) -> None:
    control = client.control
    asked = await client.wrote()
    contents: list[Any] = [
        {"msg_type": 3, "video": {"item_id": control.publish_work(SHOP, "沙发")["item_id"]}},
        {"msg_type": 8, "retain_consult_card": {"card_id": control.add_card(SHOP)["card_id"]}},
        {"msg_type": 9, "group_invitation": {"group_id": control.add_group(SHOP).group_id, "group_token": "x"}},
        {"msg_type": 10, "applet_card": {"card_template_id": "@t", "app_id": "tt1"}},
        {"msg_type": 11, "applet_coupon": {"activity_id": 1, "coupon_meta_id": 2}},
    ]
    assert [code(await client.send(content, asked)) for content in contents] == [0] * 5
    kinds = [message.kind for message in control.received(DEER)]
    assert kinds == ["video", "retain_consult_card", "other", "other", "other"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"certified": False}, 28029003), ({"banned": True}, 28029004), ({"workbench_active": True}, 28003095)],
)
async def test_a_sender_in_trouble(client: Client, changes: dict[str, bool], expected: int) -> None:
    asked = await client.wrote()
    client.control.change_account(SHOP, changes)
    assert code(await client.send(text("好"), asked)) == expected


async def test_a_banned_customer_and_a_banned_app(client: Client) -> None:
    asked = await client.wrote()
    client.control.change_customer(DEER, {"banned": True})
    assert code(await client.send(text("好"), asked)) == 28003101
    client.control.change_app(KEY, {"banned": True})
    assert code(await client.send(text("好"), asked)) == 28001016


async def test_rights_of_account_and_app(client: Client) -> None:
    asked = await client.wrote()
    client.control.change_app(KEY, {"lacks": ["im.direct_message"]})
    assert code(await client.send(text("好"), asked)) == 28001014
    client.control.change_app(KEY, {"lacks": []})
    client.control.authorise(SHOP, KEY, "user_info")
    assert code(await client.send(text("好"), asked)) == 28001012


async def test_too_many_calls(client: Client) -> None:
    asked = await client.wrote()
    client.control.change_settings({"calls_per_second": 2})
    assert [code(await client.send(text("好"), asked)) for _ in range(3)] == [0, 0, 28003018]
    client.simulator.clock.advance(1.1)
    client.control.change_settings({"calls_per_day": 3})
    assert [code(await client.send(text("好"), asked)) for _ in range(2)] == [0, 28003017]


async def recall(client: Client, about: dict[str, str], message_id: str, kind: int = 1) -> int:
    body = {"conversation_id": about["conversation_short_id"], "conversation_type": kind, "msg_id": message_id}
    answer = await client.post("/im/recall/msg/", body, client.token(), open_id=SHOP)
    assert "err_no" in answer
    return code(answer)


async def test_an_own_message_can_be_recalled_for_a_while(client: Client) -> None:
    asked = await client.wrote()
    first, second = [(await client.send(text("好"), asked))["msg_id"] for _ in range(2)]
    assert await recall(client, asked, first, kind=2) == 28001007
    assert await recall(client, {"conversation_short_id": "@x"}, first) == 28003082
    assert await recall(client, asked, asked["server_message_id"]) == 28003082
    assert await recall(client, asked, first) == 0
    assert await recall(client, asked, first) == 28003082
    client.simulator.clock.advance(151)
    assert await recall(client, asked, second) == 28001007
    assert [message.message_id for message in client.control.received(DEER)] == [second]


async def test_a_group_is_written_to_by_its_owner(client: Client) -> None:
    group = client.control.add_group(SHOP).group_id
    body = {"group_id": group, "content": text("今晚 8 点直播间见")}
    sent = await client.post("/im/send/msg/group/", body, client.token(), open_id=SHOP)
    assert code(sent) == 0
    assert sent["msg_id"]
    client.control.add_account("rival")
    foreign = {"group_id": client.control.add_group("rival").group_id, "content": text("广告")}
    assert code(await client.post("/im/send/msg/group/", foreign, client.token(), open_id=SHOP)) == 28003082


async def test_proactive_messages_need_leave_and_a_card_and_come_once_a_day(client: Client) -> None:
    card = {"msg_type": 10, "applet_card": {"card_template_id": "@t"}}

    async def campaign(*contents: Any) -> Any:
        body = {"scene": "im_authorize_message", "to_user_id": DEER, "content_list": list(contents)}
        return await client.post("/im/send/msg/", body, client.token(), open_id=SHOP)

    assert code(await campaign(card)) == 28001012
    client.control.allow_proactive(DEER, SHOP)
    status = await client.post(
        "/im/authorize/status/", {"c_open_id": DEER, "app_id": "x"}, client.token(), open_id=SHOP
    )
    assert (code(status), status["data"]["status"]) == (0, 1)
    assert code(await campaign(text("活动"))) == 28001007
    assert code(await campaign(card, card, card, card)) == 28001007
    answer = await campaign(text("活动"), card)
    assert code(answer) == 0
    assert len(answer["msg_list"]) == 2
    assert code(await campaign(card)) == 28003070
    client.simulator.clock.advance(timedelta(days=1))
    assert code(await campaign(card)) == 0


async def test_a_customers_file_is_fetched_by_the_ids_of_its_message(client: Client) -> None:
    sent = client.control.send_file(DEER, SHOP, "image", b"a photograph")
    ids = {"conversation_id": sent.conversation_id, "message_id": sent.message_id}
    answer = await client.get("/api/im/message/resources/", client.token(), open_id=SHOP, **ids)
    assert (code(answer), answer["data"]["media_type"]) == (0, "image")
    url = answer["data"]["url"]
    async with client.http.get(url) as response:
        assert (response.status, await response.read()) == (200, b"a photograph")
    client.simulator.clock.advance(timedelta(hours=2))
    async with client.http.get(url) as response:
        assert response.status == 403
    for wrong in ({**ids, "message_id": "@x"}, {**ids, "conversation_id": "@x"}):
        assert code(await client.get("/api/im/message/resources/", client.token(), open_id=SHOP, **wrong)) == 28003082
    words = await client.wrote()
    plain = {"conversation_id": words["conversation_short_id"], "message_id": words["server_message_id"]}
    assert code(await client.get("/api/im/message/resources/", client.token(), open_id=SHOP, **plain)) == 28001007


async def test_lead_cards_are_saved_listed_and_deleted(client: Client) -> None:
    media_id = (await client.upload(pictures.avatar_png("card")))["image_id"]
    token = client.token()
    body = {"title": "免费报价", "media_id": media_id, "components": [1, 2, 3]}
    saved = await client.post("/im/save/retain_consult_card/", body, token, open_id=SHOP)
    assert code(saved) == 0
    listed = await client.get("/im/get/retain_consult_card/", token, open_id=SHOP)
    assert listed["cards"] == [{"card_id": saved["card_id"], **body, "status": 1}]
    wrong = await client.post("/im/save/retain_consult_card/", {**body, "media_id": "@x"}, token, open_id=SHOP)
    assert code(wrong) == 28001007
    deleted = await client.get("/im/del/retain_consult_card/", token, card_id=saved["card_id"], open_id=SHOP)
    assert code(deleted) == 0
    assert (await client.get("/im/get/retain_consult_card/", token, open_id=SHOP))["cards"] == []


async def test_comments_are_listed_and_answered(client: Client) -> None:
    work = client.control.publish_work(SHOP, "沙发")["item_id"]
    first = client.control.comment(DEER, SHOP, work, "多少钱")
    client.simulator.clock.advance(1)
    client.control.comment(HAO, SHOP, work, "同问")
    token = client.token()
    page = await client.get("/item/comment/list/", token, open_id=SHOP, item_id=work, count=1, sort_type="time_asc")
    assert [comment["content"] for comment in page["data"]["list"]] == ["多少钱"]
    assert page["data"]["has_more"]
    reply = {"item_id": work, "comment_id": first.comment_id, "content": "已私信"}
    assert code(await client.post("/item/comment/reply/", reply, token, open_id=SHOP)) == 0
    replies = await client.get(
        "/item/comment/reply/list/", token, open_id=SHOP, item_id=work, comment_id=first.comment_id
    )
    assert [comment["content"] for comment in replies["data"]["list"]] == ["已私信"]
    long = {**reply, "content": "字" * 101}
    assert code(await client.post("/item/comment/reply/", long, token, open_id=SHOP)) == 28001007
    foreign = await client.get("/item/comment/list/", token, open_id=SHOP, item_id="@foreign")
    assert code(foreign) == 2111007
