"""Codes and greetings in the browser: a code made with its own greeting, scanned, counted; the default greeting; one's cards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.company import CORP, PASSWORD, Company, eventually

CJK = "[\u4e00-\u9fff]"


async def furnish(shop: Company, *, names: tuple[str, ...] = ("张珊", "李思", "来源", "门店", "周运营")) -> None:
    """Members as the sync of the directory would leave them, a tag, and somebody who manages codes."""
    first, second, group_name, tag_name, marketer = names
    for userid, name in [("zhangsan", first), ("lisi", second)]:
        shop.wecom.control.create_member(CORP, userid, name)
        await shop.services.db.execute(
            "insert into directory_member (connection_id, external_id, name, serves) values ($1, $2, $3, true) on conflict do nothing",
            shop.wecom_id, userid, name,
        )  # fmt: skip
        await shop.services.db.execute(
            "insert into account (connection_id, channel, external_id, name) values ($1, $2, $3, $4) on conflict do nothing",
            shop.wecom_id, "wecom_member", userid, name,
        )  # fmt: skip
    group = await shop.services.db.fetchval(
        "insert into tag_group (name, color) values ($1, 'blue') returning id", group_name
    )
    await shop.services.db.execute("insert into tag (tag_group_id, name) values ($1, $2)", group, tag_name)
    async with shop.services.work() as work:
        await create_agent(work, login="marketer", name=marketer, role="marketer", password=PASSWORD)


async def enter(page: Page, shop: Company, path: str, login: str = "marketer") -> None:
    await page.goto(f"{shop.address}{path}")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()


async def make_code(page: Page, name: str, text: str) -> None:
    await page.get_by_test_id("make-code").click()
    await page.get_by_test_id("code-name").fill(name)
    await page.get_by_test_id("code-form").get_by_role("checkbox", name="张珊").check()
    await page.get_by_test_id("own-greeting").check()
    await page.get_by_test_id("greeting-text-content").fill(text)
    await expect(page.get_by_test_id("phone-preview")).to_contain_text(text[-4:])
    await page.get_by_test_id("save-code").click()


async def test_a_code_is_made_scanned_and_counted(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    page = await open_page(browser)
    await enter(page, shop, "/codes")
    await expect(page.get_by_test_id("codes-page")).to_contain_text("还没有活码")
    await make_code(page, "门店海报", "{{customer.name}}，欢迎光临！")
    await expect(page.get_by_test_id("download-picture")).to_be_visible()
    await expect(page.locator(".big img")).to_be_visible()
    external = await shop.services.db.fetchval("select external_id from contact_code")
    who = shop.customer("王小明")
    shop.wecom.control.customer_scans(CORP, external, who)

    async def greeted() -> bool:
        return bool(shop.wecom.control.greetings(CORP, external_userid=who))

    await eventually(greeted, seconds=20)
    await page.reload()
    await expect(page.get_by_test_id("greetings-sent")).to_contain_text("已发送")
    async with page.expect_download() as saved:
        await page.get_by_test_id("print-picture").click()
    poster = Path(await (await saved.value).path()).read_bytes()
    assert poster[:4] == b"\x89PNG"
    assert len(poster) > 10_000
    await page.get_by_test_id("archive-code").click()
    await page.get_by_test_id("archive-confirm").click()
    await expect(page.get_by_test_id("codes-page")).to_contain_text("已停用")
    assert errors_of(page.context) == []


async def test_the_default_greeting_is_written(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    page = await open_page(browser)
    await enter(page, shop, "/codes/greetings")
    await page.get_by_test_id("add-default").click()
    await page.get_by_test_id("greeting-text-content").fill("您好，我是")
    await page.get_by_role("button", name="员工名字").click()
    await page.get_by_test_id("greeting-link-content").click()
    await page.get_by_test_id("card-title").fill("新品目录")
    await page.get_by_test_id("card-url").fill("https://example.com/new")
    await expect(page.get_by_test_id("phone-preview")).to_contain_text("新品目录")
    await page.get_by_test_id("greeting-off").check()
    await page.get_by_test_id("greeting-text-off").fill("我们下班了，明早回复您")
    await page.get_by_test_id("save-welcome").click()
    await expect(page.get_by_test_id("codes-page")).to_contain_text("所有员工（默认）")
    row = await shop.services.db.fetchrow("select content, off, hours from welcome")
    assert row is not None
    assert row["content"]["text"] == "您好，我是{{agent.name}}"
    assert row["content"]["parts"][0]["content"]["title"] == "新品目录"
    assert row["off"]["text"] == "我们下班了，明早回复您"
    assert errors_of(page.context) == []


async def test_everybody_says_when_cards_shall_come(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await enter(page, shop, "/settings/notices", "rep")
    await expect(page.get_by_test_id("cards-why")).to_contain_text("AgentId")
    await page.get_by_test_id("card-assigned").select_option("always")
    await page.get_by_test_id("quiet-hours").check()

    async def kept() -> dict[str, Any] | None:
        found: dict[str, Any] = await shop.services.db.fetchval(
            "select preferences -> 'notices' from agent where id = $1", shop.rep.agent_id
        )
        return found if found and found.get("quiet_hours") else None

    notices = await eventually(kept)
    assert notices["kinds"]["assigned"]["card"] == "always"
    assert notices["quiet_hours"] == {"start": "21:00", "end": "08:30"}


@pytest.mark.parametrize("phone", [False, True])
async def test_the_pages_in_english_say_nothing_in_chinese(shop: Company, browser: Browser, phone: bool) -> None:
    await furnish(shop, names=("Zhang", "Li", "Source", "Shop", "Zhou"))
    await shop.services.db.execute("update agent set language = 'en' where login = 'marketer'")
    page = await open_page(browser, language="en", phone=phone)
    await enter(page, shop, "/codes")
    await expect(page.get_by_test_id("codes-page")).to_contain_text("No codes yet")
    for path, mark in [("/codes", "make-code"), ("/codes/greetings", "add-welcome")]:
        await page.goto(f"{shop.address}{path}")
        await page.get_by_test_id(mark).click()
        await expect(page.get_by_test_id("code-form" if mark == "make-code" else "welcome-form")).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is wider than the screen"
        said = await page.locator("body").inner_text()
        # The preview shows what customers read: dates and greetings of the company's language.
        preview = await page.get_by_test_id("phone-preview").all_inner_texts()
        for one in preview:
            said = said.replace(one, "")
        found = [line for line in said.splitlines() if re.search(CJK, line) and line.strip() not in {"企业微信"}]
        assert found == []
