"""The socket is cut at random 100 times while 5,000 messages arrive from four writers; at the end the page holds what the
database holds."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from inbox.reply import Draft, reply
from scrm.errors import ApiError
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.browser.proxy import CuttingProxy
from tests.company import Company, eventually
from tests.flows.reads import broken_invariants

MESSAGES = 5000
CUTS = 100
PEOPLE = 12


@pytest.mark.timeout(900)
async def test_cut_a_hundred_times_and_equal_at_the_end(shop: Company, browser: Browser) -> None:
    chance = random.Random(7)
    target = urlsplit(shop.address)
    async with CuttingProxy(target.hostname or "", target.port or 0) as proxy:
        page = await open_page(browser)
        await sign_in(page, proxy.address, "manager")
        shoppers = [shop.shopper(f"抖音客户{n}") for n in range(PEOPLE)]
        customers = [shop.customer(f"微信客户{n}") for n in range(PEOPLE)]
        watched = await first_words(shop, shoppers)
        await page.get_by_test_id(f"conversation-{watched}").click()
        await page.get_by_test_id("messages").wait_for()

        writers = asyncio.gather(
            douyin_writer(shop, shoppers[: PEOPLE // 2], MESSAGES * 2 // 5, chance),
            douyin_writer(shop, shoppers[PEOPLE // 2 :], MESSAGES // 5, chance),
            wecom_writer(shop, customers, MESSAGES * 2 // 5 - 200, chance),
            rep_writer(shop, watched, 200),
        )
        while not writers.done() or proxy.cuts < CUTS:
            proxy.cut()
            await asyncio.sleep(chance.uniform(0.02, 0.3))
        await writers
        assert proxy.cuts >= CUTS
        await everything_understood(shop)
        assert await shop.services.db.fetchval("select count(*) from message") >= MESSAGES - 200
        assert await broken_invariants(shop.services.db) == []
        await eventually(lambda: equal(shop, page, watched), seconds=60, why=await differences(shop, page, watched))
        assert errors_of(page.context) == []


async def first_words(shop: Company, shoppers: list[str]) -> int:
    for who in shoppers:
        shop.douyin.control.write(who, shop.shop, "在吗")

    async def known() -> Any:
        return await shop.services.db.fetchval(
            "select v.id from conversation v join contact c on c.id = v.contact_id where c.external_id = $1",
            shoppers[0],
        )

    return int(await eventually(known))


async def douyin_writer(shop: Company, people: list[str], count: int, chance: random.Random) -> None:
    for n in range(count):
        shop.douyin.control.write(chance.choice(people), shop.shop, f"第 {n} 句")
        if n % 20 == 19:
            await shop.douyin.deliveries.settled(60)


async def wecom_writer(shop: Company, people: list[str], count: int, chance: random.Random) -> None:
    for n in range(0, count, 20):
        shop.wecom.control.customers_say(shop.kf, [[chance.choice(people), f"话 {n + k}"] for k in range(20)])
        await asyncio.sleep(0.1)


async def rep_writer(shop: Company, conversation_id: int, count: int) -> None:
    """Answers as far as the platform's window allows."""
    for n in range(count):
        draft = Draft(client_token=f"rep-token-{n:04}", text=f"回复 {n}")
        try:
            async with shop.services.work() as work:
                await reply(work, shop.rep, conversation_id, draft, shop.services.connections.capabilities)
        except ApiError:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.05)


async def everything_understood(shop: Company) -> None:
    async def quiet() -> bool:
        waiting = await shop.services.db.fetchval(
            "select (select count(*) from inbound_event where state = 'new') + (select count(*) from outbox) "
            "+ (select count(*) from pull_stream where rings > answered)"
        )
        return int(waiting) == 0

    await shop.douyin.deliveries.settled(60)
    await eventually(quiet, seconds=60)


async def model_of(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("window.__scrm.snapshot()")
    return found


async def equal(shop: Company, page: Any, watched: int) -> bool:
    return not await differences(shop, page, watched)


async def differences(shop: Company, page: Any, watched: int) -> str:
    """What the page holds against what the database holds: every conversation, every message of the open thread's loaded part,
    and the counts."""
    model = await model_of(page)
    wrong = []
    rows = await shop.services.db.fetch("select id, version, unread, last_seq, status, assignee_id from conversation")
    for row in rows:
        held = model["conversations"].get(str(row["id"]))
        if held is None or any(
            held[key] != row[key] for key in ("version", "unread", "last_seq", "status", "assignee_id")
        ):
            wrong.append(f"conversation {row['id']}: {held} is not {dict(row)}")
    thread = model["threads"].get(str(watched))
    if thread is None or not thread["messages"]:
        return f"the thread is not there; {wrong}"
    first = thread["messages"][0]["seq"]
    truth = await shop.services.db.fetch(
        "select id, seq, version, state, text from message where conversation_id = $1 and seq >= $2 order by seq",
        watched,
        first,
    )
    held_messages = [
        {key: one[key] for key in ("id", "seq", "version", "state", "text")} for one in thread["messages"] if one["id"]
    ]
    if held_messages != [dict(row) for row in truth]:
        wrong.append(f"thread: {len(held_messages)} messages held, {len(truth)} true")
    unread = sum(row["unread"] > 0 and row["status"] == "open" for row in rows)
    if model["counts"] is None or model["counts"]["all"]["unread"] != unread:
        wrong.append(f"counts {model['counts']}, truly unread: {unread}")
    return "; ".join(wrong[:5])
