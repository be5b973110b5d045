"""A manager writes a rule, a customer writes, and the team view shows who has it; a rep goes away; a chat is taken over."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually
from tests.flows.reads import conversation_of


async def choose(page: Page, place: str, option: str) -> None:
    await page.get_by_test_id(place).click()
    await page.locator(".n-base-select-option", has_text=option).first.click()


async def test_a_rule_assigns_and_the_team_view_tells(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")

    # Two rules and a promise, each from its page.
    await page.goto(f"{shop.address}/settings/rules")
    for name, action in (("老客户", "上次接待的坐席"), ("其余轮流", "轮流分配")):
        await page.get_by_test_id("add-assignment").click()
        await page.get_by_test_id("rule-name").locator("input").fill(name)
        await choose(page, "rule-action", action)
        await page.get_by_test_id("save-rule").click()
        await expect(page.get_by_test_id("rules-assignment")).to_contain_text(name)
    # The order changes by keys, and back.
    grips = page.locator(".grip")
    await grips.nth(1).focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("ol > li").first).to_contain_text("其余轮流")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("ol > li").first).to_contain_text("老客户")
    # What is deleted comes back.
    await page.locator("ol > li").first.get_by_role("button", name="删除").click()
    await expect(page.locator("ol > li")).to_have_count(1)
    await page.get_by_test_id("undo").click()
    await expect(page.locator("ol > li")).to_have_count(2)
    await page.get_by_test_id("try-out").click()
    await page.get_by_test_id("try-run").click()
    await expect(page.get_by_test_id("try-result")).to_contain_text(shop.rep.name)
    await page.keyboard.press("Escape")

    await page.goto(f"{shop.address}/settings/sla")
    await page.get_by_test_id("add-sla").click()
    await page.get_by_test_id("rule-name").locator("input").fill("五分钟")
    await page.get_by_test_id("save-rule").click()
    await expect(page.get_by_test_id("rules-sla")).to_contain_text("首次 5 分钟")

    # A customer writes: the rule gives it to the rep, whose list counts down.
    rep_page = await open_page(browser)
    await sign_in(rep_page, shop.address, "rep")
    await page.goto(f"{shop.address}/team")
    await expect(page.get_by_test_id("team")).to_be_visible()
    who = shop.customer("等待的客户")
    shop.wecom.control.customer_says(shop.kf, who, "有人在吗")

    async def assigned() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row and row["assignee_id"] == shop.rep.agent_id else None

    conversation_id = await eventually(assigned)
    row = rep_page.get_by_test_id(f"conversation-{conversation_id}")
    await expect(row.get_by_test_id("sla")).to_be_visible()
    await expect(page.get_by_test_id(f"waiting-{conversation_id}")).to_contain_text("等待的客户")
    await expect(page.get_by_test_id(f"rep-waiting-{shop.rep.agent_id}")).to_have_text("1")

    # The rep steps out: the manager sees it at once, and takes the chat over.
    await rep_page.get_by_test_id("me-menu").click()
    await rep_page.get_by_test_id("status-away").click()
    await expect(page.get_by_test_id(f"rep-{shop.rep.agent_id}")).to_contain_text("离开")
    await page.get_by_test_id(f"take-{conversation_id}").click()
    await expect(page.get_by_test_id(f"waiting-{conversation_id}")).to_contain_text(shop.manager.name)
    assert (
        await shop.services.db.fetchval("select assignee_id from conversation where id = $1", conversation_id)
        == shop.manager.agent_id
    )
    for one in (page, rep_page):
        assert errors_of(one.context) == []
