"""The platforms themselves fail: away for minutes, tokens that end early, storms of callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from inbox.reply import Draft, reply
from scrm.app import open_services, running
from scrm.clock import ShiftedClock
from scrm.config import Settings
from scrm.db import Row
from simulator.delivery import Mischief
from simulator.douyin.server import DouyinSimulator
from simulator.faults import Fault
from simulator.wecom.server import WecomSimulator
from tests.company import CORP, PATIENT, SECRET, Company, connect, eventually, fast, people, settle_in
from tests.flows.reads import broken_invariants, conversation_of, texts_of


@pytest.fixture
async def virtual(settings: Settings) -> AsyncIterator[tuple[Company, ShiftedClock]]:
    """A company that shares one clock with the platforms; moving it moves everybody."""
    clock = ShiftedClock()
    url = settings.database.url
    assert url is not None
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(WecomSimulator(clock=clock, settings=PATIENT))
        douyin = await stack.enter_async_context(DouyinSimulator(clock=clock))
        wecom.control.create_app(CORP, SECRET)
        services = await stack.enter_async_context(open_services(fast(settings), url.get_secret_value(), clock=clock))
        ids = await connect(services, wecom.base_url, douyin.base_url)
        address = await stack.enter_async_context(running(services, "all"))
        kf, shop = await settle_in(services, wecom, douyin, ids, address)
        rep, manager = await people(services)
        yield Company(services, address, wecom, douyin, *ids, kf, shop, rep, manager), clock


async def chat_of(shop: Company, who: str) -> int:
    async def there() -> Row | None:
        return await conversation_of(shop, who)

    row: Row = await eventually(there)
    return int(row["id"])


async def say(shop: Company, chat: int, text: str, token: str) -> int:
    async with shop.services.work() as work:
        draft = Draft(client_token=token, text=text)
        made, _ = await reply(work, shop.rep, chat, draft, shop.services.connections.capabilities)
    return made


async def state_of(shop: Company, message_id: int) -> str:
    return str(await shop.services.db.fetchval("select state from message where id = $1", message_id))


async def becomes(shop: Company, message_id: int, state: str, *, seconds: float = 20.0) -> None:
    async def reached() -> bool:
        return await state_of(shop, message_id) == state

    await eventually(reached, seconds=seconds, why=f"message {message_id} never became {state}")


def kf_received(shop: Company, who: str) -> list[object]:
    return [one.body.get("content") for one in shop.wecom.control.received(shop.kf, who)]


async def test_ten_minutes_without_the_platform(virtual: tuple[Company, ShiftedClock]) -> None:
    """A reply waits, what customers write waits at the platform, the administrator sees it; then all of it goes through once."""
    shop, clock = virtual
    who = shop.customer("买家")
    shop.wecom.control.customer_says(shop.kf, who, "在吗")
    chat = await chat_of(shop, who)
    away = shop.wecom.faults.add(Fault("drop", "/cgi-bin/*", times=None))
    refused = Fault("status", "/cgi-bin/*", times=None, code=502)
    message = await say(shop, chat, "在的", "token-first")
    shop.wecom.control.customer_says(shop.kf, who, "喂？")
    for minute in range(10):
        if minute == 5:
            shop.wecom.faults.clear()
            away = shop.wecom.faults.add(refused)
        hits = away.hits

        async def tried(away: Fault = away, hits: int = hits) -> bool:
            return away.hits > hits

        await eventually(tried)
        clock.advance(timedelta(minutes=1))
    assert await state_of(shop, message) in ("queued", "sending")
    assert await texts_of(shop, who) == ["在吗", "在的"]
    health = await shop.services.db.fetchrow("select * from connection_health where connection_id = $1", shop.wecom_id)
    assert health is not None
    assert health["last_error"]["zh"]
    shop.wecom.faults.clear()

    async def caught_up() -> bool:
        # The pauses between two tries have grown to minutes of the virtual clock.
        clock.advance(timedelta(seconds=30))
        return "喂？" in await texts_of(shop, who)

    await eventually(caught_up)
    await becomes(shop, message, "sent")
    assert kf_received(shop, who) == ["在的"]
    assert await broken_invariants(shop.services.db) == []


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_wecom_token_that_ends_early(virtual: tuple[Company, ShiftedClock], errcode: int) -> None:
    """It is dropped again and again while replies leave and messages are pulled: each arrives once, none fails."""
    shop, _ = virtual
    who = [shop.customer(f"买家{n}") for n in range(10)]
    for each in who:
        shop.wecom.control.customer_says(shop.kf, each, "在吗")
    chats = [await chat_of(shop, each) for each in who]
    sent = []
    for n, chat in enumerate(chats):
        shop.wecom.control.invalidate_token(CORP, errcode=errcode)
        sent += [await say(shop, chat, f"答{n}", f"token-{n:04d}")]
        shop.wecom.control.customer_says(shop.kf, who[n], "再问")
    for message in sent:
        await becomes(shop, message, "sent")
    for n, each in enumerate(who):
        assert kf_received(shop, each) == [f"答{n}"]

        async def arrived(each: str = each) -> bool:
            return (await texts_of(shop, each)).count("再问") == 1

        await eventually(arrived)


async def test_a_douyin_token_that_ended(virtual: tuple[Company, ShiftedClock]) -> None:
    """Nobody renewed it in time (all processes were down): the send renews it and goes through, once."""
    shop, clock = virtual
    clock.advance(timedelta(days=15, minutes=1))
    who = shop.shopper("买家")
    shop.douyin.control.write(who, shop.shop, "在吗")
    chat = await chat_of(shop, who)
    message = await say(shop, chat, "在的", "token-first")
    await becomes(shop, message, "sent")
    assert [one.fields.get("text") for one in shop.douyin.control.received(who, shop.shop)] == ["在的"]


async def test_a_storm_of_rings(shop: Company) -> None:
    """A thousand rings for two messages cost a few pulls, not a thousand."""
    who = shop.customer("买家")
    calls = shop.wecom.faults.add(Fault("delay", "/cgi-bin/kf/sync_msg", times=None, seconds=0.05))
    shop.wecom.control.customers_say(shop.kf, [[who, "第一句"], [who, "第二句"]])
    for _ in range(1000):
        shop.wecom.control.ring(shop.kf)
    await shop.wecom.deliveries.settled(30)

    async def pulled() -> bool:
        row = await shop.services.db.fetchrow(
            "select sum(rings - answered) as open, (select count(*) from inbound_event where state = 'new') as new "
            "from pull_stream"
        )
        return row is not None and row["open"] == 0 and row["new"] == 0

    await eventually(pulled, seconds=30)
    assert await texts_of(shop, who) == ["第一句", "第二句"]
    assert shop.wecom.deliveries.given_up == 0
    assert calls.hits < 300, "rings that come during a pull are answered together"


async def test_a_storm_of_duplicates_out_of_order(shop: Company) -> None:
    """Ten people, thirty messages each, every one of them ten times, in groups of six backwards."""
    people = [shop.shopper(f"买家{n}") for n in range(10)]
    shop.douyin.deliveries.add(Mischief("duplicate", "im_receive_msg", times=150, copies=10))
    shop.douyin.deliveries.add(Mischief("reorder", "im_receive_msg", times=150))
    for n in range(30):
        for who in people:
            shop.douyin.control.write(who, shop.shop, f"第{n}句")
    await shop.douyin.deliveries.settled(60)

    async def handled() -> bool:
        return not await shop.services.db.fetchval("select exists (select from inbound_event where state = 'new')")

    await eventually(handled, seconds=30)
    for who in people:
        assert sorted(await texts_of(shop, who)) == sorted(f"第{n}句" for n in range(30))
    assert await broken_invariants(shop.services.db) == []


async def test_a_platform_that_hangs_does_not_hold_up_the_other(shop: Company) -> None:
    """Sends to Douyin get no answer at all; replies to WeCom leave meanwhile."""
    hanging = shop.douyin.faults.add(Fault("hang", "/im/send/msg/", times=None))
    shoppers = [shop.shopper(f"买家{n}") for n in range(20)]
    for who in shoppers:
        shop.douyin.control.write(who, shop.shop, "在吗")
    for n, who in enumerate(shoppers):
        await say(shop, await chat_of(shop, who), "在的", f"token-d{n:04d}")
    customer = shop.customer("客户")
    shop.wecom.control.customer_says(shop.kf, customer, "在吗")
    chat = await chat_of(shop, customer)

    async def stuck() -> bool:
        return hanging.hits >= 5

    await eventually(stuck)
    message = await say(shop, chat, "您好", "token-kf01")
    await becomes(shop, message, "sent", seconds=10)
    assert kf_received(shop, customer) == ["您好"]
    shop.douyin.faults.clear()
