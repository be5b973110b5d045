"""A manager says why before a chat of somebody else opens; the auditor finds it in the trail."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from scrm.privacy import PRIVACY, Privacy
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually

OUT = os.environ.get("TRAIL_SHOTS")


async def shot(page: Page, name: str) -> None:
    """For looking at: only where somebody asks for it."""
    if OUT:
        await page.wait_for_timeout(500)
        await page.screenshot(path=str(Path(OUT) / f"{name}.png"))


async def test_why_is_asked_once_and_found_in_the_trail(shop: Company, browser: Browser) -> None:
    who = shop.customer("周航")
    shop.wecom.control.customer_says(shop.kf, who, "发票什么时候能开？")
    db = shop.services.db

    async def there() -> int | None:
        found: int | None = await db.fetchval("select id from conversation")
        return found

    conversation = await eventually(there)
    await db.execute("update conversation set assignee_id = (select min(id) from agent where login <> 'manager')")
    await db.execute("update agent set role = 'admin' where login = 'manager'")
    async with shop.services.work() as work:
        await PRIVACY.save(work, Privacy(reasons=("chats",), watermark=("audit",)), by=None)
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/inbox/{conversation}?view=all")
    dialog = page.get_by_test_id("reason-dialog")
    await expect(dialog).to_be_visible()
    await shot(page, "reason")
    await page.get_by_test_id("reason-words").fill("核对客户投诉")
    await page.get_by_test_id("reason-save").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_test_id("thread").get_by_text("发票什么时候能开？")).to_be_visible()
    await page.goto(f"{shop.address}/audit/trail")
    lines = page.get_by_test_id("trail")
    await page.get_by_test_id("trail-text").fill("核对客户投诉")
    await page.get_by_test_id("trail-text").press("Enter")
    await expect(lines.locator("li")).to_have_count(1)
    await expect(lines.locator("[data-action='reason.given']")).to_contain_text("核对客户投诉")
    await expect(page.get_by_test_id("watermark")).to_have_attribute("aria-hidden", "true")
    await shot(page, "trail")
    await page.get_by_test_id("audit-retention").click()
    await page.get_by_test_id("add-retention-rule").click()
    await page.get_by_test_id("retention-try").click()
    await expect(page.get_by_test_id("retention-preview")).to_be_visible()
    await shot(page, "retention-rule")
    await page.keyboard.press("Escape")
    await shot(page, "retention")
    assert errors_of(page.context) == []

    await db.execute("update agent set language = 'en' where login = 'manager'")
    phone = await open_page(browser, phone=True, language="en")
    await sign_in(phone, shop.address, "manager")
    await phone.goto(f"{shop.address}/audit/trail")
    await expect(phone.get_by_test_id("trail").locator("[data-action='reason.given']").first).to_contain_text(
        "gave a reason"
    )
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors_of(phone.context) == []
