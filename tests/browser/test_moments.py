"""A moment in the browser: written with pictures, tried out, submitted, published at the platform, liked, read back; on a phone, too."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.async_api import Browser, FilePayload, Page, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.campaigns.posting import Posting, with_members
from tests.company import CORP, PASSWORD, Company, eventually
from tests.pictures import png

CJK = re.compile("[\u4e00-\u9fff]")
TEXT = "秋天的第一杯桂花乌龙，到店第二杯半价"
SHOTS = os.environ.get("MOMENT_SHOTS", "")
ALL_SHOWN = "Promise.all([...document.querySelectorAll('[data-testid=moment-preview] img')].map((one) => one.decode().then(() => true, () => false))).then((all) => all.every(Boolean))"
NOW = "update moment_post set look_at = now() where look_at is not null"


async def look(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def enter(page: Page, shop: Company, path: str, login: str) -> None:
    await page.goto(f"{shop.address}{path}")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()


async def furnish(members: Posting, *names: str, marketer: str) -> None:
    await members.customer(names[0], "zhangsan", "lisi")
    await members.customer(names[1], "zhangsan")
    async with members.shop.services.work() as work:
        await create_agent(work, login="marketer", name=marketer, role="marketer", password=PASSWORD)


async def made(members: Posting) -> bool:
    """Whether the platform has made it."""
    return len(members.made()) == 1


async def write(page: Page) -> None:
    await page.get_by_test_id("tab-moments").click()
    await expect(page.get_by_test_id("campaigns-page")).to_contain_text("还没有朋友圈")
    await look(page, "empty")
    await page.get_by_test_id("make-moment").click()
    await page.get_by_test_id("moment-name").fill("桂花乌龙上新")
    await page.get_by_test_id("greeting-text-post").fill(TEXT)
    colors = [(200, 90, 60), (230, 170, 60), (90, 140, 80), (60, 100, 150)]
    files: list[FilePayload] = [
        {"name": f"{n}.png", "mimeType": "image/png", "buffer": png(40, 40, color)} for n, color in enumerate(colors)
    ]
    await page.get_by_test_id("greeting-upload-post").set_input_files(files)
    await expect(page.get_by_test_id("moment-preview").locator("img")).to_have_count(4)
    await expect(page.get_by_test_id("moment-preview")).to_contain_text(TEXT)
    await expect(page.get_by_test_id("moment-fits")).to_contain_text("内容符合要求")
    await look(page, "content")
    await page.get_by_test_id("next-step").click()


async def test_the_life_of_a_moment(shop: Company, browser: Browser) -> None:
    members = await with_members(shop)
    await furnish(members, "陈立群", "王小明", marketer="林悦")
    await members.db.execute(
        "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, 'lisi')",
        shop.rep.agent_id, shop.wecom_id,
    )  # fmt: skip
    page = await open_page(browser)
    await enter(page, shop, "/campaigns", "marketer")
    await write(page)
    await page.get_by_test_id("forecast-now").click()
    await expect(page.get_by_test_id("forecast-members")).to_have_text("2")
    await expect(page.get_by_test_id("forecast-customers")).to_have_text("2")
    assert await page.evaluate(ALL_SHOWN), "what was uploaded is shown from the service"
    await look(page, "audience")
    await page.get_by_test_id("next-step").click()
    await look(page, "time")
    await page.get_by_test_id("next-step").click()
    await expect(page.get_by_test_id("approval")).to_contain_text("不需要审批")
    await look(page, "review")
    await page.get_by_test_id("submit-campaign").click()

    await expect(page.get_by_test_id("moment-posts").get_by_text("待发表")).to_have_count(2, timeout=60_000)
    await eventually(lambda: made(members), seconds=60)
    moment = members.publish("zhangsan")
    shop.wecom.control.like_moment(CORP, moment, "zhangsan", members.customers["陈立群"])
    shop.wecom.control.comment_moment(CORP, moment, "zhangsan", members.customers["王小明"], "好看")
    await expect(page.get_by_test_id("moment-line")).to_contain_text("已发表 1 / 2", timeout=60_000)
    await members.db.execute(NOW)
    await expect(page.get_by_test_id("moment-likes")).to_have_text("1", timeout=60_000)
    await expect(page.get_by_test_id("moment-comments")).to_have_text("1")
    await expect(page.get_by_test_id("moment-reactions").get_by_role("link")).to_have_count(2)
    await look(page, "result")
    await page.get_by_test_id("moment-remind").click()
    await expect(page.get_by_text("已提醒 1 位员工")).to_be_visible()
    assert await members.db.fetchval("select kind from notification") == "moment_reminder"
    await page.get_by_test_id("moment-withdraw").click()
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("run-state")).to_have_text("已完成", timeout=60_000)
    await expect(page.get_by_test_id("moment-posts").get_by_text("已收回")).to_be_visible()
    await page.get_by_test_id("reactions-like").click()
    await page.get_by_test_id("moment-reactions").get_by_role("link", name="陈立群").click()
    await expect(page.get_by_text("点赞了朋友圈“桂花乌龙上新”")).to_be_visible()
    assert errors_of(page.context) == []


async def test_on_a_phone_in_english_and_for_those_who_may_not(shop: Company, browser: Browser) -> None:
    members = await with_members(shop, "Zoe", "Liam")
    await furnish(members, "Ann Chen", "Max Wang", marketer="Mara")
    await members.db.execute("update agent set language = 'en' where login = 'marketer'")
    page = await open_page(browser, phone=True, language="en")
    await enter(page, shop, "/campaigns/moments/new", "marketer")
    await page.get_by_test_id("moment-name").fill("Autumn tea")
    await page.get_by_test_id("greeting-text-post").fill("The first osmanthus tea of the autumn")
    await look(page, "phone-content")
    await page.get_by_test_id("step-audience").click()
    await page.get_by_test_id("forecast-now").click()
    await expect(page.get_by_test_id("forecast-customers")).to_have_text("2")
    await look(page, "phone-audience")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not CJK.search(await page.get_by_test_id("moment-editor").inner_text())
    await page.get_by_test_id("step-review").click()
    await page.get_by_test_id("submit-campaign").click()
    await expect(page.get_by_test_id("moment-posts").get_by_text("Not published yet")).to_have_count(2, timeout=60_000)
    await eventually(lambda: made(members), seconds=60)
    for who in members.accounts:
        members.publish(who)
    await expect(page.get_by_test_id("run-state")).to_have_text("Done", timeout=60_000)
    await look(page, "phone-result")
    assert not CJK.search(await page.get_by_test_id("campaign-page").inner_text())
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.goto(f"{shop.address}/campaigns/moments")
    await expect(page.get_by_test_id("campaigns")).to_contain_text("Published 2 of 2")
    await look(page, "phone-list")
    assert errors_of(page.context) == []

    others = await open_page(browser)
    await enter(others, shop, "/campaigns/moments", "rep")
    await expect(others.get_by_text("权限").first).to_be_visible()
