"""Answering without a mouse: quick replies by a few letters, several pieces, notes with a mention, later instead of now."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.browser.test_weak_network import arrive, open_chat
from tests.company import Company, eventually
from tests.flows.reads import conversation_of
from tests.pictures import png


async def test_kept_on_the_page_found_by_initials_and_sent_in_order(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/library")
    await page.get_by_test_id("add-reply").click()
    form = page.get_by_test_id("reply-form")
    await form.get_by_test_id("reply-title").fill("发货时效")
    await form.get_by_test_id("place-company").check()
    await form.get_by_test_id("part-0").fill("{{customer.name}}您好，今天发货")
    await form.get_by_test_id("reply-file").set_input_files(
        {"name": "面单.png", "mimeType": "image/png", "buffer": png(30, 20)}
    )
    await form.get_by_test_id("add-text").click()
    await form.get_by_test_id("part-2").fill("明天就到{{customer.city}}")
    await form.get_by_test_id("save-reply").click()
    await expect(page.get_by_test_id("reply-list")).to_contain_text("发货时效")

    conversation_id, who = await open_chat_here(shop, page)
    box = page.get_by_test_id("composer-text")
    await box.press_sequentially("/fhsx")
    await expect(page.get_by_test_id("reply-popup")).to_contain_text("发货时效")
    await page.keyboard.press("Enter")
    # No city is known: the page says what is missing and sends nothing.
    await expect(page.get_by_test_id("holes")).to_be_visible()
    await expect(page.get_by_test_id("send")).to_be_disabled()
    await page.keyboard.press("Enter")
    await page.get_by_test_id("tray-text").nth(1).fill("明天就到杭州")
    await box.press_sequentially("有问题找我")
    await page.keyboard.press("Enter")
    await arrive(shop, who, ["小李您好，今天发货", "image", "明天就到杭州", "有问题找我"])
    uses = await shop.services.db.fetchval("select uses from quick_reply")
    assert uses == 1
    assert errors_of(page.context) == []
    assert conversation_id


async def open_chat_here(shop: Company, page: Page) -> tuple[int, str]:
    """A customer wrote to a page whose user is signed in already."""
    who = shop.customer("小李")
    shop.wecom.control.customer_says(shop.kf, who, "什么时候发货")

    async def row_id() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    conversation_id = await eventually(row_id)
    await page.goto(f"{shop.address}/inbox/{conversation_id}?view=all")
    await expect(page.get_by_test_id("messages")).to_contain_text("什么时候发货")
    return conversation_id, who


async def test_a_note_with_a_mention_and_an_answer_for_later(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    conversation_id, who = await open_chat(shop, page, "稍后客户")
    await page.get_by_test_id("mode-note").click()
    note = page.get_by_test_id("note-text")
    await note.press_sequentially("@李")
    await expect(page.get_by_test_id("mention-popup")).to_contain_text("李婷")
    await page.keyboard.press("Enter")
    await note.press_sequentially("请跟进")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("messages")).to_contain_text("@李婷 请跟进")
    told = "select count(*) from notification where agent_id = $1 and kind = 'mention'"

    async def mentioned() -> bool:
        return bool(await shop.services.db.fetchval(told, shop.rep.agent_id))

    await eventually(mentioned)

    await page.get_by_test_id("mode-reply").click()
    await page.get_by_test_id("composer-text").fill("明早给您回电")
    await page.get_by_test_id("send-ways").click()
    await page.get_by_test_id("send-later").click()
    await page.get_by_test_id("moment-morning").click()
    waits = page.get_by_test_id("scheduled")
    await expect(waits).to_contain_text("明早给您回电")
    await expect(page.get_by_test_id("composer-text")).to_have_value("")
    await waits.get_by_test_id("scheduled-edit").click()
    await waits.get_by_test_id("scheduled-text").fill("明早九点给您回电")
    await waits.get_by_test_id("scheduled-save").click()
    await expect(waits).to_contain_text("明早九点给您回电")
    # A colleague sees it too, and sees it go.
    other = await open_page(browser)
    await sign_in(other, shop.address, "rep")
    await other.goto(f"{shop.address}/inbox/{conversation_id}")
    await expect(other.get_by_test_id("scheduled")).to_contain_text("明早九点给您回电")
    await shop.services.db.execute("update scheduled_message set due_at = now()")
    await arrive(shop, who, ["明早九点给您回电"])
    await expect(other.get_by_test_id("scheduled")).to_be_hidden()
    await expect(page.get_by_test_id("scheduled")).to_be_hidden()
    assert errors_of(page.context) == errors_of(other.context) == []
