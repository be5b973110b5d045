"""Callbacks as an app receives them, decrypted with wechatpy's own cryptography (chapter 2)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from defusedxml import ElementTree
from wechatpy.work.crypto import WeChatCrypto

from simulator.delivery import Mischief
from simulator.wecom.callbacks import to_xml
from simulator.wecom.crypto import decrypt, encrypt, key_of, signature
from simulator.wecom.server import WecomSimulator
from simulator.wecom.settings import Settings

from .conftest import AES_KEY, CORP, TOKEN, Receiver, Shop

SAMPLES = Path(__file__).parents[4] / "shared/platforms/wecom-samples"


def child(xml: str, name: str) -> str | None:
    text: str | None = ElementTree.fromstring(xml).findtext(name)
    return text


async def settled(shop: Shop) -> None:
    await shop.simulator.deliveries.settled()


async def test_a_ring_has_a_token_and_no_sender(shop: Shop, receiver: Receiver) -> None:
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    await settled(shop)
    (event,) = receiver.events
    names = [element.tag for element in ElementTree.fromstring(event)]
    assert names == ["ToUserName", "CreateTime", "MsgType", "Event", "Token", "OpenKfId"]
    assert (child(event, "Event"), child(event, "OpenKfId"), child(event, "ToUserName")) == (
        "kf_msg_or_event",
        shop.kf,
        CORP,
    )


async def test_the_envelope_names_receiver_and_app(shop: Shop, receiver: Receiver) -> None:
    shop.play.ring(shop.kf)
    await settled(shop)
    envelope = receiver.bodies[0].decode()
    assert child(envelope, "ToUserName") == CORP
    assert child(envelope, "AgentID") == "1000002"
    assert receiver.requests[0].content_type == "text/xml"


async def test_three_tries_each_with_its_own_nonce(shop: Shop, receiver: Receiver) -> None:
    receiver.behave = lambda attempt: 500
    shop.play.ring(shop.kf)
    await settled(shop)
    assert len(receiver.events) == 3
    assert len(set(receiver.events)) == 1
    for name in ("nonce", "msg_signature"):
        assert len({request.query[name] for request in receiver.requests}) == 3
    assert [(a.attempt, a.status) for a in shop.play.deliveries()] == [(1, 500), (2, 500), (3, 500)]
    assert (shop.simulator.deliveries.delivered, shop.simulator.deliveries.given_up) == (0, 1)


async def test_a_success_ends_the_tries(shop: Shop, receiver: Receiver) -> None:
    receiver.behave = lambda attempt: 500 if attempt == 1 else 200
    shop.play.ring(shop.kf)
    await settled(shop)
    assert [(a.attempt, a.status) for a in shop.play.deliveries()] == [(1, 500), (2, 200)]


async def test_who_answers_too_late_is_called_again(shop: Shop, receiver: Receiver) -> None:
    receiver.behave = lambda attempt: 5.0 if attempt == 1 else 200
    shop.play.ring(shop.kf)
    await settled(shop)
    first, second = shop.play.deliveries()
    assert (first.status, second.status) == (None, 200)
    assert "no answer within 0.5 s" in first.error


async def test_nobody_there(shop: Shop, receiver: Receiver) -> None:
    await shop.play.set_callback(CORP, "http://127.0.0.1:9/hook", TOKEN, AES_KEY, check=False)
    shop.play.ring(shop.kf)
    await settled(shop)
    assert [a.status for a in shop.play.deliveries()] == [None] * 3


async def test_mischief(shop: Shop, receiver: Receiver) -> None:
    deliveries = shop.simulator.deliveries
    deliveries.add(Mischief("drop"))
    deliveries.add(Mischief("duplicate", copies=3))
    deliveries.add(Mischief("delay", seconds=0.05))
    deliveries.add(Mischief("reorder", times=2))
    for name in ("lost", "thrice", "late", "second", "first"):
        shop.play.raise_event(CORP, name)
    await settled(shop)
    names = [child(event, "Event") for event in receiver.events]
    assert sorted(name or "" for name in names) == ["first", "late", "second", "thrice", "thrice", "thrice"]


async def test_one_worker_keeps_the_order_and_reorder_turns_it_round(settings: Settings) -> None:
    settings.callback_concurrency = 1
    async with WecomSimulator(settings=settings) as simulator:
        receiver = Receiver()
        app = web.Application()
        app.router.add_route("*", "/hook", receiver.handle)
        async with TestServer(app) as server:
            simulator.control.create_app(CORP, "secret")
            await simulator.control.set_callback(CORP, str(server.make_url("/hook")), TOKEN, AES_KEY)
            for number in range(20):
                simulator.control.raise_event(CORP, f"e{number}")
            await simulator.deliveries.settled()
            assert [child(event, "Event") for event in receiver.events] == [f"e{number}" for number in range(20)]
            receiver.events.clear()
            simulator.deliveries.add(Mischief("reorder", times=3))
            for name in ("a", "b", "c", "d"):
                simulator.control.raise_event(CORP, name)
            await simulator.deliveries.settled()
            assert [child(event, "Event") for event in receiver.events] == ["c", "b", "a", "d"]


async def test_what_is_held_back_goes_out_after_a_while(shop: Shop, receiver: Receiver) -> None:
    shop.simulator.deliveries.add(Mischief("reorder", times=5))
    shop.play.raise_event(CORP, "alone")
    await settled(shop)
    assert len(receiver.events) == 1


async def test_a_byte_order_mark(shop: Shop, receiver: Receiver) -> None:
    shop.play.byte_order_mark()
    shop.play.ring(shop.kf)
    await settled(shop)
    assert receiver.bodies[0].startswith(b"\xef\xbb\xbf<xml>")
    assert receiver.events[0].startswith("\ufeff<xml>")


async def test_any_event_with_any_fields(shop: Shop, receiver: Receiver) -> None:
    fields = {
        "ChatId": "wr1",
        "ChangeType": "update",
        "UpdateDetail": "add_member",
        "JoinScene": 1,
        "MemChangeList": {"Item": ["Jack", "Rose & ]]> Co"]},
    }
    shop.play.raise_event(CORP, "change_external_chat", fields)
    await settled(shop)
    event = ElementTree.fromstring(receiver.events[0])
    assert event.findtext("FromUserName") == "sys"
    assert [item.text for item in event.findall("MemChangeList/Item")] == ["Jack", "Rose & ]]> Co"]
    assert "<JoinScene>1</JoinScene>" in receiver.events[0]


async def test_the_third_party_form_has_the_suite_as_receiver(shop: Shop, receiver: Receiver) -> None:
    receiver.crypto = WeChatCrypto(TOKEN, AES_KEY, "ww4suite")
    shop.play.raise_event(CORP, "change_external_chat", {"ChatId": "wr1"}, suite_id="ww4suite")
    await settled(shop)
    assert child(receiver.events[0], "AuthCorpId") == CORP
    assert child(receiver.events[0], "InfoType") == "change_external_chat"


async def test_members_write_to_the_app(shop: Shop, receiver: Receiver) -> None:
    msgid = shop.play.member_writes(CORP, "ZhangSan", "text", {"Content": "你好"})
    await settled(shop)
    assert child(receiver.events[0], "MsgId") == msgid
    assert child(receiver.events[0], "Content") == "你好"


async def test_contacts_come_and_go(shop: Shop, receiver: Receiver) -> None:
    code = shop.play.add_contact(CORP, "ZhangSan", shop.customer, state="qr1")
    shop.play.delete_contact(CORP, "ZhangSan", shop.customer, by_customer=True)
    await settled(shop)
    told = {child(event, "ChangeType"): event for event in receiver.events}
    assert child(told["add_external_contact"], "WelcomeCode") == code
    assert child(told["del_follow_user"], "UserID") == "ZhangSan"
    assert (await shop.get("externalcontact/get", external_userid=shop.customer))["errcode"] == 0
    shop.play.delete_contact(CORP, "ZhangSan", shop.customer)
    assert (await shop.get("externalcontact/get", external_userid=shop.customer))["errcode"] == 84061


async def test_apps_without_the_right_hear_no_kf_events(shop: Shop, receiver: Receiver) -> None:
    shop.play.set_app_rights(CORP, kf=False)
    shop.play.customer_says(shop.kf, shop.customer, "在吗")
    await settled(shop)
    assert receiver.events == []


async def test_the_address_check_wants_the_bare_clear_text_within_its_time(shop: Shop) -> None:
    async def quoted(request: web.Request) -> web.Response:
        clear = WeChatCrypto(TOKEN, AES_KEY, CORP).check_signature(
            request.query["msg_signature"], request.query["timestamp"], request.query["nonce"], request.query["echostr"]
        )
        return web.Response(text=f'"{clear}"')

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    app = web.Application()
    app.router.add_get("/quoted", quoted)
    app.router.add_get("/slow", slow)
    async with TestServer(app) as server:
        for path, why in (("/quoted", "bare clear text"), ("/slow", "within 0.3 s"), ("/missing", "404")):
            with pytest.raises(ValueError, match=why):
                await shop.play.set_callback(CORP, str(server.make_url(path)), TOKEN, AES_KEY)
    with pytest.raises(ValueError, match="cannot be reached"):
        await shop.play.set_callback(CORP, "http://127.0.0.1:9/", TOKEN, AES_KEY)
    assert shop.simulator.world.corps[CORP].apps[1000002].callback is None


@pytest.mark.parametrize(
    ("token", "key"), [("has space", AES_KEY), ("x" * 33, AES_KEY), (TOKEN, "short"), (TOKEN, "+" * 43)]
)
async def test_wrong_token_and_key(shop: Shop, token: str, key: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        await shop.play.set_callback(CORP, "http://127.0.0.1:9/", token, key, check=False)


def test_encryption_agrees_with_wechatpy_at_every_length() -> None:
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
    for length in range(70):
        encrypted = encrypt(key_of(AES_KEY), b"x" * length, CORP)
        assert decrypt(key_of(AES_KEY), encrypted) == (b"x" * length, CORP)
        assert len(base64.b64decode(encrypted)) % 32 == 0
        sent = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        signed = signature(TOKEN, "1", "2", encrypted)
        assert len(crypto.decrypt_message(sent, signed, "1", "2")) == length


def test_what_was_not_encrypted_by_us_is_no_message() -> None:
    for wrong in ("", "AAAA", "A" * 64):
        with pytest.raises(ValueError):
            decrypt(key_of(AES_KEY), wrong)


def test_the_vectors_beside_the_platform_page() -> None:
    """Only where that page lies beside the repository; the lengths test above needs nothing from outside."""
    for path in sorted(SAMPLES.glob("crypto.*vector*.json")):
        vector = json.loads(path.read_text())
        if "encrypt" not in vector and "echostr" not in vector:
            continue
        encrypted = vector.get("encrypt") or vector["echostr"]
        expected = vector.get("plaintext") or vector["expected_response_body"]
        assert signature(vector["token"], vector["timestamp"], vector["nonce"], encrypted) == vector["msg_signature"]
        message, receive_id = decrypt(key_of(vector["encoding_aes_key"]), encrypted)
        assert (message.decode(), receive_id) == (expected, vector["receiveid"])


def test_xml_is_escaped() -> None:
    xml = to_xml({"A": "<b>&]]>", "N": 5, "L": ["x", "y"], "O": {"P": ""}})
    assert [e.text for e in ElementTree.fromstring(xml).iter() if e.tag != "xml"][:2] == ["<b>&]]>", "5"]
    assert len(re.findall("<L>", xml)) == 2
