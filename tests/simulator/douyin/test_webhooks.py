"""Webhooks: exact signature, repetition, forms of content, masking, the address check. Checklist items 1 to 3, 5 and 8."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest

from simulator.delivery import Mischief
from tests.simulator.douyin.client import DEER, HAO, KEY, SECRET, SHOP, Client, Hook, code, content_of, text


async def test_a_push_is_signed_over_its_exact_bytes(client: Client, hook: Hook) -> None:
    client.control.write(DEER, SHOP, "多少钱？")
    await client.control.settle()
    ((body, headers),) = hook.got
    assert headers["x-douyin-signature"] == hashlib.sha1(SECRET.encode() + body).hexdigest()  # noqa: S324
    assert headers["content-type"] == "application/json"
    event = orjson.loads(body)
    assert (event["event"], event["client_key"]) == ("im_receive_msg", KEY)
    assert (event["from_user_id"], event["to_user_id"]) == (DEER, SHOP)
    content = content_of(event)
    assert content["text"] == "多少钱？"
    assert content["server_message_id"].startswith("@")
    assert {info["open_id"]: info["nick_name"] for info in content["user_infos"]} == {DEER: "小鹿", SHOP: "青禾家居"}


async def test_a_refused_push_is_repeated_with_the_same_id_and_bytes_three_times(client: Client, hook: Hook) -> None:
    hook.status = 500
    client.control.write(DEER, SHOP, "你好")
    await client.control.settle()
    assert len(hook.got) == 3
    assert len({(body, headers["msg-id"], headers["x-douyin-signature"]) for body, headers in hook.got}) == 1
    assert (await client.control.settle())["given_up"] == 1


async def test_each_event_has_its_own_id(client: Client, hook: Hook) -> None:
    for _ in range(3):
        client.control.write(DEER, SHOP, "在吗")
    await client.control.settle()
    assert len({headers["msg-id"] for _, headers in hook.got}) == 3


async def test_mischief_doubles_a_push_with_one_id(client: Client, hook: Hook) -> None:
    client.simulator.deliveries.add(Mischief("duplicate", "im_receive_msg", copies=3))
    client.control.write(DEER, SHOP, "你好")
    await client.control.settle()
    assert len(hook.got) == 3
    assert len({headers["msg-id"] for _, headers in hook.got}) == 1


@pytest.mark.parametrize(("form", "kinds"), [("object", {dict}), ("string", {str}), ("alternate", {dict, str})])
async def test_content_of_messages_is_switchable(client: Client, hook: Hook, form: str, kinds: set[type]) -> None:
    client.control.change_settings({"content_form": form})
    for _ in range(2):
        client.control.write(DEER, SHOP, "你好")
    await client.control.settle()
    assert {type(event["content"]) for event in hook.events()} == kinds


async def test_content_of_other_events_has_its_documented_form(client: Client, hook: Hook) -> None:
    control = client.control
    work = control.publish_work(SHOP, "沙发")["item_id"]
    group = control.add_group(SHOP).group_id
    message = control.write(DEER, SHOP, "说错了")
    control.enter(DEER, SHOP)
    control.recall(message.message_id)
    control.follow(DEER, SHOP)
    control.like(DEER, SHOP, work)
    control.join_group(DEER, group)
    control.apply_to_group(DEER, group)
    control.allow_proactive(DEER, SHOP)
    control.comment(DEER, SHOP, work, "多少钱")
    control.withdraw(SHOP, KEY)
    await control.settle()
    strings = {event["event"] for event in hook.events() if isinstance(event["content"], str)}
    objects = {event["event"] for event in hook.events() if isinstance(event["content"], dict)}
    assert strings == {
        "im_enter_direct_msg",
        "im_recall_msg",
        "im_authorize",
        "group_fans_event",
        "enter_group_audit_change",
        "new_follow_action",
        "new_video_digg",
    }
    assert objects == {"im_receive_msg", "item_comment_reply", "unauthorize", "contract_unauthorize"}


@pytest.mark.parametrize(
    ("said", "pushed"),
    [
        ("我电话13812345678，下午联系", "我电话138****5678，下午联系"),
        ("座机0571-88881234", "座机0571-****1234"),
        ("订单号123456789012345", "订单号123456789012345"),
    ],
)
async def test_phone_numbers_are_masked_unless_the_app_may_decode(
    client: Client, hook: Hook, said: str, pushed: str
) -> None:
    client.control.write(DEER, SHOP, said)
    client.control.change_app(KEY, {"decodes_phones": True})
    client.control.write(DEER, SHOP, said)
    await client.control.settle()
    assert sorted(content["text"] for content in hook.contents("im_receive_msg")) == sorted([pushed, said])


async def test_lead_cards_stay_clear(client: Client, hook: Hook) -> None:
    card = client.control.add_card(SHOP)["card_id"]
    client.control.fill_card(DEER, SHOP, card, {"手机号": "13912340001"})
    await client.control.settle()
    (content,) = hook.contents("im_receive_msg")
    assert content["card_data"] == [{"label": "手机号", "value": "13912340001"}]
    assert content["card_status"] == 2


async def test_every_message_of_the_account_is_echoed_with_its_source(client: Client, hook: Hook) -> None:
    asked = await client.wrote()
    sent = await client.send(text("您好"), asked)
    client.control.write_by_hand(SHOP, DEER, "在的")
    client.control.write_by_hand(SHOP, DEER, "欢迎", scene_type=2)
    client.control.write_by_hand(SHOP, DEER, "另一个系统", source="awother")
    await client.control.settle()
    echoes = {content["text"]: content for content in hook.contents("im_send_msg")}
    assert echoes["您好"]["server_message_id"] == sent["msg_id"]
    assert [echoes[words]["source"] for words in ("您好", "在的", "欢迎", "另一个系统")] == [KEY, "", "", "awother"]
    assert echoes["欢迎"]["scene_type"] == 2


async def test_events_that_were_unsubscribed_or_not_granted_do_not_come(client: Client, hook: Hook) -> None:
    token = await client.client_token()
    changes = {"list": [{"event": "new_follow_action", "status": -1}]}
    assert code(await client.post("/event/status/update/", changes, token)) == 0
    client.control.follow(DEER, SHOP)
    client.control.authorise(SHOP, KEY, "user_info,user.intention")
    client.control.write(DEER, SHOP, "听得到吗")
    await client.control.settle()
    assert {event["event"] for event in hook.events()} == {"authorize"}
    listed = await client.get("/event/status/list/", token)
    assert {"event": "new_follow_action", "status": -1} in listed["data"]["list"]


@pytest.mark.parametrize("answer", [b"12345", b"{}", b'{"challenge":"1"}', b"", b"success"])
async def test_an_address_that_answers_the_check_wrongly_is_not_saved(
    client: Client, hook: Hook, answer: bytes
) -> None:
    hook.challenge = answer
    with pytest.raises(ValueError):
        await client.control.set_webhook(KEY, f"{hook.url}?new")
    assert client.simulator.world.apps[KEY].webhook_url == hook.url


async def test_an_address_where_nobody_answers_is_not_saved(client: Client, hook: Hook) -> None:
    for url in ("http://127.0.0.1:9/", "no address", hook.url + "/nothing"):
        with pytest.raises(ValueError):
            await client.control.set_webhook(KEY, url)
    assert client.simulator.world.apps[KEY].webhook_url == hook.url


async def test_a_recall_is_pushed_to_the_business_side_from_who_recalled(client: Client, hook: Hook) -> None:
    theirs = client.control.write(DEER, SHOP, "说错了")
    ours = client.control.write_by_hand(SHOP, DEER, "发错了")
    client.control.recall(theirs.message_id)
    client.control.recall(ours.message_id)
    await client.control.settle()
    recalls: list[Any] = hook.events("im_recall_msg")
    sides = {(event["from_user_id"], event["to_user_id"], content_of(event)["server_message_id"]) for event in recalls}
    assert sides == {(DEER, SHOP, theirs.message_id), (SHOP, DEER, ours.message_id)}
    assert all(set(content_of(event)) == {"server_message_id"} and event["msg_id"] for event in recalls)
    assert HAO not in str(recalls)
