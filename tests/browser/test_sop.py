"""A follow-up plan: written down the line, switched on, done by a rep on a phone, counted."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from customers.tags import change_tags
from tests.browser.conftest import errors_of, open_page
from tests.company import PASSWORD, Company

SHOTS = os.environ.get("SOP_SHOTS", "")
SLOW = 60_000
"""What a loop of the service does is waited for; a busy machine takes its time."""


async def look(page: Page, name: str) -> None:
    if not SHOTS:
        return
    await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))
    await page.emulate_media(color_scheme="dark")
    await page.screenshot(path=str(Path(SHOTS) / f"{name}-dark.png"))
    await page.emulate_media(color_scheme="light")


async def enter(page: Page, shop: Company, path: str, login: str) -> None:
    await page.goto(f"{shop.address}{path}")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()


async def tagged_customer(shop: Company) -> int:
    """A customer of the rep's with the tag 意向客户."""
    db = shop.services.db
    rep = await db.fetchval("select id from agent where login = 'rep'")
    group = await db.fetchval("insert into tag_group (name) values ('意向') returning id")
    tag = await db.fetchval("insert into tag (tag_group_id, name) values ($1, '意向客户') returning id", group)
    customer = int(await db.fetchval("insert into customer (name, owner_id) values ('陈晓', $1) returning id", rep))
    async with shop.services.work() as work:
        await change_tags(work, None, [customer], [tag], [])
    return customer


async def test_a_plan_is_written_switched_on_done_and_counted(shop: Company, browser: Browser) -> None:
    customer = await tagged_customer(shop)
    page = await open_page(browser)
    await enter(page, shop, "/campaigns", "manager")
    await page.get_by_test_id("tab-sops").click()
    await look(page, "empty")
    await page.get_by_test_id("make-sop").click()
    await page.get_by_test_id("sop-name").fill("意向客户三天跟进")
    await page.get_by_test_id("start-tag").click()
    await page.get_by_role("button", name="标签: 请选择").click()
    await page.get_by_role("checkbox", name="意向客户").check()
    await page.keyboard.press("Escape")
    await page.get_by_test_id("step-delay-0").click()
    await page.get_by_test_id("step-minutes-0").fill("0")
    await page.get_by_test_id("step-title-0").fill("问候并介绍自己")
    await page.get_by_test_id("step-words-0").fill("{{customer.name}}，您好，我是{{agent.name}}。")
    await page.get_by_test_id("add-step").click()
    await page.get_by_test_id("step-message-1").click()
    await page.get_by_test_id("step-days-1").fill("3")
    await page.get_by_test_id("step-title-1").fill("发送案例")
    await page.get_by_test_id("step-words-1").fill("给您发一份案例，方便时看看。")
    # At whatever hour this test runs.
    await page.get_by_role("checkbox", name="免打扰").uncheck()
    await look(page, "editor")
    await page.get_by_test_id("sop-save").click()
    await expect(page.get_by_test_id("sop-state")).to_have_text("未启用")
    await page.get_by_test_id("sop-enable").click()
    await page.get_by_test_id("also-matching").check()
    await look(page, "enable")
    await page.get_by_test_id("enable-now").click()
    await expect(page.get_by_test_id("sop-state")).to_have_text("已启用")
    await expect(page.get_by_test_id("sop-people").get_by_role("listitem")).to_have_count(1, timeout=SLOW)
    await expect(page.get_by_test_id("result-0")).to_contain_text("任务 1", timeout=SLOW)
    await look(page, "panel")

    phone = await open_page(browser, phone=True, language="en")
    await phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await shop.services.db.execute("update agent set language = 'en' where login = 'rep'")
    await enter(phone, shop, f"/customers/{customer}", "rep")
    await phone.get_by_test_id("customer-tab-follow").click()
    plans = phone.get_by_test_id("customer-sops")
    await expect(plans).to_contain_text("Step 2 of 2")
    await expect(phone.get_by_test_id("open-tasks")).to_contain_text("陈晓，您好，我是李婷。")
    await look(phone, "customer")
    await phone.get_by_test_id("open-tasks").get_by_test_id("task-copy-words").click()
    await expect(phone.get_by_text("Copied").first).to_be_visible()
    assert await phone.evaluate("navigator.clipboard.readText()") == "陈晓，您好，我是李婷。"
    await phone.get_by_test_id("sop-stop").click()
    await expect(plans).to_contain_text("Earlier plans")

    await page.goto(f"{shop.address}/sops")
    await expect(page.locator("[data-testid^=sop-]").first).to_contain_text("意向客户三天跟进")
    await look(page, "list")
    await page.get_by_text("意向客户三天跟进").click()
    await page.get_by_test_id("count-stopped").click()
    await expect(page.get_by_test_id("sop-people")).to_contain_text("手动停止")
    if SHOTS:
        for name, path in {"list": "/sops", "panel": "/sops/1", "editor": "/sops/1/edit"}.items():
            await shop.services.db.execute("update agent set language = 'en' where login = 'manager'")
            for width in (390, 1100):
                await page.set_viewport_size({"width": width, "height": 900})
                await page.goto(f"{shop.address}{path}")
                await page.wait_for_timeout(1500)
                await look(page, f"{name}-{width}")
    assert not [*errors_of(page.context), *errors_of(phone.context)]
