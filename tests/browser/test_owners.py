"""The public pool, its rules, and handing over, by hand in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent
from scrm.services import Services
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import PASSWORD, Company, eventually

OUT = os.environ.get("OWNERS_SHOTS")


async def shot(page: Page, name: str) -> None:
    """For looking at: only where somebody asks for it."""
    if OUT:
        await page.wait_for_timeout(350)
        await page.screenshot(path=str(Path(OUT) / f"{name}.png"))


async def colleague(services: Services, login: str, name: str) -> int:
    async with services.work() as work:
        return await create_agent(work, login=login, name=name, role="rep", password=PASSWORD)


async def furnish(shop: Company) -> dict[str, int]:
    """Two stages, a leaver with six customers and tasks, a taker, and nine customers in the pool."""
    db = shop.services.db
    leaver, taker = await colleague(shop.services, "leaver", "陈浩"), await colleague(shop.services, "taker", "林小雨")
    await db.execute("update agent set role = 'admin' where login = 'manager'")
    stage = await db.fetchval("insert into stage (name, color) values ('意向', 'blue') returning id")
    await db.execute(
        "insert into customer (name, company, city, phone, owner_id, owned_at, created_at, stage_id) "
        "select '客户' || n, '青禾家居', '杭州', '1381234' || (5000 + n), $1, now() - n * interval '11 days', "
        "now() - interval '90 days', $2 from generate_series(1, 6) n", leaver, stage,
    )  # fmt: skip
    await db.execute(
        "insert into customer (name, company, city, phone, pooled_at, pool_reason, stage_id, value_fen) "
        "select (array['周女士', '王先生', 'Lucas Meyer', '沈怡', '顾先生', '何女士', '唐小姐', '罗先生', '许女士'])[n], "
        "'云裳服饰有限公司', '苏州', '1391234' || (5000 + n), now() - n * interval '7 hours', "
        "(array['联系不上', '30 天未跟进', '暂无需求'])[1 + n % 3], case when n % 2 = 0 then $1::bigint end, "
        "case when n % 3 = 0 then 8600000 end from generate_series(1, 9) n", stage,
    )  # fmt: skip
    await db.execute(
        "insert into owner_history (customer_id, from_id, at, kind, reason) select id, $1, pooled_at, 'reclaimed', pool_reason "
        "from customer where pooled_at is not null and id % 2 = 0", leaver,
    )  # fmt: skip
    await db.execute(
        "insert into task (customer_id, agent_id, text, due_at, created_at, updated_at) "
        "select id, $1, '回访报价', now(), now(), now() from customer where owner_id = $1", leaver,
    )  # fmt: skip
    return {"leaver": leaver, "taker": taker}


async def test_a_rep_claims_from_the_pool_alone_and_in_bulk_and_undoes_it(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    page = await open_page(browser)
    await sign_in(page, shop.address, "rep")
    await page.goto(f"{shop.address}/customers/pool")
    await expect(page.get_by_test_id("pool-count")).to_have_text("9")
    await shot(page, "pool-rep-1440-zh")
    ids = [
        row["id"]
        for row in await shop.services.db.fetch(
            "select id from customer where pooled_at is not null order by pooled_at desc"
        )
    ]
    await page.get_by_test_id(f"claim-{ids[0]}").click()
    await expect(page.get_by_test_id("pool-count")).to_have_text("8")
    await expect(page.get_by_test_id("allowance")).to_contain_text("19")
    for one in ids[1:3]:
        await page.get_by_test_id(f"choose-{one}").check()
    await shot(page, "pool-chosen-1440-zh")
    await page.get_by_test_id("claim-chosen").click()
    await expect(page.get_by_test_id("pool-count")).to_have_text("6")
    await page.get_by_test_id("undo").click()
    await expect(page.get_by_test_id("pool-count")).to_have_text("8")
    await page.get_by_test_id("pool-search").fill("Lucas")
    await expect(page.locator("article")).to_have_count(1)
    assert errors_of(page.context) == []


async def test_a_manager_hands_out_what_lies_in_the_pool(shop: Company, browser: Browser) -> None:
    people = await furnish(shop)
    page = await open_page(browser, language="en", dark=True)
    await shop.services.db.execute("update agent set language = 'en' where login = 'manager'")
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/customers/pool")
    await page.get_by_test_id("distribute").click()
    await page.get_by_test_id("distribute-count").fill("5")
    for name in ("leaver", "taker"):
        await page.get_by_test_id("add-taker").click()
        await page.get_by_test_id(f"person-{people[name]}").click()
    await expect(page.get_by_test_id("distribution").locator("tbody tr")).to_have_count(2)
    await expect(page.get_by_test_id("distribute-now")).to_contain_text("5")
    await shot(page, "distribute-1440-en-dark")
    await page.get_by_test_id("distribute-now").click()
    await expect(page.get_by_test_id("pool-count")).to_have_text("4")
    assert errors_of(page.context) == []


async def test_a_rule_is_tried_out_and_kept(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/settings/pool")
    await expect(page.get_by_test_id("claim-limits")).to_be_visible()
    await page.get_by_test_id("add-pool").first.click()
    await page.get_by_test_id("rule-name").locator("input").fill("30 天未跟进")
    await page.get_by_test_id("try-rule").click()
    await expect(page.get_by_test_id("tried")).to_contain_text("4")
    await shot(page, "rule-dialog-1440-zh")
    await page.get_by_test_id("save-rule").click()
    await expect(page.get_by_test_id("rules-pool").locator("li")).to_have_count(1)
    await shot(page, "rules-1440-zh")
    await page.get_by_test_id("per-day").locator("input").fill("3")
    await page.get_by_test_id("save-limits").click()

    async def saved() -> bool:
        kept = await shop.services.db.fetchval("select value->>'per_day' from company_setting where key = 'pool'")
        return bool(kept == "3")

    await eventually(saved)
    await expect(page.get_by_test_id("save-limits")).to_be_disabled()
    assert errors_of(page.context) == []


async def test_somebody_leaves_and_everything_goes_to_others_and_back(shop: Company, browser: Browser) -> None:
    people = await furnish(shop)
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/customers/hand-over")
    await shot(page, "handovers-empty-1440-zh")
    await page.get_by_test_id("begin-leaving").click()
    await page.get_by_test_id("handover-from").select_option(str(people["leaver"]))
    await page.get_by_test_id("add-taker").click()
    await page.get_by_test_id(f"person-{people['taker']}").click()
    await expect(page.get_by_test_id("total-customers")).to_have_text("6")
    await expect(page.get_by_test_id("total-tasks")).to_have_text("6")
    await shot(page, "new-handover-1440-zh")
    await page.get_by_test_id("handover-go").click()
    await expect(page.get_by_test_id("handover-state")).to_have_text("已完成")
    await shot(page, "handover-1440-zh")
    db = shop.services.db
    assert await db.fetchval("select count(*) from customer where owner_id = $1", people["taker"]) == 6
    assert await db.fetchval("select disabled_at is not null from agent where id = $1", people["leaver"])
    await page.get_by_test_id("hand-back").click()
    await page.get_by_test_id("hand-back-now").click()
    await expect(page.get_by_test_id("handover-state")).to_have_text("已退回")

    async def returned() -> bool:
        return bool(await db.fetchval("select count(*) = 6 from customer where owner_id = $1", people["leaver"]))

    await eventually(returned)
    assert errors_of(page.context) == []


async def test_on_a_phone_in_both_languages_and_themes(shop: Company, browser: Browser) -> None:
    people = await furnish(shop)
    for language, dark in (("zh-CN", True), ("en", False)):
        await shop.services.db.execute("update agent set language = $1", language)
        page = await open_page(browser, phone=True, language=language, dark=dark)
        await sign_in(page, shop.address, "manager")
        for name, path in {
            "pool": "/customers/pool", "handovers": "/customers/hand-over", "pool-rules": "/settings/pool",
            "new": f"/customers/hand-over/new?kind=leaving&from={people['leaver']}",
        }.items():  # fmt: skip
            await page.goto(shop.address + path)
            await expect(page.locator("h1:visible").first).to_be_visible()
            await page.wait_for_load_state("networkidle")
            await shot(page, f"{name}-390-{language}")
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (name, wide)
        assert errors_of(page.context) == []
        await page.context.close()
