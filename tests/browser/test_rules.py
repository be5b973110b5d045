"""The life of an alert: a rule is written and tried, somebody says its word, the alert comes by itself, is taken, settled, taken back and put
away as a false alarm that its rule learns from."""

from __future__ import annotations

import re

from playwright.async_api import Browser, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.company import PASSWORD, Company
from tests.http.site import Site, eventually


async def test_the_life_of_an_alert(shop: Company, browser: Browser) -> None:
    async with shop.services.work() as work:
        await create_agent(work, login="checker", name="质检小何", role="auditor", password=PASSWORD)
    page = await open_page(browser)
    await page.goto(f"{shop.address}/audit/rules")
    await page.get_by_test_id("login").fill("checker")
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("add-rule").click()
    await page.get_by_test_id("rule-name").fill("价格承诺")
    await page.get_by_test_id("rule-severity").select_option("high")
    await page.get_by_test_id("rule-words").fill("最低价\n/(/")
    await page.get_by_test_id("rule-save").click()
    await expect(page.get_by_test_id("rule-failure")).to_be_visible()
    await page.get_by_test_id("rule-words").fill("最低价\n返*现")
    await page.get_by_test_id("rule-save").click()
    await expect(page.get_by_test_id("rules")).to_contain_text("2 个词")
    await page.get_by_test_id("test-text").fill("我们保证最低价")
    await expect(page.get_by_test_id("test-finds").get_by_role("mark")).to_have_text("最低价")

    # From now on somebody listens.
    place = Site(shop.services, shop.address, [])
    conversation = await place.conversation(
        await place.account(await shop.services.db.fetchval("select min(id) from connection"))
    )
    watched = "select exists (select from reading_place where name = 'audit_rules')"
    await eventually(lambda: shop.services.db.fetchval(watched))
    await page.get_by_test_id("audit-alerts").click()
    for text in ("放心，给您最低价", "给您返点现", "不承诺最低价"):
        await place.says(conversation, text, direction="out")
    await expect(page.get_by_test_id("fresh-alerts")).to_be_visible()
    await page.get_by_test_id("fresh-alerts").click()
    rows = page.get_by_test_id("alerts").get_by_role("listitem")
    await expect(rows).to_have_count(3)
    await expect(page.get_by_test_id("alert-count")).to_have_text("3")

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.get_by_test_id("around")).to_contain_text("给您返点现")
    await page.keyboard.press("t")
    await expect(page.get_by_test_id("alert-state")).to_have_text("处理中")
    await page.keyboard.press("e")
    await page.get_by_test_id("settle-note").fill("已和员工谈过")
    await page.get_by_test_id("settle-save").click()
    await expect(rows).to_have_count(2)
    await page.get_by_test_id("undo").click()
    await expect(rows).to_have_count(3)

    await rows.filter(has_text="不承诺").get_by_role("button").click()
    await page.get_by_test_id("dismiss").click()
    await page.get_by_test_id("tune-phrase").check()
    await expect(page.get_by_test_id("tune-text")).to_have_value("不承诺最低价")
    await page.get_by_test_id("dismiss-save").click()
    await expect(rows).to_have_count(2)
    await page.get_by_test_id("alerts-dismissed").click()
    await expect(rows).to_have_count(1)
    await rows.first.get_by_role("button").click()
    await expect(page.get_by_test_id("alert-pane")).to_contain_text("标为误报")
    await page.get_by_test_id("alert-chat").click()
    await expect(page).to_have_url(re.compile(rf"/audit\?conversation={conversation}&seq=3"))
    await page.get_by_test_id("audit-audit-rules").click()
    await expect(page.get_by_test_id("precision")).to_have_text("准确率 0%")
    assert await shop.services.db.fetchval("select data -> 'exceptions' from audit_rule") == ["不承诺最低价"]
    assert not errors_of(page.context)

    await shop.services.db.execute("update agent set language = 'en' where login = 'checker'")
    phone = await open_page(browser, phone=True, language="en")
    await phone.goto(f"{shop.address}/audit/alerts")
    await phone.get_by_test_id("login").fill("checker")
    await phone.get_by_test_id("password").fill(PASSWORD)
    await phone.get_by_test_id("sign-in").click()
    await expect(phone.get_by_test_id("alerts").get_by_role("listitem")).to_have_count(2)
    await phone.get_by_test_id("alerts").get_by_role("listitem").first.get_by_role("button").click()
    await expect(phone.get_by_test_id("alert-state")).to_have_text("Taken")
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not errors_of(phone.context)
