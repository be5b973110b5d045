"""The content library: written, approved by a second person, used in a campaign, changed, and seen on a phone."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.browser.test_sop import enter
from tests.company import PASSWORD, Company

SHOTS = os.environ.get("CONTENT_SHOTS", "")


async def look(page: Page, name: str) -> None:
    if SHOTS:
        await page.wait_for_timeout(700)
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def test_written_approved_used_and_changed(shop: Company, browser: Browser) -> None:
    async with shop.services.work() as work:
        await create_agent(work, login="boss", name="王总", role="admin", password=PASSWORD)
    page = await open_page(browser)
    await enter(page, shop, "/campaigns", "manager")
    await page.get_by_test_id("tab-library").click()
    await expect(page.get_by_text("内容库还是空的")).to_be_visible()
    await page.get_by_test_id("make-content").click()
    await page.get_by_test_id("content-name").fill("双十二通用")
    await page.locator("textarea").first.fill("双十二全场八折，周五前下单包安装。")
    await page.get_by_test_id("content-expires").fill("2199-12-31")
    await look(page, "editor")
    await page.get_by_test_id("keep-content").click()
    await expect(page.get_by_test_id("content-state")).to_have_text("待审批")
    # Nobody approves what they wrote.
    await expect(page.get_by_test_id("approve-content")).to_have_count(0)
    await expect(page.get_by_test_id("use-content")).to_have_count(0)

    boss = await open_page(browser, phone=True, language="en")
    await shop.services.db.execute("update agent set language = 'en' where login = 'boss'")
    await enter(boss, shop, "/campaigns/library", "boss")
    await expect(boss.get_by_text("To approve")).to_be_visible()
    await look(boss, "list-phone")
    await boss.get_by_text("双十二通用").click()
    await boss.get_by_test_id("approve-content").click()
    await expect(boss.get_by_test_id("content-state")).to_have_text("Usable")
    await look(boss, "content-phone")

    await page.goto(f"{shop.address}/campaigns/new")
    await page.get_by_test_id("open-pick").click()
    await look(page, "pick")
    await page.get_by_role("button", name="选用 双十二通用").click()
    await expect(page.locator("textarea").first).to_have_value("双十二全场八折，周五前下单包安装。")

    await page.goto(f"{shop.address}/campaigns/library")
    await page.get_by_test_id("usable-only").check()
    await page.get_by_text("双十二通用").click()
    await expect(page.get_by_text("1 个群发正在使用")).to_be_visible()
    await page.get_by_test_id("edit-content").click()
    await page.locator("textarea").first.fill("双十二全场七折，周五前下单包安装。")
    await page.get_by_test_id("keep-content").click()
    await expect(page.get_by_test_id("version-2")).to_contain_text("还没有审批")
    await expect(page.get_by_test_id("version-1")).to_contain_text("群发使用这一版")
    await expect(page.get_by_test_id("difference")).to_have_text("双十二全场八七折，周五前下单包安装。")
    await look(page, "content")
    await page.get_by_test_id("remove-content").click()
    await expect(page.get_by_text("没有符合的内容").or_(page.get_by_text("内容库还是空的"))).to_be_visible()
    assert errors_of(page.context) == []
    assert errors_of(boss.context) == []
