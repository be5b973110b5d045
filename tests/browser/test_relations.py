"""Customer groups, a customer's relations and keeping in step, by hand in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from customers.sync.runs import begin
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import CORP, Company, eventually

OUT = os.environ.get("RELATIONS_SHOTS")


async def shot(page: Page, name: str) -> None:
    """For looking at: only where somebody asks for it."""
    if OUT:
        await page.wait_for_timeout(400)
        await page.screenshot(path=str(Path(OUT) / f"{name}.png"))


async def furnish(shop: Company) -> int:
    """Two employees with customers, tags and groups on the platform, read by the service. Returns a customer."""
    play = shop.wecom.control
    for userid, name in (("linan", "李楠"), ("hanmei", "韩梅")):
        play.create_member(CORP, userid, name)
    tags = play.create_tag_group(CORP, "意向", ["高意向", "已报价"])
    people = [shop.customer(name) for name in ("王芳", "周明", "陈静怡", "Lucas Meyer", "何家豪")]
    for who in people:
        play.create_follow(CORP, "linan", who, remark="", tag_ids=[tags["高意向"]], add_way=1)
    play.create_follow(
        CORP, "hanmei", people[0], remark="王总 上海展会", description="要两台样机，月底前报价", state="上海展会",
        remark_mobiles=["13800138000"], tag_ids=list(tags.values()),
    )  # fmt: skip
    chats: list[str] = []
    for n, name in enumerate(("青禾老客户福利群", "上海展会交流群", "门店新品体验群")):
        chats.append(play.create_group(CORP, name, ("linan", "hanmei")[n % 2], people[: 5 - n], notice="每周三上新"))
    await shop.services.db.execute("update agent set role = 'admin' where login = 'manager'")
    async with shop.services.work() as work:
        await begin(work, shop.wecom_id, "hand")

    async def known() -> int | None:
        done = await shop.services.db.fetchval("select count(*) from group_chat") == 3
        waits = await shop.services.db.fetchval("select count(*) from sync_due")
        found = await shop.services.db.fetchval("select customer_id from contact where external_id = $1", people[0])
        return found if done and waits == 0 else None

    customer_id = int(await eventually(known, seconds=40))
    play.group_leave(CORP, chats[1], [people[2]])

    async def left() -> bool:
        return bool(
            await shop.services.db.fetchval("select exists (select from group_member where left_at is not null)")
        )

    await eventually(left, seconds=40)
    return customer_id


async def test_groups_relations_and_sync_on_the_page(shop: Company, browser: Browser) -> None:
    customer_id = await furnish(shop)
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/groups")
    await expect(page.get_by_text("青禾老客户福利群")).to_be_visible()
    await page.get_by_text("上海展会交流群").click()
    await expect(page.get_by_test_id("group-panel").get_by_role("link", name="王芳")).to_be_visible()
    await shot(page, "groups-zh")
    await page.get_by_test_id("group-gone").click()
    await expect(page.get_by_test_id("group-panel").get_by_role("link", name="陈静怡")).to_be_visible()
    await page.get_by_test_id("groups-search").fill("新品")
    await expect(page.get_by_text("青禾老客户福利群")).to_have_count(0)
    await page.goto(f"{shop.address}/customers/{customer_id}")
    await page.get_by_test_id("customer-tab-relations").click()
    mine = page.locator("article.relation", has_text="韩梅")
    await expect(mine.get_by_text("王总 上海展会")).to_be_visible()
    await shot(page, "relations-zh")
    await mine.locator("[data-testid^=relation-edit]").click()
    await page.get_by_test_id("relation-remark").fill("王总（续约）")
    await page.get_by_test_id("relation-phone").fill("13900139000")
    await shot(page, "relations-edit-zh")
    await page.get_by_test_id("relation-save").click()
    await expect(mine.get_by_text("王总（续约）")).to_be_visible()

    async def written() -> bool:
        return any(one["remark"] == "王总（续约）" for one in shop.wecom.control.truth(CORP)["relations"].values())

    await eventually(written)
    await page.goto(f"{shop.address}/settings/connections")
    card = page.get_by_test_id(f"sync-{shop.wecom_id}")
    await card.get_by_test_id("sync-now").click()

    async def twice() -> bool:
        return bool(await shop.services.db.fetchval("select count(*) = 2 from sync_run where state = 'done'"))

    await eventually(twice)
    await shot(page, "sync-zh")
    assert errors_of(page.context) == []


async def test_the_pages_hold_in_english_in_the_dark_and_on_a_phone(shop: Company, browser: Browser) -> None:
    customer_id = await furnish(shop)
    await shop.services.db.execute("update agent set language = 'en'")
    for phone, dark in ((False, True), (True, False)):
        page = await open_page(browser, phone=phone, language="en", dark=dark)
        await sign_in(page, shop.address, "manager")
        await page.goto(f"{shop.address}/groups")
        await expect(page.get_by_text("青禾老客户福利群")).to_be_visible()
        await shot(page, f"groups-en-{'phone' if phone else 'dark'}")
        await page.get_by_text("上海展会交流群").click()
        await expect(page.get_by_test_id("group-panel").get_by_role("link", name="王芳")).to_be_visible()
        await shot(page, f"group-en-{'phone' if phone else 'dark'}")
        await page.goto(f"{shop.address}/customers/{customer_id}")
        await page.get_by_test_id("customer-tab-relations").click()
        await expect(page.get_by_text("王总 上海展会")).to_be_visible()
        await shot(page, f"relations-en-{'phone' if phone else 'dark'}")
        wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide
        assert errors_of(page.context) == []
        await page.context.close()
