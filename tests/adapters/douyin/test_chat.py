"""The whole way of a conversation: the simulated customer acts, the adapter reads and answers, the customer sees it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from adapters.douyin.adapter import DouyinAdapter
from scrm.channel import (
    ContactEntered,
    Kind,
    MessageRecalled,
    MessageReceived,
    Occurrence,
    OutgoingMessage,
    Raw,
    SenderKind,
)
from scrm.errors import Rejected, RetryLater
from scrm.testing import outgoing_media
from simulator import pictures
from simulator.faults import Fault
from tests.adapters.douyin.harness import ACCOUNT, CUSTOMER, DouyinHarness


def answer(event: MessageReceived | ContactEntered, text: str, kind: Kind = Kind.TEXT) -> OutgoingMessage:
    assert event.window is not None
    return OutgoingMessage(
        event.account.external_id,
        event.contact.external_id,
        kind,
        text,
        "0" * 32,
        window_key=event.window.key,
        window_kind=event.window.kind,
    )


async def entered(adapter: DouyinAdapter, harness: DouyinHarness) -> ContactEntered:
    pushed = harness.simulator.control.enter(CUSTOMER, ACCOUNT, item_id="@work")
    event = await harness.event(adapter, pushed["server_message_id"])
    assert isinstance(event, ContactEntered)
    return event


async def test_our_own_send_comes_back_as_an_echo_with_its_id(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    receipt = await adapter.send(answer(await harness.customer_writes(adapter, "你好"), "您好"))
    echo = await harness.read(adapter, receipt.platform_message_id)
    assert (echo.message_id, echo.direction, echo.text) == (receipt.platform_message_id, "out", "您好")
    assert echo.echo
    assert echo.sender is SenderKind.APP
    assert echo.contact.external_id == CUSTOMER
    assert echo.window is None


async def test_a_colleague_in_the_app_is_an_agent_and_no_echo(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    by_hand = harness.simulator.control.write_by_hand(ACCOUNT, CUSTOMER, "在的")
    event = await harness.read(adapter, by_hand.message_id)
    assert (event.sender, event.echo, event.direction) == (SenderKind.AGENT, False, "out")


@pytest.mark.parametrize("form", ["object", "string", "alternate"])
async def test_content_is_read_in_either_form(
    adapter: DouyinAdapter, harness: DouyinHarness, form: Literal["object", "string", "alternate"]
) -> None:
    harness.simulator.settings.content_form = form
    for text in ("第一", "第二"):
        assert (await harness.customer_writes(adapter, text)).text == text


async def test_answers_are_read_with_numbers_as_strings(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    harness.simulator.settings.numbers_as_strings = True
    message = answer(await harness.customer_writes(adapter, "你好"), "您好")
    assert (await adapter.send(message)).platform_message_id
    with pytest.raises(Rejected) as caught:
        await adapter.send(replace(message, text="https://a.cn"))
    assert caught.value.code == "douyin.28001038"


async def test_a_customer_who_enters_is_greeted_by_the_code_of_the_event(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    event = await entered(adapter, harness)
    assert event.data == {"objectId": "@work"}
    greeting = OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "欢迎", "1" * 32, welcome_code=event.welcome_code)
    await adapter.send(greeting)
    assert [item.text for item in await harness.received()] == ["欢迎"]


async def test_the_window_of_entering_holds_three_messages_and_half_a_minute(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    event = await entered(adapter, harness)
    for _ in range(3):
        await adapter.send(answer(event, "您好"))
    with pytest.raises(Rejected) as caught:
        await adapter.send(answer(event, "您好"))
    assert (caught.value.code, caught.value.closes_window) == ("douyin.28003070", True)
    late = await entered(adapter, harness)
    harness.advance(timedelta(seconds=31))
    with pytest.raises(Rejected) as caught:
        await adapter.send(answer(late, "您好"))
    assert (caught.value.code, caught.value.closes_window) == ("douyin.28003081", True)


async def test_an_own_message_opens_no_window(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "你好")
    echo = await adapter.send(answer(event, "您好"))
    wrong = replace(
        answer(event, "再来"), window_key={**answer(event, "").window_key, "msg_id": echo.platform_message_id}
    )
    with pytest.raises(Rejected) as caught:
        await adapter.send(wrong)
    assert (caught.value.code, caught.value.closes_window) == ("douyin.28003082", True)


async def test_nothing_is_sent_without_a_message_to_answer(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    with pytest.raises(Rejected) as caught:
        await adapter.send(OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "您好", "0" * 32))
    assert (caught.value.code, caught.value.closes_window) == ("douyin.no_window", True)
    assert await harness.received() == []


async def test_the_customers_recall_names_the_message(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "说错了")
    harness.receiver.requests.clear()
    harness.simulator.control.recall(event.message_id)
    recalled = await harness.event(adapter, event.message_id)
    assert isinstance(recalled, MessageRecalled)
    assert (recalled.by, recalled.message_id) == ("customer", event.message_id)
    assert (recalled.account.external_id, recalled.contact.external_id) == (ACCOUNT, CUSTOMER)


async def test_our_own_recall_comes_back_as_the_agents(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    message = answer(await harness.customer_writes(adapter, "你好"), "发错了")
    receipt = await adapter.send(message)
    await harness.read(adapter, receipt.platform_message_id)
    harness.receiver.requests.clear()
    await adapter.recall(ACCOUNT, CUSTOMER, receipt.platform_message_id, message.window_key)
    recalled = await harness.event(adapter, receipt.platform_message_id)
    assert isinstance(recalled, MessageRecalled)
    assert recalled.by == "agent"
    assert (recalled.account.external_id, recalled.contact.external_id) == (ACCOUNT, CUSTOMER)


async def test_a_process_that_knows_the_accounts_tells_who_recalled_without_having_seen_the_message(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    by_hand = harness.simulator.control.write_by_hand(ACCOUNT, CUSTOMER, "发错了")
    await harness.request_about(by_hand.message_id)
    harness.receiver.requests.clear()
    harness.simulator.control.recall(by_hand.message_id)
    other_process = harness.build()
    await other_process.renew()
    recalled = await harness.event(other_process, by_hand.message_id)
    assert isinstance(recalled, MessageRecalled)
    assert (recalled.by, recalled.account.external_id) == ("agent", ACCOUNT)


async def test_a_group_is_answered_in_the_group(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    group = harness.simulator.control.add_group(ACCOUNT, "粉丝群", [CUSTOMER])
    asked = harness.simulator.control.write_in_group(CUSTOMER, group.group_id, "有券吗")
    event = await harness.read(adapter, asked.message_id)
    assert event.group is not None
    assert event.window is None
    receipt = await adapter.send(
        OutgoingMessage(ACCOUNT, CUSTOMER, Kind.TEXT, "有的", "0" * 32, group_id=event.group.external_id)
    )
    echo = await harness.read(adapter, receipt.platform_message_id)
    assert (echo.group, echo.echo, echo.text) == (event.group, True, "有的")


async def test_a_picture_is_uploaded_once_and_sent_often(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    media = outgoing_media(pictures.avatar_png("a"), "a.png", "image/png")
    message = replace(answer(await harness.customer_writes(adapter, "图呢"), "", Kind.IMAGE), media=media)
    await adapter.send(message)
    await adapter.send(message)
    assert len(harness.simulator.world.pictures) == 1
    assert [item.content for item in await harness.received()] == [await media.read()] * 2


async def test_an_upload_that_the_platform_forgot_is_made_again(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    media = outgoing_media(pictures.avatar_png("a"), "a.png", "image/png")
    message = replace(answer(await harness.customer_writes(adapter, "图呢"), "", Kind.IMAGE), media=media)
    await adapter.send(message)
    harness.simulator.world.pictures.clear()
    await adapter.send(message)
    assert len(await harness.received()) == 2


async def test_a_lost_upload_is_no_uncertain_send(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    media = outgoing_media(pictures.avatar_png("a"), "a.png", "image/png")
    message = replace(answer(await harness.customer_writes(adapter, "图呢"), "", Kind.IMAGE), media=media)
    harness.simulator.faults.add(Fault("drop_after", "/tool/imagex/*"))
    with pytest.raises(RetryLater):
        await adapter.send(message)
    await adapter.send(message)
    assert len(await harness.received()) == 1


async def test_a_filled_lead_card_comes_in_with_its_answers(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    control = harness.simulator.control
    card = control.add_card(ACCOUNT)["card_id"]
    event = await harness.customer_writes(adapter, "多少钱")
    await adapter.send(replace(answer(event, "", Kind.LEAD_CARD), content={"card_id": card}))
    filled = control.fill_card(CUSTOMER, ACCOUNT, card, {"姓名": "林小鹿", "手机号": "13912340001"})
    lead = await harness.read(adapter, filled.message_id)
    assert lead.kind is Kind.LEAD_CARD
    assert lead.content["fields"] == [{"label": "姓名", "value": "林小鹿"}, {"label": "手机号", "value": "13912340001"}]
    assert "13912340001" not in lead.text
    assert lead.window is not None


async def test_follows_likes_comments_and_groups_are_occurrences(
    adapter: DouyinAdapter, harness: DouyinHarness
) -> None:
    control = harness.simulator.control
    work = control.publish_work(ACCOUNT, "沙发怎么选")["item_id"]
    group = control.add_group(ACCOUNT)
    control.follow(CUSTOMER, ACCOUNT)
    control.like(CUSTOMER, ACCOUNT, work)
    first = control.comment(CUSTOMER, ACCOUNT, work, "多少钱？")
    control.comment(CUSTOMER, ACCOUNT, work, "同问", reply_to=first.comment_id)
    control.join_group(CUSTOMER, group.group_id)
    control.apply_to_group(CUSTOMER, group.group_id)
    control.allow_proactive(CUSTOMER, ACCOUNT)
    control.allow_proactive(CUSTOMER, ACCOUNT, allowed=False)
    await control.settle()
    names = []
    for request in harness.receiver.requests:
        for event in adapter.parse(Raw("webhook", request.body, harness.simulator.clock.now())):
            assert isinstance(event, Occurrence)
            names.append(event.name)
    assert sorted(names) == sorted(
        [
            "account.authorised",
            "account.authorised",
            "comment.received",
            "comment.received",
            "contact.followed",
            "group.join_requested",
            "group.joined",
            "messages.authorised",
            "messages.unauthorised",
            "video.liked",
        ]
    )


async def test_two_sends_at_once_both_arrive(adapter: DouyinAdapter, harness: DouyinHarness) -> None:
    event = await harness.customer_writes(adapter, "你好")
    await asyncio.gather(*(adapter.send(answer(event, f"第{number}条")) for number in range(6)))
    assert sorted(item.text for item in await harness.received()) == sorted(f"第{number}条" for number in range(6))
