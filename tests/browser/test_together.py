"""Two browsers on one conversation, and a third that may not see it."""

from __future__ import annotations

import time
from typing import Any

import orjson
from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent, create_team
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import PASSWORD, Company, eventually
from tests.flows.reads import broken_invariants, conversation_of

SECOND = 1000
"""What another sees is seen within this many milliseconds."""


def frames_of(page: Page) -> list[dict[str, Any]]:
    """Everything that arrives on the page's sockets from now on."""
    frames: list[dict[str, Any]] = []

    def note(payload: str | bytes) -> None:
        frames.append(orjson.loads(payload))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    return frames


async def within_a_second(check: Any) -> None:
    began = time.monotonic()
    await check
    assert time.monotonic() - began < SECOND / 1000


async def conversation_with(shop: Company, who: str) -> int:
    async def found() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    made: int = await eventually(found)
    return made


async def a_team(shop: Company) -> int:
    """The rep is in the team of the account; Sun, another rep, is not."""
    async with shop.services.work() as work:
        team = await create_team(work, "售前组")
        outside = await create_agent(work, login="outside", name="孙丽", role="rep", password=PASSWORD)
        await work.tx.execute("insert into team_member (team_id, agent_id) values ($1, $2)", team, shop.rep.agent_id)
        await work.tx.execute("update account set team_id = $1 where external_id = $2", team, shop.kf)
    return outside


async def test_two_work_on_one_conversation_and_a_third_hears_nothing(shop: Company, browser: Browser) -> None:
    await a_team(shop)
    rep, manager, third = [await open_page(browser) for _ in range(3)]
    heard = frames_of(third)
    for page, login in ((rep, "rep"), (manager, "manager"), (third, "outside")):
        await sign_in(page, shop.address, login)
    who = shop.customer("陈立群")
    shop.wecom.control.customer_says(shop.kf, who, "护眼灯多少钱？")
    conversation_id = await conversation_with(shop, who)
    for page in (rep, manager):
        await page.get_by_test_id(f"conversation-{conversation_id}").click()
        await expect(page.get_by_test_id("messages")).to_contain_text("护眼灯多少钱？")

    # Each sees that the other looks, and writes.
    await expect(rep.get_by_test_id("viewers")).to_contain_text("王经理")
    await expect(manager.get_by_test_id("viewers")).to_contain_text("李婷")
    await rep.get_by_test_id("composer-text").press_sequentially("您好")
    await within_a_second(expect(manager.get_by_test_id("typing")).to_contain_text("李婷", timeout=SECOND))

    # An assignment is seen by both.
    await manager.get_by_test_id("assign").click()
    await manager.get_by_test_id(f"assign-{shop.rep.agent_id}").click()
    await within_a_second(expect(rep.get_by_test_id("owner")).to_contain_text("我", timeout=SECOND))
    await expect(manager.get_by_test_id("owner")).to_contain_text("李婷", timeout=SECOND)

    # Both have an answer ready. The first one goes; the second is stopped, shown what was said, and decides.
    await manager.get_by_test_id("composer-text").fill("399 元")
    await rep.get_by_test_id("composer-text").fill("349 元，今天有券")
    await rep.get_by_test_id("send").click()
    await within_a_second(
        expect(manager.get_by_test_id("messages")).to_contain_text("349 元，今天有券", timeout=SECOND)
    )
    await manager.get_by_test_id("send").click()
    stopped = manager.get_by_test_id("collision")
    await expect(stopped).to_contain_text("李婷")
    await expect(stopped).to_contain_text("349 元，今天有券")
    await stopped.get_by_test_id("discard").click()
    await expect(manager.get_by_test_id("collision")).to_have_count(0)

    async def one_answer() -> bool:
        return [one.body["content"] for one in shop.wecom.control.received(shop.kf, who)] == ["349 元，今天有券"]

    await eventually(one_answer)

    # One leaves: the other sees it.
    await manager.goto(f"{shop.address}/settings/me")
    await expect(rep.get_by_test_id("viewers")).to_have_count(0)

    # The third one was connected all the time, and heard of nothing.
    await third.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    assert any(one["type"] == "counts" for one in heard)
    assert {one["type"] for one in heard} <= {
        "hello",
        "counts",
        "pong",
        "accounts",
        "labels",
        "notifications",
        "attendance",
    }
    assert "护眼灯" not in repr(heard)
    assert "李婷" not in repr([one for one in heard if one["type"] != "attendance"])
    for page in (rep, manager, third):
        assert errors_of(page.context) == []
    assert await broken_invariants(shop.services.db) == []


async def test_a_note_calls_a_colleague_who_takes_over(shop: Company, browser: Browser) -> None:
    outside_id = await a_team(shop)
    rep, outside = [await open_page(browser) for _ in range(2)]
    await sign_in(rep, shop.address, "rep")
    await sign_in(outside, shop.address, "outside")
    who = shop.customer("周航")
    shop.wecom.control.customer_says(shop.kf, who, "能开专票吗？")
    conversation_id = await conversation_with(shop, who)
    await rep.get_by_test_id(f"conversation-{conversation_id}").click()
    await rep.get_by_test_id("assign").click()
    await rep.get_by_test_id("assign-me").click()
    await expect(rep.get_by_test_id("owner")).to_contain_text("我")

    # Handed over with a word: the other one is told wherever they are, and did not see the conversation before.
    await rep.get_by_test_id("assign").click()
    await rep.get_by_test_id(f"transfer-{outside_id}").click()
    await rep.get_by_test_id("transfer-note").fill("发票的事请你看看")
    await rep.get_by_test_id("transfer-ask").click()
    await expect(rep.get_by_test_id("transfer-bar")).to_contain_text("孙丽")
    popup = outside.get_by_test_id("popup")
    await expect(popup).to_contain_text("李婷")
    await expect(popup).to_contain_text("发票的事请你看看")
    await expect(outside.get_by_test_id("bell-count")).to_have_text("1")
    await popup.get_by_role("button").first.click()
    await expect(outside.get_by_test_id("transfer-bar")).to_contain_text("发票的事请你看看")
    await outside.get_by_test_id("transfer-accept").click()
    await expect(rep.get_by_test_id("owner")).to_contain_text("孙丽")
    await expect(outside.get_by_test_id("bell-count")).to_have_count(0)

    # Put off until tomorrow, it leaves the list; the customer's next message brings it back.
    await outside.get_by_test_id("snooze").click()
    await outside.get_by_test_id("snooze-morning").click()
    await expect(outside.get_by_test_id("asleep")).to_be_visible()
    shop.wecom.control.customer_says(shop.kf, who, "在吗")
    await expect(outside.get_by_test_id("asleep")).to_have_count(0)

    # All of it is told in order.
    await outside.get_by_test_id("more").click()
    await outside.get_by_test_id("open-history").click()
    told = outside.get_by_test_id("history").locator("li.one")
    await expect(told.first).to_be_visible()
    kinds = await told.evaluate_all("(all) => all.map((one) => one.dataset.kind)")
    steps = [kind for kind in reversed(kinds) if kind in ("transfer_asked", "transfer_accepted", "snoozed", "woke")]
    assert steps == ["transfer_asked", "transfer_accepted", "snoozed", "woke"]
    for page in (rep, outside):
        assert errors_of(page.context) == []


async def test_a_long_conversation_is_searched_and_read_from_the_middle(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    who = shop.customer("赵敏")
    shop.wecom.control.customer_says(shop.kf, who, "第 1 句")
    conversation_id = await conversation_with(shop, who)
    db = shop.services.db
    await db.execute(
        "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sent_at) "
        "select $1, n, n, 'in', 'text', case when n % 100 = 50 then '灯罩裂了 ' else '第 ' end || n || ' 句', 'received', "
        "'customer', now() - (interval '1 minute' * (400 - n)) from generate_series(2, 400) n",
        conversation_id,
    )
    await db.execute(
        "update conversation set last_seq = 400, version = version + 400, unread = 0, read_seq = 400 where id = $1",
        conversation_id,
    )
    await page.goto(f"{shop.address}/inbox/{conversation_id}?view=all")
    messages = page.get_by_test_id("messages")
    await expect(messages).to_contain_text("第 400 句")

    # From place to place, each in sight and marked, the newest first.
    await page.get_by_test_id("more").click()
    await page.get_by_test_id("open-find").click()
    await page.get_by_test_id("thread-find").fill("灯罩裂了")
    await expect(page.get_by_test_id("thread-find-place")).to_have_text("1 / 4")
    await expect(messages.locator("mark").first).to_be_in_viewport()
    for place, text in (("2 / 4", "250 句"), ("3 / 4", "150 句"), ("4 / 4", "50 句")):
        await page.get_by_test_id("thread-find-older").click()
        await expect(page.get_by_test_id("thread-find-place")).to_have_text(place)
        await expect(messages.get_by_text(text, exact=False).first).to_be_in_viewport()
    await page.get_by_test_id("thread-find").press("Escape")

    # What arrives meanwhile does not tear the window open; it goes on downwards, and back to the end in one step.
    shop.wecom.control.customer_says(shop.kf, who, "还在等")
    held = await page.evaluate("(id) => window.__scrm.snapshot().threads[id]", conversation_id)
    assert held["has_before"] is True or held["messages"][0]["seq"] == 1
    seqs = [one["seq"] for one in held["messages"]]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert held["has_after"] is True
    await page.get_by_test_id("to-end").click()
    await expect(messages.get_by_text("还在等")).to_be_in_viewport()

    async def level() -> bool:
        now = await page.evaluate("(id) => window.__scrm.snapshot().threads[id]", conversation_id)
        last = await db.fetchval("select last_seq from conversation where id = $1", conversation_id)
        return bool(not now["has_after"] and now["messages"][-1]["seq"] == last)

    await eventually(level)
    assert errors_of(page.context) == []
