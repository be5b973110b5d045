"""Campaigns in the browser: written, tried out, submitted, approved by a second person, started; read on a phone; not for everybody."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.company import PASSWORD, Company, eventually

CJK = re.compile("[\u4e00-\u9fff]")
TEXT = "双十二老客专享八折，回复即可领取"


async def furnish(shop: Company, *, marketer: str = "林悦", boss: str = "张经理") -> None:
    """Two customers whose reply windows are open, one who opted out, somebody who writes campaigns and somebody who approves them."""
    for name in ("陈立群", "王小明", "李小姐"):
        shop.wecom.control.customer_says(shop.kf, shop.customer(name), "你好")
    db = shop.services.db
    await eventually(lambda: db.fetchval("select count(*) = 3 from conversation where window_expires_at is not null"))
    await eventually(lambda: db.fetchval("select count(*) = 3 from customer where name <> ''"))
    await db.execute(
        "insert into campaign_hold (customer_id, kind, at) select id, 'opted_out', now() from customer where name = '李小姐'"
    )
    async with shop.services.work() as work:
        await create_agent(work, login="marketer", name=marketer, role="marketer", password=PASSWORD)
        await create_agent(work, login="boss", name=boss, role="admin", password=PASSWORD)


async def enter(page: Page, shop: Company, path: str, login: str) -> None:
    await page.goto(f"{shop.address}{path}")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()


async def require_approval(page: Page) -> None:
    await page.get_by_test_id("approve-above").fill("2")
    await page.get_by_test_id("save-campaign-rules").click()
    await expect(page.get_by_text("已保存")).to_be_visible()


async def write(page: Page) -> None:
    await expect(page.get_by_test_id("campaigns-page")).to_contain_text("还没有群发任务")
    await page.get_by_test_id("make-campaign").click()
    await page.get_by_test_id("campaign-name").fill("双十二老客回访")
    await page.get_by_test_id("greeting-text-post").fill(TEXT)
    await expect(page.get_by_test_id("phone-preview")).to_contain_text(TEXT)
    await page.get_by_test_id("next-step").click()


async def try_out(page: Page) -> None:
    await page.get_by_test_id("dry-run-now").click()
    await expect(page.get_by_test_id("dry-matched")).to_have_text("3")
    await expect(page.get_by_test_id("dry-reachable")).to_have_text("2")
    await page.get_by_test_id("see-opted_out").click()
    await expect(page.get_by_test_id("dry-people")).to_contain_text("李小姐")
    await page.keyboard.press("Escape")


async def test_the_life_of_a_campaign(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    theirs = await open_page(browser)
    await enter(theirs, shop, "/settings/campaigns", "boss")
    await require_approval(theirs)

    page = await open_page(browser)
    await enter(page, shop, "/campaigns", "marketer")
    await write(page)
    await try_out(page)
    await page.get_by_test_id("step-time").click()
    await page.get_by_test_id("mode-recurring").click()
    await expect(page.get_by_test_id("next-dates").get_by_role("listitem")).to_have_count(10)
    await page.get_by_test_id("mode-now").click()
    await page.get_by_test_id("quiet").uncheck()
    await page.get_by_test_id("next-step").click()
    await expect(page.get_by_test_id("review")).to_contain_text("可以送达 2 人")
    # Three are meant, two will get it: those who are meant count.
    await expect(page.get_by_test_id("approval")).to_contain_text("需要第二个人审批")
    await page.get_by_test_id("submit-campaign").click()
    await expect(page.get_by_test_id("campaign-state")).to_have_text("待审批")
    await expect(page.get_by_test_id("decide")).to_have_count(0)

    await theirs.goto(page.url)
    await theirs.get_by_test_id("decide-note").fill("可以发")
    await theirs.get_by_test_id("approve").click()
    await expect(theirs.get_by_test_id("campaign-state")).not_to_have_text("待审批")
    await expect(page.get_by_test_id("run-state")).to_have_text("已完成", timeout=60_000)
    await expect(page.get_by_test_id("campaign-state")).to_have_text("已完成", timeout=30_000)
    await page.get_by_test_id("ledger-state").select_option("skipped")
    await expect(page.get_by_test_id("ledger").get_by_role("listitem")).to_have_count(1)
    await expect(page.get_by_test_id("ledger")).to_contain_text("已退订")
    await page.get_by_test_id("ledger-state").select_option("sent")
    await expect(page.get_by_test_id("ledger").get_by_role("listitem")).to_have_count(2)
    sent = await shop.services.db.fetchval("select count(*) from message where text = $1 and state = 'sent'", TEXT)
    assert sent == 2
    assert errors_of(page.context) == []
    assert errors_of(theirs.context) == []


async def test_on_a_phone_in_english_and_for_those_who_may_not(shop: Company, browser: Browser) -> None:
    await furnish(shop, marketer="Mara", boss="Boss")
    await shop.services.db.execute("update agent set language = 'en' where login = 'marketer'")
    page = await open_page(browser, phone=True, language="en")
    await enter(page, shop, "/campaigns/new", "marketer")
    await page.get_by_test_id("campaign-name").fill("Winter sale")
    await page.get_by_test_id("greeting-text-post").fill("Twenty percent off for our regulars")
    await page.get_by_test_id("next-step").click()
    await page.get_by_test_id("dry-run-now").click()
    await expect(page.get_by_test_id("dry-reachable")).to_have_text("2")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.goto(f"{shop.address}/campaigns")
    await expect(page.get_by_test_id("campaigns")).to_contain_text("Winter sale")
    assert not CJK.search(await page.get_by_test_id("campaigns-page").inner_text())
    await page.get_by_test_id("tab-calendar").click()
    await expect(page.get_by_test_id("campaign-calendar")).to_be_visible()
    assert errors_of(page.context) == []

    others = await open_page(browser)
    await enter(others, shop, "/campaigns", "rep")
    await expect(others.get_by_text("权限").first).to_be_visible()


async def test_a_run_led_by_hand(shop: Company, browser: Browser) -> None:
    """Words of its own for a channel, held up, gone on with, cancelled half way; copied, and the two compared."""
    await furnish(shop)
    page = await open_page(browser)
    await enter(page, shop, "/campaigns/new", "marketer")
    await page.get_by_test_id("campaign-name").fill("年末回访")
    await page.get_by_test_id("greeting-text-post").fill(TEXT)
    await page.get_by_test_id("variant-wecom_kf").click()
    await page.get_by_test_id("own-words").check()
    await page.get_by_test_id("greeting-text-wecom_kf").fill("年末老客专享，回复“要”即可")
    await page.get_by_test_id("next-step").click()
    await page.get_by_test_id("step-time").click()
    await page.get_by_test_id("mode-now").click()
    await page.get_by_test_id("quiet").uncheck()
    await page.get_by_label("均匀分散在").fill("600")
    await page.get_by_test_id("next-step").click()
    await page.get_by_test_id("submit-campaign").click()
    state = page.get_by_test_id("campaign-state")
    await page.get_by_test_id("pause").click(timeout=30_000)
    await expect(state).to_have_text("已暂停")
    await page.get_by_test_id("resume").click()
    await expect(state).to_have_text("进行中")
    await page.get_by_test_id("cancel-campaign").click()
    await page.get_by_test_id("confirm").click()
    await expect(state).to_have_text("已取消")
    await expect(page.get_by_test_id("run-state")).to_have_text("已取消", timeout=30_000)
    texts = await shop.services.db.fetch("select distinct text from message where direction = 'out'")
    assert {row["text"] for row in texts} <= {"年末老客专享，回复“要”即可"}
    await page.get_by_role("button", name="复制", exact=True).click()
    await page.get_by_test_id("campaign-name").fill("年末回访（第二次）")
    await page.get_by_test_id("step-review").click()
    await page.get_by_test_id("submit-campaign").click()
    await expect(page.get_by_test_id("campaign-run")).to_be_visible()
    await expect(page.get_by_test_id("run-state")).to_be_visible(timeout=30_000)
    await page.goto(f"{shop.address}/campaigns")
    for name in ("年末回访", "年末回访（第二次）"):
        await page.get_by_label(f"选择“{name}”对比", exact=True).check()
    await page.get_by_test_id("compare").click()
    await expect(page.get_by_test_id("compared")).to_contain_text("年末回访（第二次）")
    assert errors_of(page.context) == []
