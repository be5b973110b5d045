"""From a chat to a package that verifies without the service: collected beside the chat, exported, downloaded, checked by its own script."""

from __future__ import annotations

import asyncio
import sys
import zipfile
from pathlib import Path

from playwright.async_api import Browser, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page
from tests.browser.test_campaigns import CJK, enter
from tests.company import PASSWORD, Company, eventually

SEALED = "select exists (select from evidence_leaf where kind = 'message')"


async def verified(package: Path) -> tuple[int, str]:
    """What the script in the package says of it, run alone."""
    with zipfile.ZipFile(package) as bundle:
        (name,) = [one for one in bundle.namelist() if one.endswith("verify.py")]
        script = package.with_suffix(".py")
        script.write_bytes(bundle.read(name))
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(script),
        str(package),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await run.communicate()
    return run.returncode or 0, said.decode()


def changed(package: Path, words: str, other: str) -> Path:
    """The same package with other words in the chat that people read."""
    path = package.with_name("changed.zip")
    with zipfile.ZipFile(package) as bundle, zipfile.ZipFile(path, "w") as into:
        for one in bundle.infolist():
            data = bundle.read(one)
            into.writestr(one, data.replace(words.encode(), other.encode()) if one.filename.endswith(".html") else data)
    return path


async def test_from_a_chat_to_evidence_that_verifies(shop: Company, browser: Browser, tmp_path: Path) -> None:
    shop.wecom.control.customer_says(shop.kf, shop.customer("周航"), "尾款转你微信可以吗")
    db = shop.services.db
    conversation = await eventually(lambda: db.fetchval("select id from conversation where last_seq > 0"))
    async with shop.services.work() as work:
        await create_agent(work, login="boss", name="张经理", role="admin", password=PASSWORD)
        await create_agent(work, login="eve", name="Eve", role="admin", password=PASSWORD)
    await db.execute("update agent set language = 'en' where login = 'eve'")
    page = await open_page(browser)
    await enter(page, shop, f"/audit?conversation={conversation}&seq=1", "boss")
    await page.get_by_test_id("add-evidence").click()
    await eventually(lambda: db.fetchval(SEALED), seconds=60)
    await page.goto(f"{shop.address}/audit/evidence")
    await expect(page.get_by_test_id("evidence")).to_contain_text("周航")
    await page.get_by_test_id("evidence-export").click()
    link = page.get_by_test_id("evidence-download")
    await expect(link).to_be_visible(timeout=60_000)
    async with page.expect_download() as waiting:
        await link.click()
    package = tmp_path / "evidence.zip"
    await (await waiting.value).save_as(package)
    code, said = await verified(package)
    assert code == 0, said
    with zipfile.ZipFile(package) as bundle:
        chats = [bundle.read(one).decode() for one in bundle.namelist() if one.endswith(".html")]
    assert any("尾款转你微信可以吗" in one for one in chats)
    code, said = await verified(changed(package, "尾款", "首款"))
    assert code != 0
    assert ".html" in said, said
    await page.get_by_test_id("evidence-check").click()
    await expect(page.get_by_test_id("evidence-chain")).to_contain_text("条记录无改动", timeout=60_000)
    assert errors_of(page.context) == []

    phone = await open_page(browser, phone=True, language="en")
    await enter(phone, shop, "/audit/evidence", "eve")
    await expect(phone.get_by_test_id("evidence-chain")).to_be_visible()
    # The seventh of nine tabs: one sees where one is.
    await expect(phone.get_by_test_id("audit-evidence")).to_be_in_viewport(ratio=1)
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not CJK.search(await phone.get_by_test_id("evidence-chain").inner_text())
    assert errors_of(phone.context) == []
