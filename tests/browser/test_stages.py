"""Stages, tags and reports in a browser: what managers set up, the board by mouse, finger and keys, and the reports; in both languages."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from customers.stage_settings import add_defaults
from customers.stages import move
from customers.tags import change_tags
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually

SEEN = os.environ.get("SCREENSHOTS")
"""A folder, for whoever wants to look at the pages."""
NAMES = ("陈静", "刘伟", "张敏", "Anna Schmidt", "赵磊", "黄丽", "周强", "吴芳", "徐洋", "孙悦")


async def look(page: Page, name: str) -> None:
    if SEEN:
        await page.wait_for_timeout(400)
        await page.screenshot(path=str(Path(SEEN) / f"{name}.png"))


async def furnish(shop: Company) -> dict[str, Any]:
    """Stages, tags, and ten customers on their way over the last weeks."""
    services = shop.services
    now = services.clock.now()
    async with services.work() as work:
        await add_defaults(work, None, "zh-CN")
        stages = {row["name"]: row["id"] for row in await work.tx.fetch("select id, name from stage")}
        tags: dict[str, int] = {}
        for group, color, exclusive, names in (
            ("等级", "orange", True, ("高端", "普通")),
            ("兴趣", "teal", False, ("亲子", "海岛")),
        ):
            made = await work.tx.fetchval(
                "insert into tag_group (name, color, exclusive) values ($1, $2, $3) returning id",
                group,
                color,
                exclusive,
            )
            for name in names:
                tags[name] = await work.tx.fetchval(
                    "insert into tag (tag_group_id, name) values ($1, $2) returning id", made, name
                )
        ids = []
        for n, name in enumerate(NAMES):
            ids.append(
                await work.tx.fetchval(
                    "insert into customer (name, company, city, source, owner_id, value_fen, created_at) "
                    "values ($1, $2, $3, $4, $5, $6, $7) returning id",
                    name, "云南旅行社" if n % 3 == 0 else "", ("昆明", "上海", "")[n % 3], ("展会", "抖音留资", "")[n % 3],
                    shop.rep.agent_id, (n + 1) * 123_400, now - timedelta(days=2 * n),
                )
            )  # fmt: skip
        await change_tags(work, None, ids[::2], [tags["高端"], tags["亲子"]], [])
    for name, some in (("新客", ids), ("意向", ids[:7]), ("报价", ids[:5]), ("合同", ids[:3]), ("成交", ids[:2])):
        async with services.work() as work:
            await move(work, None, some, stages[name])
    return {"stages": stages, "tags": tags, "ids": ids}


async def column_of(shop: Company, customer: int) -> str:
    found: str = await shop.services.db.fetchval(
        "select s.name from customer u join stage s on s.id = u.stage_id where u.id = $1", customer
    )
    return found


async def test_a_card_is_dragged_moved_by_keys_and_taken_back(shop: Company, browser: Browser) -> None:
    made = await furnish(shop)
    page = await open_page(browser)
    await sign_in(page, shop.address, shop.rep.login)
    await page.goto(f"{shop.address}/customers/board")
    stages, one = made["stages"], made["ids"][9]
    card = page.get_by_test_id(f"card-{one}")
    await look(page, "board-1440-zh")
    goal = page.get_by_test_id(f"column-{stages['意向']}")
    start, end = await card.bounding_box(), await goal.bounding_box()
    assert start
    assert end
    await page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 12)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 120, start["y"] + 40, steps=4)
    await page.mouse.move(end["x"] + 100, end["y"] + 200, steps=6)
    await look(page, "board-drag")
    await page.mouse.up()
    await expect(goal.get_by_test_id(f"card-{one}")).to_be_visible()
    await expect(page.get_by_test_id("undo-toast")).to_be_visible()
    assert await column_of(shop, one) == "意向"
    await page.get_by_test_id("undo").click()
    await expect(page.get_by_test_id(f"column-{stages['新客']}").get_by_test_id(f"card-{one}")).to_be_visible()
    # By keys: to the next stage, then by the menu into the one that asks why.
    await page.get_by_test_id(f"card-{one}").focus()
    await page.keyboard.press("Alt+ArrowRight")
    await expect(goal.get_by_test_id(f"card-{one}")).to_be_focused()
    await page.keyboard.press("m")
    await page.get_by_test_id(f"move-{one}-{stages['流失']}").click()
    await expect(page.get_by_test_id("reason-form")).to_be_visible()
    await look(page, "board-reason")
    await page.get_by_test_id("reason").fill("预算不够")
    await page.get_by_test_id("reason-say").click()
    await expect(page.get_by_test_id(f"column-{stages['流失']}").get_by_test_id(f"card-{one}")).to_be_visible()
    # The page shows it before the service has agreed.
    said = "select reason from stage_history where customer_id = $1 and reason <> ''"
    assert await eventually(lambda: shop.services.db.fetchval(said, one)) == "预算不够"
    assert errors_of(page.context) == []


@pytest.mark.parametrize(
    ("language", "phone", "dark"), [("zh-CN", True, False), ("en", False, True), ("en", True, False)]
)
async def test_the_pages_fit_in_both_languages(
    shop: Company, browser: Browser, language: str, phone: bool, dark: bool
) -> None:
    await furnish(shop)
    await shop.services.db.execute("update agent set language = $1", language)
    page = await open_page(browser, language=language, phone=phone, dark=dark)
    await sign_in(page, shop.address, shop.manager.login)
    for address, ready in (
        ("customers/board", "board"),
        ("reports", "report-spread"),
        ("settings/stages", "rules-stage"),
        ("settings/tags", "rules-tag"),
    ):
        await page.goto(f"{shop.address}/{address}")
        await expect(page.get_by_test_id(ready)).to_be_visible()
        await page.wait_for_load_state("networkidle")
        await look(
            page, f"{address.replace('/', '-')}-{'390' if phone else '1440'}-{language[:2]}{'-dark' if dark else ''}"
        )
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, address
        if language == "en":
            text = await page.evaluate(
                "[...document.querySelectorAll('main h1, main h2, main label, main th, main button')].map((e) => e.innerText).join('|')"
            )
            own = [
                *NAMES,
                "高端",
                "普通",
                "亲子",
                "海岛",
                "新客",
                "意向",
                "报价",
                "合同",
                "成交",
                "流失",
                "等级",
                "兴趣",
                "价格太高",
                "云南旅行社",
            ]
            for word in own:
                text = text.replace(word, "")
            assert not any("\u4e00" <= letter <= "\u9fff" for letter in text), (address, text)
    assert errors_of(page.context) == []


async def test_a_manager_sets_up_stages_tags_and_rules_and_reads_the_reports(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await sign_in(page, shop.address, shop.manager.login)
    await page.goto(f"{shop.address}/settings/stages")
    await page.get_by_test_id("stage-defaults").click()
    await expect(page.get_by_test_id("rules-stage")).to_be_visible()
    await page.get_by_test_id("stage-name").fill("试用")
    await page.get_by_test_id("stage-add").click()
    await expect(page.locator("li[data-testid^=stage-row-]")).to_have_count(7)
    await look(page, "stages-1440-zh")
    await page.goto(f"{shop.address}/settings/tags")
    await page.get_by_test_id("group-name").fill("意图")
    await page.get_by_test_id("group-add").click()
    await expect(page.locator("li[data-testid^=group-row-]")).to_have_count(1)
    group = await shop.services.db.fetchval("select id from tag_group")
    await page.get_by_test_id(f"tag-new-{group}").fill("投诉客户")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-testid^=tag-edit-]")).to_have_count(1)
    await shop.services.db.execute("insert into customer (name, source) values ('沈佳', '展会')")
    await page.get_by_test_id("rule-new-tag").click()
    await page.get_by_test_id("rule-name").fill("来自展会")
    await page.get_by_test_id("rule-cause").select_option("source")
    await page.locator("#rule-sources").fill("展会")
    await page.get_by_test_id("tag-find").fill("tskh")
    await page.keyboard.press("Enter")
    await page.get_by_test_id("rule-try").click()
    await expect(page.get_by_test_id("rule-trial")).to_contain_text("1 个客户")
    await look(page, "rule-form")
    await page.get_by_test_id("rule-save-past").click()
    await expect(page.locator("[data-testid^=customer-rule-]")).to_contain_text("已作用于 1 个客户")
    assert await shop.services.db.fetchval("select cardinality(tags) from customer where name = '沈佳'") == 1
    await look(page, "tags-1440-zh")
    # Reports stand on sums by day, which are added up a few seconds after the change.
    await eventually(lambda: shop.services.db.fetchval("select made = 1 from customer_day where source = '展会'"))
    await page.goto(f"{shop.address}/reports")
    await expect(page.get_by_test_id("report-sources")).to_contain_text("展会")
    await expect(page.get_by_test_id("report-growth").locator("svg").first).to_be_visible()
    await page.get_by_test_id("spread-by").select_option("tag")
    await expect(page.get_by_test_id("report-spread")).to_contain_text("投诉客户")
    await look(page, "reports-1440-zh")
    link = page.get_by_test_id("report-sources").locator("tbody a").first
    assert "/customers?filter=" in (await link.get_attribute("href") or "")
    assert errors_of(page.context) == []
