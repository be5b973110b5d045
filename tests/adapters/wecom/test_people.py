"""Files that customers sent, their profiles, and the platform's session of a conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import Kind, MessageRecalled, MessageReceived, OutgoingMessage, SenderKind, SessionChanged
from scrm.errors import Rejected, RetryLater
from simulator.faults import Fault
from tests.adapters.wecom.harness import WeComHarness, running_harness
from tests.adapters.wecom.support import Platform, hang_up

ATTACHMENT = {"Content-Disposition": 'attachment; filename="a.json"'}
HANDLE = {"media_id": "M"}


@pytest.fixture
async def harness() -> AsyncIterator[WeComHarness]:
    async with running_harness() as running:
        yield running


async def fetched(adapter: WeComAdapter, handle: dict[str, Any]) -> bytes:
    return b"".join([piece async for piece in adapter.fetch(handle)])


# Files


async def test_a_file_that_looks_like_an_error_is_a_file(adapter: WeComAdapter, server: Platform) -> None:
    content = b'{"errcode": 40007}'
    server.reply("media/get", web.Response(body=content, headers=ATTACHMENT, content_type="application/json"))
    assert await fetched(adapter, HANDLE) == content
    assert server.calls("media/get")[0].query == {"access_token": "token-1", "media_id": "M"}


async def test_a_picture_without_a_name_is_a_file(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/get", web.Response(body=b"\xff\xd8", content_type="image/jpeg"))
    assert await fetched(adapter, HANDLE) == b"\xff\xd8"


async def test_an_empty_file_is_a_file(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/get", web.Response(body=b"", headers=ATTACHMENT))
    assert await fetched(adapter, HANDLE) == b""


@pytest.mark.parametrize("errcode", [40007, 41006, 830002, 48002])
async def test_a_file_that_the_platform_does_not_give_is_rejected(
    adapter: WeComAdapter, server: Platform, errcode: int
) -> None:
    server.reply("media/get", {"errcode": errcode})
    with pytest.raises(Rejected, match=f"wecom.{errcode}"):
        await fetched(adapter, HANDLE)


async def test_a_refused_token_is_replaced_for_a_file_too(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("media/get", {"errcode": 42001}, web.Response(body=b"file", headers=ATTACHMENT))
    assert await fetched(adapter, HANDLE) == b"file"
    server.reply("media/get", {"errcode": 42001})
    with pytest.raises(RetryLater):
        await fetched(adapter, HANDLE)


async def cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={**ATTACHMENT, "Content-Length": "1000000"})
    await response.prepare(request)
    await response.write(b"the beginning")
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize("answer", [hang_up, cut_short, web.Response(status=502), web.Response(text="<html>")])
async def test_a_file_that_does_not_come_whole_is_tried_later(
    adapter: WeComAdapter, server: Platform, answer: object
) -> None:
    server.reply("media/get", answer)
    with pytest.raises(RetryLater):
        await fetched(adapter, HANDLE)


@pytest.mark.parametrize("handle", [{}, {"media_id": ""}, {"media_id": {}}])
async def test_a_handle_without_an_id_is_rejected(
    adapter: WeComAdapter, server: Platform, handle: dict[str, Any]
) -> None:
    with pytest.raises(Rejected):
        await fetched(adapter, handle)
    assert server.asked == []


async def test_a_file_without_end_is_given_up(adapter: WeComAdapter, server: Platform) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=ATTACHMENT)
        await response.prepare(request)
        for _ in range(40):
            await response.write(bytes(1 << 20))
        return response

    server.reply("media/get", endless)
    with pytest.raises(Rejected, match="830002"):
        await fetched(adapter, HANDLE)


async def test_a_file_expires_when_it_says(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await harness.customer_sends_file(adapter, Kind.FILE, b"a long contract")
    assert event is not None
    (media,) = event.media
    assert media.expires_at == event.sent_at + timedelta(days=3)
    harness.advance(media.expires_at - harness.simulator.clock.now() - timedelta(minutes=1))
    assert await fetched(adapter, media.handle) == b"a long contract"
    harness.advance(timedelta(minutes=2))
    with pytest.raises(Rejected, match=r"wecom\.40007"):
        await fetched(adapter, media.handle)


# Profiles


async def test_profiles_come_with_the_union_id_of_wechat(harness: WeComHarness) -> None:
    adapter = harness.connect()
    await harness.customer_writes(adapter, "你好")
    (profile,) = await adapter.profiles([harness.customer, "wm-of-nobody"])
    assert (profile.external_id, profile.name, profile.union_id) == (harness.customer, "李雷", "wechat:oUnionLiLei")
    assert profile.avatar


async def test_nobody_asks_for_no_profiles(adapter: WeComAdapter, server: Platform) -> None:
    assert await adapter.profiles([]) == []
    assert server.asked == []


async def test_profiles_with_missing_fields_say_what_they_know(adapter: WeComAdapter, server: Platform) -> None:
    listed = [{"external_userid": "wmA"}, {"nickname": "nobody"}, None, {"external_userid": "wmB", "nickname": None}]
    server.reply("kf/customer/batchget", {"errcode": 0, "customer_list": listed})
    profiles = await adapter.profiles(["wmA", "wmB"])
    assert [(p.external_id, p.name, p.avatar, p.union_id) for p in profiles] == [
        ("wmA", "", "", ""),
        ("wmB", "", "", ""),
    ]


# Sessions


@pytest.mark.parametrize(
    ("number", "name", "can_send"),
    [(0, "new", True), (1, "bot", True), (2, "queued", False), (3, "human", False), ("4", "ended", True)],
)
async def test_each_state_says_whether_one_may_send(
    adapter: WeComAdapter, server: Platform, number: object, name: str, can_send: bool
) -> None:
    server.reply("kf/service_state/get", {"errcode": 0, "service_state": number, "servicer_userid": "HanMeimei"})
    state = await adapter.session("wkA", "wmA")
    assert (state.service_state, state.can_send, state.servicer_id) == (name, can_send, "hanmeimei")
    assert (state.reason is None) == can_send


@pytest.mark.parametrize("answer", [{"errcode": 0}, {"errcode": 0, "service_state": 9}])
async def test_a_state_that_nobody_knows_is_tried_later(
    adapter: WeComAdapter, server: Platform, answer: dict[str, Any]
) -> None:
    server.reply("kf/service_state/get", answer)
    with pytest.raises(RetryLater):
        await adapter.session("wkA", "wmA")


async def test_ending_twice_is_no_error(harness: WeComHarness) -> None:
    adapter = harness.connect()
    await harness.customer_writes(adapter, "你好")
    for _ in range(2):
        await adapter.end_session(harness.account, harness.customer)
    assert (await adapter.session(harness.account, harness.customer)).service_state == "ended"


async def test_an_end_that_the_platform_does_not_allow_is_told(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/service_state/trans", {"errcode": 95016})
    server.reply("kf/service_state/get", {"errcode": 0, "service_state": 3})
    with pytest.raises(Rejected, match=r"wecom\.95016"):
        await adapter.end_session("wkA", "wmA")
    server.reply("kf/service_state/trans", {"errcode": 95013})
    await adapter.end_session("wkA", "wmA")


async def test_an_end_without_an_answer_may_be_repeated(harness: WeComHarness) -> None:
    adapter = harness.connect()
    await harness.customer_writes(adapter, "你好")
    harness.simulator.faults.add(Fault("drop_after", "/cgi-bin/kf/service_state/trans"))
    with pytest.raises(RetryLater):
        await adapter.end_session(harness.account, harness.customer)
    await adapter.end_session(harness.account, harness.customer)


async def test_what_colleagues_do_in_the_client_is_seen(harness: WeComHarness) -> None:
    """A colleague takes over, writes, withdraws, ends; meanwhile nothing can be sent from here."""
    adapter = harness.connect()
    event = await harness.customer_writes(adapter, "在吗")
    harness.play.servicer_takes(harness.account, harness.customer, "HanMeimei")
    said = harness.play.servicer_says(harness.account, harness.customer, "HanMeimei", "我来接待")
    answer = OutgoingMessage(event.account.external_id, event.contact.external_id, Kind.TEXT, "您好", "a" * 32)
    with pytest.raises(Rejected, match=r"wecom\.95018") as refusal:
        await adapter.send(answer)
    assert not refusal.value.closes_window
    harness.play.servicer_recalls(harness.account, said, "HanMeimei")
    harness.play.servicer_ends(harness.account, harness.customer)

    events = await harness.events(adapter)
    changes = [(e.service_state, e.can_send, e.servicer_id) for e in events if isinstance(e, SessionChanged)]
    assert changes[0] == ("human", False, "hanmeimei")
    assert changes[-1] == ("ended", True, "")
    (own,) = [e for e in events if isinstance(e, MessageReceived) and e.direction == "out"]
    assert (own.message_id, own.sender, own.sender_id, own.window) == (said, SenderKind.AGENT, "hanmeimei", None)
    (recall,) = [e for e in events if isinstance(e, MessageRecalled)]
    assert (recall.message_id, recall.by) == (said, "agent")

    await harness.customer_writes(adapter, "还在吗")
    await adapter.send(answer)
    assert [message.text for message in await harness.received()][-1] == "您好"


async def test_a_customers_recall_names_their_message(harness: WeComHarness) -> None:
    adapter = harness.connect()
    event = await harness.customer_writes(adapter, "发错了")
    harness.play.customer_recalls(harness.account, event.message_id)
    (recall,) = [e for e in await harness.events(adapter) if isinstance(e, MessageRecalled)]
    assert (recall.message_id, recall.by, recall.contact) == (event.message_id, "customer", event.contact)
