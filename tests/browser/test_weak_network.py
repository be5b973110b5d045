"""Offline, slow and lossy networks, in a real browser: nothing typed is lost, nothing is sent twice, and the page says what is
going on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from playwright.async_api import Browser, Page, Route, expect

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually
from tests.flows.reads import conversation_of
from tests.pictures import png


async def open_chat(shop: Company, page: Page, name: str) -> tuple[int, str]:
    """A customer wrote; their conversation is open in the page."""
    who = shop.customer(name)
    shop.wecom.control.customer_says(shop.kf, who, "在吗")

    async def row_id() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    conversation_id = await eventually(row_id)
    await sign_in(page, shop.address, "manager")
    await page.get_by_test_id(f"conversation-{conversation_id}").click()
    await expect(page.get_by_test_id("messages")).to_contain_text("在吗")
    return conversation_id, who


def texts_at(shop: Company, who: str) -> Callable[[], list[str]]:
    """What the customer's phone shows of us."""
    return lambda: [str(one.body.get("content", one.msgtype)) for one in shop.wecom.control.received(shop.kf, who)]


async def arrive(shop: Company, who: str, expected: list[str]) -> None:
    read = texts_at(shop, who)

    async def there() -> bool:
        return len(read()) >= len(expected)

    await eventually(there, seconds=60, why=f"only {read()} arrived")
    assert read() == expected


async def draft_on_server(shop: Company, conversation_id: int) -> str:
    text: str | None = await shop.services.db.fetchval(
        "select text from draft where conversation_id = $1", conversation_id
    )
    return text or ""


async def test_typed_and_sent_offline_through_a_reload(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    conversation_id, who = await open_chat(shop, page, "离线客户")
    box = page.get_by_test_id("composer-text")
    await page.context.set_offline(True)
    await expect(page.get_by_test_id("offline-banner")).to_be_visible()
    await box.fill("断网时发的")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("pending-message")).to_contain_text("断网时发的")
    await box.fill("还没写完的话")
    await page.context.set_offline(False)
    await page.reload()
    # What was typed is there again, and a moment later on the service too.
    await expect(page.get_by_test_id("composer-text")).to_have_value("还没写完的话")
    await arrive(shop, who, ["断网时发的"])

    async def kept() -> bool:
        return await draft_on_server(shop, conversation_id) == "还没写完的话"

    await eventually(kept)
    await expect(page.get_by_test_id("offline-banner")).to_be_hidden()
    assert errors_of(page.context) == []


async def test_three_seconds_away(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    _, who = await open_chat(shop, page, "慢网客户")

    async def slow(route: Route) -> None:
        await asyncio.sleep(3)
        await route.continue_()

    await page.route("**/api/**", slow)
    box = page.get_by_test_id("composer-text")
    for text in ("第一句", "第二句", "第三句"):
        await box.fill(text)
        # Impatient hands: the field is empty at once, so the second press sends nothing.
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(box).to_have_value("")
    await expect(page.get_by_test_id("messages")).to_contain_text("第三句")
    await arrive(shop, who, ["第一句", "第二句", "第三句"])
    await page.unroute_all(behavior="ignoreErrors")
    assert errors_of(page.context) == []


async def test_one_in_ten_requests_is_lost_on_the_way_there_or_back(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    conversation_id, who = await open_chat(shop, page, "丢包客户")
    chance = random.Random(20260301)
    lost: list[str] = []

    async def lossy(route: Route) -> None:
        throw = chance.random()
        # The first answers are lost for certain: the worst case, the service has it and the page does not know.
        if throw < 0.05:
            lost.append("there")
            await route.abort("connectionreset")
        elif throw < 0.10 or (len(lost) < 2 and route.request.method == "POST"):
            lost.append("back")
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/api/**", lossy)
    box = page.get_by_test_id("composer-text")
    said = [f"第{n}句" for n in range(1, 4)]
    for text in said:
        await box.fill(text)
        await page.get_by_test_id("send").click()
        await expect(box).to_have_value("")
    await page.get_by_test_id("file-input").set_input_files(
        {"name": "报价.png", "mimeType": "image/png", "buffer": png(30, 30)}
    )
    retry = page.get_by_test_id("retry-upload")

    async def uploaded() -> bool:
        if await retry.count():
            await retry.click()
        return await page.locator("[data-testid=tray] li[data-done=true]").count() == 1

    await eventually(uploaded, seconds=30)
    await box.fill("图在上面")
    await page.get_by_test_id("send").click()
    await arrive(shop, who, [*said, "image", "图在上面"])
    assert "back" in lost
    await page.unroute_all(behavior="ignoreErrors")
    rows = await shop.services.db.fetch(
        "select text from message where conversation_id = $1 and direction = 'out' order by seq", conversation_id
    )
    assert [row["text"] for row in rows] == [*said, "[图片]", "图在上面"]
    assert errors_of(page.context) == []


async def test_a_draft_goes_on_in_another_tab(shop: Company, browser: Browser) -> None:
    one = await open_page(browser)
    conversation_id, _ = await open_chat(shop, one, "两处客户")
    await one.get_by_test_id("composer-text").fill("在电脑上写的")
    two = await open_page(browser, phone=True)
    await sign_in(two, shop.address, "manager")
    await expect(two.get_by_test_id(f"conversation-{conversation_id}")).to_contain_text("在电脑上写的")
    await two.get_by_test_id(f"conversation-{conversation_id}").click()
    await expect(two.get_by_test_id("composer-text")).to_have_value("在电脑上写的")
    await two.get_by_test_id("composer-text").fill("在电脑上写的，在手机上写完")
    await expect(one.get_by_test_id("composer-text")).to_have_value("在电脑上写的，在手机上写完")
    await two.get_by_test_id("send").click()
    await expect(one.get_by_test_id("composer-text")).to_have_value("")
    assert errors_of(one.context) == errors_of(two.context) == []
