"""From the rep's reply to the customer's phone: shown at once, sent once, and honest when nobody knows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inbox.reply import Draft, reply
from inbox.settle import retry, settle
from scrm.db import Row
from scrm.errors import Conflict
from simulator.faults import Fault
from tests.company import Company, eventually
from tests.flows.reads import broken_invariants, conversation_of, messages_of, texts_of


async def open_chat(shop: Company, *, douyin: bool = False) -> tuple[str, int]:
    """A customer who has written; returns their id and the conversation's."""
    if douyin:
        who = shop.shopper("买家")
        shop.douyin.control.write(who, shop.shop, "在吗")
    else:
        who = shop.customer("买家")
        shop.wecom.control.customer_says(shop.kf, who, "在吗")

    async def arrived() -> bool:
        return await texts_of(shop, who) == ["在吗"]

    await eventually(arrived)
    row = await conversation_of(shop, who)
    assert row is not None
    return who, row["id"]


async def say(shop: Company, conversation_id: int, text: str, token: str = "") -> tuple[int, bool]:
    draft = Draft(client_token=token or f"token-{abs(hash(text)):x}", text=text)
    async with shop.services.work() as work:
        return await reply(work, shop.rep, conversation_id, draft, shop.services.connections.capabilities)


async def message(shop: Company, message_id: int) -> Row:
    row = await shop.services.db.fetchrow("select * from message where id = $1", message_id)
    assert row is not None
    return row


async def state_is(shop: Company, message_id: int, *states: str) -> Row:
    async def reached() -> Row | None:
        row = await message(shop, message_id)
        return row if row["state"] in states else None

    found: Row = await eventually(reached, why=f"message {message_id} never became {states}")
    return found


def received(shop: Company, who: str, *, douyin: bool = False) -> list[Any]:
    if douyin:
        return [one.fields.get("text") for one in shop.douyin.control.received(who, shop.shop)]
    return [one.body.get("content") for one in shop.wecom.control.received(shop.kf, who)]


@pytest.mark.parametrize("douyin", [False, True])
async def test_reply_arrives_once(shop: Company, douyin: bool) -> None:
    who, conversation_id = await open_chat(shop, douyin=douyin)
    message_id, created = await say(shop, conversation_id, "在的，请讲")
    assert created
    row = await state_is(shop, message_id, "sent")
    assert row["platform_message_id"]
    assert received(shop, who, douyin=douyin) == ["在的，请讲"]
    conversation = await conversation_of(shop, who)
    assert conversation is not None
    assert (conversation["unread"], conversation["waiting_since"], conversation["window_used"]) == (0, None, 1)
    assert conversation["assignee_id"] == shop.rep.agent_id
    await shop.douyin.deliveries.settled()

    async def quiet() -> bool:
        return await shop.services.db.fetchval("select count(*) from inbound_event where state = 'new'") == 0

    await eventually(quiet)
    assert await texts_of(shop, who) == ["在吗", "在的，请讲"], "the echo is our own message"
    assert await broken_invariants(shop.services.db) == []


async def test_the_same_token_is_the_same_message(shop: Company) -> None:
    who, conversation_id = await open_chat(shop)
    results = await asyncio.gather(*[say(shop, conversation_id, "只发一次", "token-0001") for _ in range(8)])
    assert len({message_id for message_id, _ in results}) == 1
    assert sum(created for _, created in results) == 1
    await state_is(shop, results[0][0], "sent")
    assert received(shop, who) == ["只发一次"]


async def test_order_is_kept(shop: Company) -> None:
    who, conversation_id = await open_chat(shop)
    ids = [(await say(shop, conversation_id, f"第 {n} 条"))[0] for n in range(5)]
    await state_is(shop, ids[-1], "sent")
    assert received(shop, who) == [f"第 {n} 条" for n in range(5)]


async def test_the_window_is_used_up_before_the_platform_refuses(shop: Company) -> None:
    who, conversation_id = await open_chat(shop)
    ids = [(await say(shop, conversation_id, f"第 {n} 条"))[0] for n in range(5)]
    with pytest.raises(Conflict) as refused:
        await say(shop, conversation_id, "第六条")
    assert refused.value.code == "window_used_up"
    await state_is(shop, ids[-1], "sent")
    shop.wecom.control.customer_says(shop.kf, who, "继续")

    async def opened_again() -> bool:
        row = await conversation_of(shop, who)
        return row is not None and row["window_used"] == 0

    await eventually(opened_again)
    message_id, _ = await say(shop, conversation_id, "第六条")
    await state_is(shop, message_id, "sent")


async def test_answers_on_their_way_use_the_window_that_opens_meanwhile(shop: Company) -> None:
    """KF counts an answer when it arrives. Three are held up, the customer writes again: two are left, not five."""
    who, conversation_id = await open_chat(shop)
    held = shop.wecom.faults.add(Fault("delay", "/cgi-bin/kf/send_msg", times=None, seconds=1.5))
    ids = [(await say(shop, conversation_id, f"第 {n} 条"))[0] for n in range(3)]

    async def on_the_way() -> bool:
        return held.hits > 0

    await eventually(on_the_way)
    shop.wecom.control.customer_says(shop.kf, who, "还在吗")

    async def counted() -> bool:
        row = await conversation_of(shop, who)
        return row is not None and row["last_seq"] == 5 and row["window_used"] == 3

    await eventually(counted)
    shop.wecom.faults.clear()
    ids += [(await say(shop, conversation_id, f"再 {n} 条"))[0] for n in range(2)]
    with pytest.raises(Conflict) as refused:
        await say(shop, conversation_id, "太多")
    assert refused.value.code == "window_used_up"
    for message_id in ids:
        await state_is(shop, message_id, "sent")


async def test_two_reps_cannot_both_take_the_last_message(shop: Company) -> None:
    _, conversation_id = await open_chat(shop)
    outcomes = await asyncio.gather(*[say(shop, conversation_id, f"抢 {n}") for n in range(9)], return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in outcomes) == 4
    assert sum(isinstance(one, tuple) for one in outcomes) == 5


async def test_refusal_says_why_and_gives_the_allowance_back(shop: Company) -> None:
    who, conversation_id = await open_chat(shop)
    shop.wecom.faults.add(Fault("refuse", "/cgi-bin/kf/send_msg", code=95018))
    message_id, _ = await say(shop, conversation_id, "能看到吗")
    row = await state_is(shop, message_id, "failed")
    assert row["reason"]["code"] == "wecom.95018"
    assert row["reason"]["zh"]
    assert row["reason"]["en"]
    conversation = await conversation_of(shop, who)
    assert conversation is not None
    assert conversation["window_used"] == 0
    async with shop.services.work() as work:
        await retry(work, shop.rep, message_id, shop.services.connections.capabilities)
    await state_is(shop, message_id, "sent")
    assert received(shop, who) == ["能看到吗"]


async def test_throttle_waits_and_sends_once(shop: Company) -> None:
    who, conversation_id = await open_chat(shop)
    shop.wecom.faults.add(Fault("drop", "/cgi-bin/kf/send_msg", times=2))
    message_id, _ = await say(shop, conversation_id, "慢慢来")
    await state_is(shop, message_id, "sent")
    assert received(shop, who) == ["慢慢来"]


async def test_lost_answer_with_idempotency_sends_once(shop: Company) -> None:
    """KF knows our msgid: a send whose answer was lost is repeated, and arrives once."""
    who, conversation_id = await open_chat(shop)
    fault = shop.wecom.faults.add(Fault("drop_after", "/cgi-bin/kf/send_msg"))
    message_id, _ = await say(shop, conversation_id, "一次就好")
    await state_is(shop, message_id, "sent")
    assert fault.hits == 1
    assert received(shop, who) == ["一次就好"]


async def test_a_refusal_after_a_lost_answer_is_not_called_unsent(shop: Company) -> None:
    """The first attempt arrived and its answer was lost; the second is refused. "Failed" would be untrue."""
    who, conversation_id = await open_chat(shop)
    shop.wecom.faults.add(Fault("drop_after", "/cgi-bin/kf/send_msg"))
    shop.wecom.faults.add(Fault("refuse", "/cgi-bin/kf/send_msg", code=95018))
    message_id, _ = await say(shop, conversation_id, "也许到了")
    row = await state_is(shop, message_id, "uncertain", "failed", "sent")
    assert (row["state"], row["reason"]["code"]) == ("uncertain", "wecom.95018")
    assert received(shop, who) == ["也许到了"]


async def test_lost_answer_without_idempotency_is_uncertain_until_the_echo(shop: Company) -> None:
    """Douyin has no idempotency: nobody knows, until the platform shows our message."""
    who, conversation_id = await open_chat(shop, douyin=True)
    shop.douyin.faults.add(Fault("drop_after", "/im/send/msg/"))
    message_id, _ = await say(shop, conversation_id, "到了吗")
    row = await state_is(shop, message_id, "uncertain", "sent")
    row = await state_is(shop, message_id, "sent")
    assert row["platform_message_id"]
    assert received(shop, who, douyin=True) == ["到了吗"]
    assert await texts_of(shop, who) == ["在吗", "到了吗"]


async def test_uncertain_leaves_the_choice_to_the_rep(shop: Company) -> None:
    who, conversation_id = await open_chat(shop, douyin=True)
    fault = shop.douyin.faults.add(Fault("hang", "/im/send/msg/", seconds=60))
    message_id, _ = await say(shop, conversation_id, "没有回音")

    async def called() -> bool:
        return fault.hits == 1

    await eventually(called)
    shop.douyin.faults.clear()
    row = await state_is(shop, message_id, "uncertain")
    assert row["reason"]["zh"]
    assert received(shop, who, douyin=True) == []
    async with shop.services.work() as work:
        await settle(work, shop.rep, message_id, "failed")
    async with shop.services.work() as work:
        await retry(work, shop.rep, message_id, shop.services.connections.capabilities)
    await state_is(shop, message_id, "sent")
    assert received(shop, who, douyin=True) == ["没有回音"]


async def test_welcome_leaves_in_the_fast_lane_once(shop: Company) -> None:
    who = shop.customer("新客")
    code = shop.wecom.control.customer_enters(shop.kf, who, "store", "")
    assert code

    async def greeted() -> bool:
        return received(shop, who) == ["您好，欢迎光临青禾家居！"]

    await eventually(greeted)
    rows = await messages_of(shop, who)
    assert [(row["sender_kind"], row["direction"]) for row in rows] == [("bot", "out")]


async def test_a_closed_window_refuses_in_words(shop: Company) -> None:
    who, conversation_id = await open_chat(shop)
    await shop.services.db.execute("update conversation set window_expires_at = now() - interval '1 minute'")
    with pytest.raises(Conflict) as refused:
        await say(shop, conversation_id, "太晚了")
    assert refused.value.code == "window_closed"
    assert received(shop, who) == []


async def test_a_sender_that_died_in_the_middle(shop: Company) -> None:
    """Rows whose lease ran out were in somebody's hands: repeated where the platform deduplicates, uncertain elsewhere."""
    db = shop.services.db
    for douyin, expected in ((False, "sent"), (True, "uncertain")):
        who, conversation_id = await open_chat(shop, douyin=douyin)
        async with shop.services.work() as work:
            message_id, _ = await reply(
                work,
                shop.rep,
                conversation_id,
                Draft(client_token=f"dead-{douyin}", text="中断"),
                shop.services.connections.capabilities,
            )
            # As a sender leaves it that claimed the row and was killed.
            await work.tx.execute(
                "update outbox set state = 'sending', lease_until = now() - interval '1 second', attempts = 1, "
                "lease_token = gen_random_uuid() where message_id = $1",
                message_id,
            )
            await work.tx.execute("update message set state = 'sending' where id = $1", message_id)
        await state_is(shop, message_id, expected)
        assert len(received(shop, who, douyin=douyin)) == (0 if douyin else 1)
    assert await broken_invariants(db) == []


async def test_closing_ends_the_platform_session(shop: Company) -> None:
    from inbox.status import close

    who, conversation_id = await open_chat(shop)
    async with shop.services.work() as work:
        await close(work, shop.rep, conversation_id)

    async def ended() -> bool:
        return shop.wecom.control.session(shop.kf, who).state == 4

    await eventually(ended)
    shop.wecom.control.customer_says(shop.kf, who, "还有一个问题")

    async def reopened() -> bool:
        row = await conversation_of(shop, who)
        return row is not None and row["status"] == "open" and row["can_send"]

    await eventually(reopened)
