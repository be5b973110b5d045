"""What is sent, word for word, and what is refused before WeCom sees it. The simulated platform enforces its own rules."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import ContactEntered, JsonObject, Kind, OutgoingMedia, OutgoingMessage, SendFailed
from scrm.clock import ManualClock
from scrm.errors import Rejected, RetryLater, Uncertain
from scrm.testing import outgoing_media
from simulator.faults import Fault
from tests.adapters.wecom.harness import FILES, PNG, WeComHarness, running_harness
from tests.adapters.wecom.support import Platform, hang_up

PICTURE = outgoing_media(PNG, "a.png", "image/png")
SENT = {"errcode": 0, "msgid": "k"}
UPLOADED = [{"errcode": 0, "errmsg": "", "type": "image", "media_id": f"M{n}", "created_at": "1"} for n in range(1, 9)]
GONE = {"errcode": 40007, "errmsg": "invalid media_id"}


@pytest.fixture
async def harness() -> AsyncIterator[WeComHarness]:
    async with running_harness() as running:
        yield running


def message(
    kind: Kind = Kind.TEXT,
    text: str = "",
    content: JsonObject | None = None,
    media: OutgoingMedia | None = None,
    welcome_code: str = "",
) -> OutgoingMessage:
    return OutgoingMessage("wkA", "wmA", kind, text, "k" * 32, content or {}, media, welcome_code=welcome_code)


async def sent(adapter: WeComAdapter, server: Platform, outgoing: OutgoingMessage) -> Any:
    """The body that goes over the wire, without what every message has."""
    server.reply("media/upload", *UPLOADED)
    await adapter.send(outgoing)
    body = server.calls("kf/send_msg")[-1].json
    assert (body.pop("touser"), body.pop("open_kfid"), body.pop("msgid")) == ("wmA", "wkA", "k" * 32)
    return body


# Every kind


@pytest.mark.parametrize(
    ("outgoing", "body"),
    [
        (message(text="您好 😀\n"), {"msgtype": "text", "text": {"content": "您好 😀\n"}}),
        (message(Kind.IMAGE, media=PICTURE), {"msgtype": "image", "image": {"media_id": "M1"}}),
        (message(Kind.VOICE, media=PICTURE), {"msgtype": "voice", "voice": {"media_id": "M1"}}),
        (message(Kind.VIDEO, media=PICTURE), {"msgtype": "video", "video": {"media_id": "M1"}}),
        (message(Kind.FILE, media=PICTURE), {"msgtype": "file", "file": {"media_id": "M1"}}),
        (
            message(Kind.LINK, "", {"title": "T", "description": "D", "url": "https://u.example"}, PICTURE),
            {
                "msgtype": "link",
                "link": {"title": "T", "desc": "D", "url": "https://u.example", "thumb_media_id": "M1"},
            },
        ),
        (
            message(Kind.LINK, "", {"title": "加我", "url": "https://work.weixin.qq.com/ca/cawc1"}),
            {"msgtype": "ca_link", "ca_link": {"link_url": "https://work.weixin.qq.com/ca/cawc1"}},
        ),
        (
            message(Kind.MINIPROGRAM, "", {"title": "T", "app_id": "wx1", "path": "p"}, PICTURE),
            {
                "msgtype": "miniprogram",
                "miniprogram": {"appid": "wx1", "title": "T", "pagepath": "p", "thumb_media_id": "M1"},
            },
        ),
        (
            message(Kind.LOCATION, "", {"name": "N", "address": "A", "latitude": 30.5, "longitude": 120}),
            {"msgtype": "location", "location": {"name": "N", "address": "A", "latitude": 30.5, "longitude": 120}},
        ),
        (
            message(
                Kind.MENU,
                "",
                {
                    "head": "H",
                    "items": [
                        {"type": "click", "id": "1", "text": "C"},
                        {"type": "view", "url": "https://u.example", "text": "V"},
                        {"type": "miniprogram", "app_id": "wx1", "path": "p", "text": "M"},
                        {"type": "text", "text": "T"},
                    ],
                    "tail": "B",
                },
            ),
            {
                "msgtype": "msgmenu",
                "msgmenu": {
                    "head_content": "H",
                    "list": [
                        {"type": "click", "click": {"id": "1", "content": "C"}},
                        {"type": "view", "view": {"url": "https://u.example", "content": "V"}},
                        {"type": "miniprogram", "miniprogram": {"appid": "wx1", "pagepath": "p", "content": "M"}},
                        {"type": "text", "text": {"content": "T"}},
                    ],
                    "tail_content": "B",
                },
            },
        ),
    ],
    ids=lambda value: value.kind.value if isinstance(value, OutgoingMessage) else "",
)
async def test_each_kind_is_written_as_the_platform_wants_it(
    adapter: WeComAdapter, server: Platform, outgoing: OutgoingMessage, body: JsonObject
) -> None:
    assert await sent(adapter, server, outgoing) == body


LINK = {"title": "T", "url": "https://u.example"}


@pytest.mark.parametrize(
    ("outgoing", "code"),
    [
        (message(text=""), "wecom.text_empty"),
        (message(text=" \n"), "wecom.text_empty"),
        (message(text="字" * 683), "wecom.text_too_long"),
        (message(Kind.STICKER), "wecom.kind_not_supported"),
        (message(Kind.IMAGE), "wecom.media_missing"),
        (message(Kind.LINK, "", LINK), "wecom.media_missing"),
        (message(Kind.LINK, "", {"title": "T"}, PICTURE), "wecom.url_missing"),
        (message(Kind.LINK, "", {**LINK, "title": "字" * 43}, PICTURE), "wecom.title_too_long"),
        (message(Kind.LINK, "", {**LINK, "description": "字" * 171}, PICTURE), "wecom.description_too_long"),
        (message(Kind.MINIPROGRAM, "", {"title": "T", "app_id": "wx1"}, PICTURE), "wecom.path_missing"),
        (message(Kind.LOCATION, "", {"name": "N"}), "wecom.latitude_missing"),
        (message(Kind.MENU), "wecom.items_missing"),
        (message(Kind.MENU, "", {"items": [{"type": "spin", "text": "x"}]}), "wecom.menu_item"),
        (message(Kind.MENU, "", {"items": [{"type": "click", "id": "1"}]}), "wecom.text_missing"),
        (message(Kind.MENU, "", {"items": [{"type": "click", "text": "x"}] * 11}), "wecom.menu_too_long"),
        (message(Kind.MENU, "", {"items": [{"type": "text", "text": "x"}] * 51}), "wecom.menu_too_long"),
        (message(Kind.IMAGE, media=outgoing_media(b"12345", "a.png", "image/png")), "wecom.file_too_small"),
        (message(Kind.IMAGE, text="hello", media=PICTURE, welcome_code="W"), "wecom.welcome_kind"),
        (
            message(Kind.MENU, "", {"items": [{"type": "text", "text": "x"}] * 11}, welcome_code="W"),
            "wecom.menu_too_long",
        ),
    ],
)
async def test_what_cannot_be_sent_is_refused_without_a_call(
    adapter: WeComAdapter, server: Platform, outgoing: OutgoingMessage, code: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        await adapter.send(outgoing)
    assert refusal.value.code == code
    assert refusal.value.reason.zh
    assert refusal.value.reason.en
    assert server.asked == []


# Files


async def test_a_file_is_uploaded_under_its_own_name(adapter: WeComAdapter, server: Platform) -> None:
    await sent(
        adapter, server, message(Kind.FILE, media=outgoing_media(b"%PDF-1.7", '报价 "单".pdf', "application/pdf"))
    )
    (upload,) = server.calls("media/upload")
    assert upload.query["type"] == "file"
    assert """name="media"; filename="报价 '单'.pdf\"""".encode() in upload.body
    assert b"%PDF-1.7" in upload.body


@pytest.mark.parametrize("name", ["", "../../etc/passwd", 'a"\r\nX-Evil: 1\r\n\r\n.png', "\0", "n" * 500])
async def test_a_hostile_file_name_stays_a_name(harness: WeComHarness, name: str) -> None:
    """The platform's own parser must find one file with a harmless name."""
    adapter = harness.connect()
    event = await harness.customer_writes(adapter, "你好")
    await adapter.send(
        OutgoingMessage(
            event.account.external_id,
            event.contact.external_id,
            Kind.IMAGE,
            "",
            secrets.token_hex(16),
            media=outgoing_media(PNG, name, "image/png"),
        )
    )
    (received,) = await harness.received()
    assert received.content == PNG


async def test_a_file_is_uploaded_once_for_many_messages(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/upload", *UPLOADED)
    await asyncio.gather(*(adapter.send(message(Kind.IMAGE, media=PICTURE)) for _ in range(20)))
    assert len(server.calls("media/upload")) == 1
    assert {call.json["image"]["media_id"] for call in server.calls("kf/send_msg")} == {"M1"}


async def test_the_same_bytes_as_another_kind_are_uploaded_again(adapter: WeComAdapter, server: Platform) -> None:
    await sent(adapter, server, message(Kind.IMAGE, media=PICTURE))
    await sent(adapter, server, message(Kind.FILE, media=PICTURE))
    assert [call.query["type"] for call in server.calls("media/upload")] == ["image", "file"]


async def test_an_upload_is_forgotten_before_the_platform_forgets_it(
    adapter: WeComAdapter, server: Platform, clock: ManualClock
) -> None:
    server.reply("media/upload", *UPLOADED)
    await adapter.send(message(Kind.IMAGE, media=PICTURE))
    clock.advance(timedelta(days=2, hours=22))
    await adapter.send(message(Kind.IMAGE, media=PICTURE))
    assert len(server.calls("media/upload")) == 1
    clock.advance(timedelta(hours=1, minutes=1))
    await adapter.send(message(Kind.IMAGE, media=PICTURE))
    assert len(server.calls("media/upload")) == 2


async def test_a_file_that_the_platform_lost_is_uploaded_again_once(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/upload", *UPLOADED)
    server.reply("kf/send_msg", GONE, SENT)
    await adapter.send(message(Kind.IMAGE, media=PICTURE))
    assert [call.json["image"]["media_id"] for call in server.calls("kf/send_msg")] == ["M1", "M2"]
    server.reply("kf/send_msg", GONE)
    with pytest.raises(Rejected, match=r"wecom\.40007"):
        await adapter.send(message(Kind.IMAGE, media=PICTURE))
    assert len(server.calls("media/upload")) == 3


async def test_a_lost_file_is_uploaded_again_once_for_many_messages(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/upload", *UPLOADED)
    await adapter.send(message(Kind.IMAGE, media=PICTURE))

    async def without_the_first(request: Any) -> JsonObject:
        body = await request.json()
        return GONE if body["image"]["media_id"] == "M1" else SENT

    server.reply("kf/send_msg", without_the_first)
    await asyncio.gather(*(adapter.send(message(Kind.IMAGE, media=PICTURE)) for _ in range(10)))
    assert len(server.calls("media/upload")) == 2


async def test_an_upload_that_breaks_has_certainly_sent_nothing(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/upload", hang_up)
    with pytest.raises(RetryLater):
        await adapter.send(message(Kind.IMAGE, media=PICTURE))
    server.reply("media/upload", {"errcode": 0})
    with pytest.raises(RetryLater):
        await adapter.send(message(Kind.IMAGE, media=PICTURE))
    assert server.calls("kf/send_msg") == []


async def test_every_file_kind_arrives_unchanged(harness: WeComHarness) -> None:
    adapter = harness.connect()
    for kind, file in FILES.items():
        event = await harness.customer_writes(adapter, "你好")
        outgoing = OutgoingMessage(
            event.account.external_id,
            event.contact.external_id,
            kind,
            "",
            secrets.token_hex(16),
            media=outgoing_media(*file),
        )
        await adapter.send(outgoing)
        assert (await harness.received())[-1].content == file[0]


# Welcomes, delivery failures, repetitions: against the simulated platform


async def entered(harness: WeComHarness, adapter: WeComAdapter) -> ContactEntered:
    harness.play.customer_enters(harness.account, harness.customer, scene="lobby")
    (event,) = [event for event in await harness.events(adapter) if isinstance(event, ContactEntered)]
    return event


def welcome(event: ContactEntered, text: str = "欢迎光临", key: str = "w" * 32) -> OutgoingMessage:
    return OutgoingMessage(
        event.account.external_id,
        event.contact.external_id,
        Kind.TEXT,
        text,
        key,
        welcome_code=event.welcome_code,
    )


async def test_a_customer_who_enters_is_welcomed(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await entered(harness, adapter)
    assert event.welcome_code
    receipt = await adapter.send(welcome(event))
    assert receipt.platform_message_id == "w" * 32
    assert [message.text for message in await harness.received()] == ["欢迎光临"]


async def test_a_welcome_after_twenty_seconds_is_refused_with_a_sentence(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await entered(harness, adapter)
    harness.advance(timedelta(seconds=21))
    with pytest.raises(Rejected) as refusal:
        await adapter.send(welcome(event))
    assert "20 秒" in refusal.value.reason.zh
    assert await harness.received() == []


async def test_a_welcome_whose_answer_is_lost_is_uncertain(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await entered(harness, adapter)
    harness.simulator.faults.add(Fault("drop_after", "/cgi-bin/kf/send_msg_on_event"))
    for _ in range(2):  # the second time the code is spent, which does not tell by whom
        with pytest.raises(Uncertain):
            await adapter.send(welcome(event))
    assert len(await harness.received()) == 1
    with pytest.raises(Rejected):
        await harness.connect().send(welcome(event))


async def test_a_failed_delivery_names_our_message_and_its_reason(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await harness.customer_writes(adapter, "你好")
    harness.play.customer_refuses(harness.customer)
    key = secrets.token_hex(16)
    receipt = await adapter.send(
        OutgoingMessage(event.account.external_id, event.contact.external_id, Kind.TEXT, "您好", key)
    )
    (failure,) = [event for event in await harness.events(adapter) if isinstance(event, SendFailed)]
    assert failure.message_id == receipt.platform_message_id == key
    assert failure.code == "wecom.msg_send_fail.10"
    assert "拒收" in failure.reason.zh


async def test_a_revoked_account_cannot_be_answered_and_an_administrator_is_told(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await harness.customer_writes(adapter, "你好")
    harness.play.grant_kf(harness.account, False)
    with pytest.raises(Rejected, match=r"wecom\.48007") as refusal:
        await adapter.send(
            OutgoingMessage(event.account.external_id, event.contact.external_id, Kind.TEXT, "您好", "a" * 32)
        )
    assert refusal.value.needs_admin
    assert await adapter.streams() == []


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_token_that_the_platform_drops_is_not_noticed(harness: WeComHarness, errcode: int) -> None:
    adapter = harness.connect()
    event = await harness.customer_writes(adapter, "你好")
    harness.play.invalidate_token("ww1234567890abcdef", errcode=errcode)
    await adapter.send(
        OutgoingMessage(event.account.external_id, event.contact.external_id, Kind.TEXT, "您好", "a" * 32)
    )
    assert [message.text for message in await harness.received()] == ["您好"]
