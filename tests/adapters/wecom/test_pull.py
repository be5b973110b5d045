"""Reading by cursor: nothing missed, nothing without end, and tokens and cursors that ran out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.channel import MessageReceived, PullRequested, Raw, Verified
from scrm.errors import Rejected, RetryLater
from tests.adapters.wecom.harness import WeComHarness, running_harness
from tests.adapters.wecom.support import NOW, Platform


@pytest.fixture
async def harness() -> AsyncIterator[WeComHarness]:
    async with running_harness() as running:
        yield running


def page(cursor: str = "c2", *, more: int = 0, items: list[Any] | None = None) -> dict[str, Any]:
    return {"errcode": 0, "next_cursor": cursor, "has_more": more, "msg_list": items or []}


def refused(errcode: int) -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": "refused"}


async def test_the_first_pull_asks_from_the_beginning(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", page())
    await adapter.pull("kf:wkA", "", "")
    assert server.calls("kf/sync_msg")[0].json == {"open_kfid": "wkA", "limit": 1000, "voice_format": 0}


async def test_an_empty_page_may_have_more_behind_it(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", page("c2", more=1))
    found = await adapter.pull("kf:wkA", "c1", "")
    assert (found.items, found.cursor, found.has_more) == ([], "c2", True)


async def test_a_page_that_moves_nothing_is_asked_for_again(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", page("c1", more=1), page("c1", more=1), page("c2", items=[{"msgid": "m"}]))
    found = await adapter.pull("kf:wkA", "c1", "")
    assert ([item.dedupe_key for item in found.items], found.cursor, found.has_more) == (["m"], "c2", False)


async def test_a_stream_that_never_moves_is_left_for_later(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", page("c1", more=1))
    found = await adapter.pull("kf:wkA", "c1", "")
    assert (found.items, found.cursor, found.has_more) == ([], "c1", False)
    assert len(server.calls("kf/sync_msg")) < 20


async def test_an_answer_without_a_cursor_keeps_the_old_one(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", {"errcode": 0, "msg_list": None})
    found = await adapter.pull("kf:wkA", "c1", "")
    assert (found.items, found.cursor, found.has_more) == ([], "c1", False)


async def test_items_are_kept_as_they_came(adapter: WeComAdapter, server: Platform) -> None:
    odd = [{"msgid": "m1", "text": {"content": "你好 😀"}, "unknown": [1, None, 2.5]}, {"no": "id"}, "no object", None]
    server.reply("kf/sync_msg", page(items=odd))
    items = (await adapter.pull("kf:wkA", "", "")).items
    assert [json.loads(item.body) for item in items] == odd
    assert items[0].dedupe_key == "m1"
    assert len({item.dedupe_key for item in items}) == 4


async def test_an_item_without_an_id_has_the_same_key_every_time(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", page(items=[{"b": 1}, {"msgid": "x" * 500}]))
    first, second = [await adapter.pull("kf:wkA", "", "") for _ in range(2)]
    assert [item.dedupe_key for item in first.items] == [item.dedupe_key for item in second.items]
    assert all(len(item.dedupe_key) <= 200 for item in first.items)


async def test_half_a_letter_in_an_item_is_survived(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", page(items=[{"msgid": "m\ud83d", "text": {"content": "\udc00"}}]))
    (item,) = (await adapter.pull("kf:wkA", "", "")).items
    item.dedupe_key.encode()
    adapter.parse(Raw("kf:wkA", item.body, NOW))


async def test_a_cursor_that_is_refused_starts_again(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", refused(50100), page("c9"))
    assert (await adapter.pull("kf:wkA", "too old", "T")).cursor == "c9"
    assert [call.json.get("cursor") for call in server.calls("kf/sync_msg")] == ["too old", None]
    assert [call.json["token"] for call in server.calls("kf/sync_msg")] == ["T", "T"]


async def test_a_token_that_ran_out_is_left_away(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", refused(95007), page("c9"))
    assert (await adapter.pull("kf:wkA", "c1", "old")).cursor == "c9"
    assert [call.json.get("token") for call in server.calls("kf/sync_msg")] == ["old", None]


async def test_both_may_have_run_out(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", refused(95007), refused(50100), page("c9"))
    assert (await adapter.pull("kf:wkA", "c1", "old")).cursor == "c9"


@pytest.mark.parametrize("errcode", [50100, 95007])
async def test_a_refusal_that_does_not_end_is_told(adapter: WeComAdapter, server: Platform, errcode: int) -> None:
    server.reply("kf/sync_msg", refused(errcode))
    with pytest.raises(Rejected):
        await adapter.pull("kf:wkA", "c1", "old")
    assert len(server.calls("kf/sync_msg")) <= 3


async def test_a_throttled_pull_is_tried_later(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/sync_msg", refused(45009))
    with pytest.raises(RetryLater):
        await adapter.pull("kf:wkA", "", "")


async def test_a_stream_of_nobody_is_rejected(adapter: WeComAdapter, server: Platform) -> None:
    with pytest.raises(Rejected, match="no_such_stream"):
        await adapter.pull("moments", "", "")
    assert server.asked == []


async def test_accounts_are_listed_over_pages(adapter: WeComAdapter, server: Platform) -> None:
    def entries(start: int, count: int) -> list[dict[str, Any]]:
        return [{"open_kfid": f"wk{n}", "name": f"客服{n}", "avatar": "a"} for n in range(start, start + count)]

    server.reply("kf/account/list", {"account_list": entries(0, 100)}, {"account_list": entries(100, 3)})
    accounts = await adapter.accounts()
    assert [account.external_id for account in accounts] == [f"wk{n}" for n in range(103)]
    assert [call.json["offset"] for call in server.calls("kf/account/list")] == [0, 100]


async def test_an_account_list_without_end_ends(adapter: WeComAdapter, server: Platform) -> None:
    server.reply("kf/account/list", {"account_list": [{"open_kfid": "wk"}] * 100})
    await adapter.accounts()
    assert len(server.calls("kf/account/list")) == 200


# Against the simulated platform


async def test_a_ring_leads_to_its_message(harness: WeComHarness) -> None:
    adapter = harness.connect()
    verified = adapter.verify(await harness.webhook("有人吗"))
    assert isinstance(verified, Verified)
    (ring,) = adapter.parse(Raw("webhook", verified.raw, NOW))
    assert isinstance(ring, PullRequested)
    assert ring.token
    (item,) = (await adapter.pull(ring.stream, "", ring.token)).items
    (message,) = adapter.parse(Raw(ring.stream, item.body, NOW))
    assert isinstance(message, MessageReceived)
    assert (message.text, message.contact.external_id) == ("有人吗", harness.customer)


async def test_a_ring_that_came_late_still_leads_to_its_message(harness: WeComHarness) -> None:
    adapter = harness.connect()
    verified = adapter.verify(await harness.webhook("有人吗"))
    assert isinstance(verified, Verified)
    (ring,) = adapter.parse(Raw("webhook", verified.raw, NOW))
    assert isinstance(ring, PullRequested)
    harness.advance(timedelta(minutes=11))
    assert len((await adapter.pull(ring.stream, "", ring.token)).items) == 1


async def test_a_callback_with_a_byte_order_mark_is_read(harness: WeComHarness) -> None:
    harness.play.byte_order_mark()
    adapter = harness.connect()
    verified = adapter.verify(await harness.webhook("有人吗"))
    assert isinstance(verified, Verified)
    (ring,) = adapter.parse(Raw("webhook", verified.raw, NOW))
    assert isinstance(ring, PullRequested)


async def test_many_messages_over_empty_pages_come_once_each(harness: WeComHarness) -> None:
    adapter = harness.connect()
    texts = [f"第{n}条" for n in range(2500)]
    harness.play.customers_say(harness.account, [[harness.customer, text] for text in texts])
    harness.play.empty_pages(harness.account, 3, page_cap=400)
    events = await harness.events(adapter)
    assert [event.text for event in events if isinstance(event, MessageReceived)] == texts


async def test_a_message_whose_ring_was_lost_is_found(harness: WeComHarness) -> None:
    adapter = harness.connect()
    harness.play.customer_sends(harness.account, harness.customer, "text", {"content": "没有响铃"}, ring=False)
    assert await adapter.streams() == [f"kf:{harness.account}"]
    (event,) = await harness.events(adapter)
    assert isinstance(event, MessageReceived)
    assert event.text == "没有响铃"
