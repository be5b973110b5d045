"""The customer list in a browser: filters, many at once, the recycle bin, sheets in and out; Chinese on a desk, English on a phone."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import PASSWORD, Company, eventually

SEEN = os.environ.get("SCREENSHOTS")
"""A folder, for whoever wants to look at the pages."""
SHEET = "姓名,手机号,公司,城市,金额,标签\n" + "".join(
    f"客户{n},1380000{n:04d},公司{n % 7},杭州,{n * 100},\n" for n in range(30)
)


async def look(page: Page, name: str) -> None:
    if SEEN:
        await page.wait_for_timeout(400)
        await page.screenshot(path=str(Path(SEEN) / f"{name}.png"))


async def test_sheets_filters_many_at_once_and_the_bin(shop: Company, browser: Browser, tmp_path: Path) -> None:
    db = shop.services.db
    async with shop.services.work() as work:
        await create_agent(work, login="boss", name="老板", role="admin", password=PASSWORD)
    page = await open_page(browser)
    await sign_in(page, shop.address, "boss")
    await page.goto(f"{shop.address}/customers")
    await expect(page.get_by_text("还没有客户")).to_be_visible()
    await look(page, "lists-empty")

    # A sheet: what its columns mean, what would happen, and then it happens.
    file = tmp_path / "客户.csv"
    file.write_bytes((SHEET + "没有号码的人,12,公司,杭州,1,\n").encode("gbk"))
    await page.get_by_test_id("open-import").click()
    await page.get_by_test_id("import-file").set_input_files(str(file))
    await expect(page.get_by_test_id("import")).to_contain_text("31")
    await page.get_by_test_id("import-check").click()
    await expect(page.get_by_test_id("import-run")).to_be_visible(timeout=30_000)
    await look(page, "sheets-checked")
    await page.get_by_test_id("import-run").click()
    await eventually(lambda: db.fetchval("select count(*) >= 30 from customer where name like '客户%'"), seconds=30)
    await expect(page.get_by_test_id("import-result")).to_contain_text("30", timeout=30_000)
    await look(page, "sheets-done")
    wrong = tmp_path / "照片.csv"
    wrong.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    await page.get_by_test_id("import-file").set_input_files(str(wrong))
    await expect(page.get_by_test_id("import-wrong")).to_be_visible()

    # Narrowed, kept, many at once, and taken back.
    await page.goto(f"{shop.address}/customers")
    await expect(page.get_by_test_id("customer-rows")).to_contain_text("客户29")
    await page.get_by_test_id("customer-find").fill("公司3")
    await expect(page.get_by_test_id("customer-rows")).not_to_contain_text("客户29")
    await page.get_by_test_id("pick-all").check()
    await page.get_by_test_id("bulk-delete").click()
    await expect(page.get_by_test_id("bulk-preview")).to_be_visible()
    await look(page, "lists-bulk")
    await page.get_by_test_id("bulk-run").click()
    await eventually(lambda: db.fetchval("select count(*) = 4 from customer where deleted_at is not null"), seconds=30)
    await page.goto(f"{shop.address}/customers/bin")
    rows = page.locator("[data-testid^=bin-]:is(li)")
    await expect(rows).to_have_count(4)
    await look(page, "bin")
    await rows.first.get_by_role("button").click()
    await expect(rows).to_have_count(3)
    await rows.first.locator("input[type=checkbox]").check()
    await page.get_by_test_id("bin-purge").click()
    await page.get_by_test_id("purge-confirm").fill("1")
    await page.get_by_test_id("purge-run").click()
    await expect(rows).to_have_count(2)

    # And out again.
    await page.goto(f"{shop.address}/customers")
    await page.get_by_test_id("open-export").click()
    await look(page, "lists-export")
    await page.get_by_test_id("export-run").click()
    await page.goto(f"{shop.address}/customers/sheets")
    link = page.get_by_test_id("exports").get_by_role("link")
    await expect(link).to_be_visible(timeout=30_000)
    async with page.expect_download() as download:
        await link.click()
    kept = tmp_path / "out"
    await (await download.value).save_as(kept)
    assert kept.stat().st_size > 100
    assert errors_of(page.context) == []


async def test_the_list_on_a_phone_in_english(shop: Company, browser: Browser) -> None:
    await shop.services.db.execute("update agent set language = 'en'")
    await shop.services.db.execute(
        "insert into customer (name, company, city) values ('Anna Schmidt', 'Lindt', 'Köln')"
    )
    page = await open_page(browser, phone=True)
    await sign_in(page, shop.address, "manager")
    for path in ("customers", "customers/sheets", "customers/bin"):
        await page.goto(f"{shop.address}/{path}")
        await expect(page.locator("main h1").first).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        await look(page, f"phone-en-{path.replace('/', '-')}")
        text = await page.locator("main").inner_text()
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in text), (path, text)
    await page.goto(f"{shop.address}/customers")
    await page.get_by_role("button", name="Anna Schmidt").click()
    await expect(page.get_by_text("Lindt").first).to_be_visible()
    assert errors_of(page.context) == []
