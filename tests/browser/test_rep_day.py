"""A rep's first minutes, in both languages, at a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually
from tests.flows.reads import conversation_of, messages_of

WORDS = {
    "zh-CN": {"closed": "关闭", "recalled": "撤回"},
    "en": {"closed": "closed", "recalled": "recalled"},
}


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_receive_answer_recall_closed(shop: Company, browser: Browser, language: str, phone: bool) -> None:
    page = await open_page(browser, phone=phone, language=language)
    await shop.services.db.execute("update agent set language = $1", language)
    await sign_in(page, shop.address, "manager")

    # A customer writes: the conversation appears by itself.
    who = shop.customer("陈立群")
    msgid = shop.wecom.control.customer_says(shop.kf, who, "合同第三条账期能改成 45 天吗")

    async def row_id() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    conversation_id = await eventually(row_id)
    entry = page.get_by_test_id(f"conversation-{conversation_id}")
    await expect(entry).to_contain_text("合同第三条账期能改成 45 天吗")
    await expect(entry).to_contain_text("陈立群")

    # Opened and answered: shown at once, then sent, and on the customer's phone.
    await entry.click()
    await expect(page.get_by_test_id("messages")).to_contain_text("合同第三条账期能改成 45 天吗")
    await expect(page.get_by_test_id("window-bar")).to_be_visible()
    box = page.get_by_test_id("composer-text")
    await box.fill("可以的，我让财务改好发您")
    # An impatient double click is one message.
    await page.get_by_test_id("send").dblclick()
    await expect(page.get_by_test_id("messages")).to_contain_text("可以的，我让财务改好发您")
    await expect(box).to_have_value("")

    async def arrived() -> bool:
        return [one.body.get("content") for one in shop.wecom.control.received(shop.kf, who)] == [
            "可以的，我让财务改好发您"
        ]

    await eventually(arrived)

    # The customer takes the question back: it stays, marked, for a manager.
    shop.wecom.control.customer_recalls(shop.kf, msgid)
    first = (await messages_of(shop, who))[0]
    recalled = page.get_by_test_id(f"message-{first['id']}")
    await expect(recalled).to_contain_text(WORDS[language]["recalled"], ignore_case=True)
    await expect(recalled).to_contain_text("合同第三条账期能改成 45 天吗")

    # The window closes: the composer says so and nothing can be sent.
    await shop.services.db.execute(
        "update conversation set window_expires_at = now() - interval '1 minute', version = version + 1 where id = $1",
        conversation_id,
    )
    await shop.services.bus.ring("conversation", [conversation_id])
    await expect(page.get_by_test_id("closed-bar")).to_contain_text(WORDS[language]["closed"], ignore_case=True)
    assert len(shop.wecom.control.received(shop.kf, who)) == 1

    if phone:
        await page.go_back()
        await expect(page.get_by_test_id("conversation-list")).to_be_visible()
    assert errors_of(page.context) == []


async def test_wrong_password_says_so(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await page.goto(shop.address)
    await page.get_by_test_id("login").fill("rep")
    await page.get_by_test_id("password").fill("not the password")
    await page.get_by_test_id("sign-in").click()
    await expect(page.get_by_test_id("sign-in-error")).to_be_visible()


async def test_send_survives_a_lost_connection_and_a_reload(shop: Company, browser: Browser) -> None:
    """Written offline, reloaded, back online: sent once."""
    page = await open_page(browser)
    who = shop.shopper("李小姐")
    shop.douyin.control.write(who, shop.shop, "在吗")
    await sign_in(page, shop.address, "manager")

    async def row_id() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    conversation_id = await eventually(row_id)
    await page.get_by_test_id(f"conversation-{conversation_id}").click()
    await expect(page.get_by_test_id("messages")).to_contain_text("在吗")
    await page.route(
        "**/api/conversations/*/messages",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    await page.get_by_test_id("composer-text").fill("断网也不丢")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("messages")).to_contain_text("断网也不丢")
    await page.reload()
    await expect(page.get_by_test_id("messages")).to_contain_text("断网也不丢")
    await page.unroute("**/api/conversations/*/messages")

    async def arrived() -> bool:
        return [one.fields.get("text") for one in shop.douyin.control.received(who, shop.shop)] == ["断网也不丢"]

    await eventually(arrived, seconds=40)
    rows = await messages_of(shop, who)
    assert [row["text"] for row in rows] == ["在吗", "断网也不丢"]


async def test_picture_both_ways(shop: Company, browser: Browser) -> None:
    from tests.pictures import png

    page = await open_page(browser)
    who = shop.customer("图片客户")
    shop.wecom.control.customer_sends_media(shop.kf, who, "image", png(60, 40))
    await sign_in(page, shop.address, "manager")

    async def row_id() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    conversation_id = await eventually(row_id)
    await page.get_by_test_id(f"conversation-{conversation_id}").click()
    shown = page.get_by_test_id("messages").locator("img[src*='/api/attachments/']").first
    await expect(shown).to_be_visible()
    await shown.click()
    await expect(page.get_by_test_id("image-viewer")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("image-viewer")).to_be_hidden()
    await page.get_by_test_id("file-input").first.set_input_files(
        {"name": "报价.png", "mimeType": "image/png", "buffer": png(30, 30, (200, 30, 30))}
    )
    await page.get_by_test_id("send").click()

    async def arrived() -> bool:
        received = shop.wecom.control.received(shop.kf, who)
        return [one.msgtype for one in received] == ["image"]

    await eventually(arrived)
    assert errors_of(page.context) == []


async def test_a_marketer_is_told_that_the_inbox_is_not_theirs(shop: Company, browser: Browser) -> None:
    from scrm.people import create_agent
    from tests.company import PASSWORD

    async with shop.services.work() as work:
        await create_agent(work, login="marketer", name="赵运营", role="marketer", password=PASSWORD)
    page = await open_page(browser)
    await page.goto(shop.address)
    await page.get_by_test_id("login").fill("marketer")
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("me-menu").wait_for()
    await page.goto(f"{shop.address}/inbox")
    await expect(page.get_by_test_id("denied")).to_be_visible()
