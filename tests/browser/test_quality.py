"""Inspection in the browser: a sheet and a plan, drawn, scored beside the chat, appealed by the rep, decided by the manager."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import errors_of, open_page
from tests.company import PASSWORD, Company, eventually

SHOTS = os.environ.get("QUALITY_SHOTS", "")
SLOW = 60_000
"""What a loop of the service does is waited for; a busy machine takes its time."""


async def look(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def enter(page: Page, shop: Company, path: str, login: str) -> None:
    await page.goto(f"{shop.address}{path}")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()


async def a_talk(shop: Company) -> None:
    """A customer asked and the rep answered, today."""
    db, now = shop.services.db, datetime.now(UTC)
    rep = await db.fetchval("select id from agent where login = 'rep'")
    account = await db.fetchval("select id from account order by id limit 1")
    customer = await db.fetchval("insert into customer (name) values ('陈晓') returning id")
    contact = await db.fetchval(
        "insert into contact (connection_id, external_id, customer_id, name) "
        "select connection_id, 'wm-quality', $2, '陈晓' from account where id = $1 returning id", account, customer,
    )  # fmt: skip
    chat = await db.fetchval(
        "insert into conversation (account_id, contact_id, last_seq, version) values ($1, $2, 2, 2) returning id", account, contact
    )  # fmt: skip
    await db.execute(
        "insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sender_agent_id, sent_at) values "
        "($1, 1, 1, 'in', 'text', '这款面膜敏感肌能用吗', 'received', 'customer', null, $3), "
        "($1, 2, 2, 'out', 'text', '可以的，先在耳后试用', 'sent', 'agent', $2, $3)", chat, rep, now,
    )  # fmt: skip


async def test_a_chat_is_drawn_scored_appealed_and_decided(shop: Company, browser: Browser) -> None:
    await a_talk(shop)
    page = await open_page(browser)
    page.on("dialog", lambda dialog: dialog.accept())
    await enter(page, shop, "/audit/quality?tab=sheets", "manager")
    await page.get_by_test_id("new-sheet").click()
    await page.get_by_test_id("sheet-name").fill("售前咨询")
    await page.get_by_test_id("item-name-0").fill("解答准确")
    await page.get_by_test_id("item-points-0").fill("100")
    await page.get_by_test_id("sheet-save").click()
    await page.get_by_test_id("publish-1").click()
    await page.get_by_test_id("quality-tab-plans").click()
    await page.get_by_test_id("new-plan").click()
    await page.get_by_test_id("plan-name").fill("每日抽检")
    await page.get_by_test_id("plan-save").click()
    await expect(page.get_by_test_id("plan-due")).to_have_text("待评 0")
    await drawn(page, shop)
    await look(page, "plans")
    await page.get_by_test_id("quality-tab-todo").click()
    await page.get_by_test_id("sample-1").click()
    await expect(page.get_by_test_id("chat")).to_contain_text("先在耳后试用")
    await page.locator("[data-testid^=points-]").first.fill("60")
    await expect(page.get_by_test_id("score-total")).to_contain_text("60")
    await look(page, "score")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_test_id("sample-state")).to_have_text("已评分")

    rep = await open_page(browser)
    await enter(rep, shop, "/settings/quality", "rep")
    await expect(rep.get_by_test_id("result-1")).to_contain_text("60")
    await rep.get_by_test_id("appeal-1").click()
    await rep.get_by_test_id("appeal-reason").fill("客户已经在电话里说清楚")
    await rep.get_by_test_id("appeal-send").click()
    await expect(rep.get_by_test_id("result-1")).to_contain_text("申诉中")

    await page.reload()
    await expect(page.get_by_test_id("sample-state")).to_have_text("申诉中")
    await page.locator("[data-testid^=points-]").first.fill("90")
    await page.get_by_test_id("decide-note").fill("核对录音后改判")
    await look(page, "decide")
    await page.get_by_test_id("decide-change").click()
    await expect(page.get_by_test_id("sample-state")).to_have_text("已结案")
    await rep.reload()
    await expect(rep.get_by_test_id("result-1")).to_contain_text("已改判")
    await expect(rep.get_by_test_id("result-1")).to_contain_text("90")
    await look(rep, "mine")
    # Under the bell it says the same, and leads there.
    await rep.goto(f"{shop.address}/")
    await rep.get_by_test_id("bell").click()
    notice = rep.get_by_test_id("notices-panel").locator("[data-kind=quality_decided]")
    await expect(notice).to_contain_text("你的质检申诉有结果了：90%")
    await notice.click()
    await expect(rep.get_by_test_id("result-1")).to_be_visible()
    assert errors_of(page) == []
    assert errors_of(rep) == []

    await shop.services.db.execute("update agent set language = 'en'")
    phone = await open_page(browser, phone=True, language="en")
    await enter(phone, shop, "/settings/quality", "rep")
    await expect(phone.get_by_test_id("result-1")).to_contain_text("90")
    await enter_anew(phone, shop, "/audit/quality?tab=results", "manager")
    await expect(phone.get_by_test_id("quality-tab-results")).to_have_text("Results")
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The words of the same chats, once they are counted: how they sound.
    await eventually(lambda: shop.services.db.fetchval("select exists (select from word_day)"), seconds=60)
    await phone.goto(f"{shop.address}/audit/words?tab=mood")
    await expect(phone.get_by_test_id("mood")).to_contain_text("Pleased messages", timeout=SLOW)
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors_of(phone) == []


async def enter_anew(page: Page, shop: Company, path: str, login: str) -> None:
    await page.context.clear_cookies()
    await enter(page, shop, path, login)


async def drawn(page: Page, shop: Company) -> None:
    """Once the loop has added up who wrote what."""
    for _ in range(300):
        if await shop.services.db.fetchval("select exists (select from talk_day where agent_id > 0)"):
            break
        await page.wait_for_timeout(200)
    await page.get_by_test_id("draw-1").click()
    await page.get_by_test_id("draw-go").click()
    await expect(page.get_by_test_id("plan-due")).to_have_text("待评 1", timeout=SLOW)
