"""A list of numbers: previewed, given out, added by hand on a phone, counted."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.company import PASSWORD, Company

LIST = "姓名,手机\n王芳,13812345670\n李强,13812345671\n王芳,13812345670\n没有号码"
SHOTS = os.environ.get("INVITE_SHOTS", "")


async def look(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def enter(page: Page, shop: Company, path: str, login: str) -> None:
    await page.goto(f"{shop.address}{path}")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()


async def test_a_list_is_given_out_added_by_hand_and_counted(shop: Company, browser: Browser) -> None:
    async with shop.services.work() as work:
        await create_agent(work, login="planner", name="主管小周", role="manager", password=PASSWORD)
        await create_agent(work, login="adder", name="销售小林", role="rep", password=PASSWORD)
    # Far from the company: most of the day another date stands on this browser's wall.
    page = await open_page(browser, zone="Pacific/Honolulu")
    await enter(page, shop, "/invites", "planner")
    await page.get_by_test_id("new-batch").click()
    await page.get_by_test_id("batch-name").fill("六月老客")
    await page.get_by_test_id("batch-text").fill(LIST)
    await page.get_by_test_id("batch-greeting").fill("{{customer.name}}您好，我是{{agent.name}}")
    await page.get_by_role("checkbox", name="销售小林").check()
    await expect(page.get_by_test_id("store")).to_be_disabled()
    await page.get_by_test_id("look").click()
    preview = page.get_by_test_id("batch-preview")
    await expect(preview).to_contain_text("共 4 行，将分配 2 个")
    await expect(preview).to_contain_text("不分配：名单内重复")
    await look(page, "new")
    await page.get_by_test_id("store").click()
    await expect(page.get_by_test_id("count-open")).to_have_text("2")
    # The list may begin on a day off; what was left of an earlier day is there on any.
    await shop.services.db.execute("update invite set day = day - 30")

    phone = await open_page(browser, phone=True, language="en")
    await phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await shop.services.db.execute("update agent set language = 'en' where login = 'adder'")
    await enter(phone, shop, "/invites/today", "adder")
    rows = phone.get_by_test_id("invites-today").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("王芳您好，我是销售小林")
    await look(phone, "today")
    await rows.first.get_by_test_id("copy-phone").click()
    await expect(phone.get_by_text("Copied").first).to_be_visible()
    assert await phone.evaluate("navigator.clipboard.readText()") == "+8613812345670"
    await rows.first.get_by_test_id("say-sent").click()
    await expect(phone.get_by_test_id("invites-progress")).to_contain_text("1 of 2 today")
    await look(phone, "today-after")

    await page.reload()
    await expect(page.get_by_test_id("count-sent")).to_have_text("1")
    await expect(page.get_by_test_id("batch-number")).to_have_count(2)
    await look(page, "detail")
    assert await shop.services.db.fetchval("select count(*) from audit_event where action = 'invite.copied'") == 1
    assert not [*errors_of(page.context), *errors_of(phone.context)]
