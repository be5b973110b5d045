"""From a word to the chat around it: search, facets, finds, the chat as it happened, and the trail that tells of it. Both languages, phone too."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from inbox.archived import Said, Withdrawn, write_down
from scrm.channel import AccountRef, ContactRef, Kind, MessageRecalled, MessageReceived, SenderKind
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company

OUT = os.environ.get("FINDER_SHOTS")
CHANNEL = "wecom_member"
BEGAN = datetime(2026, 2, 20, 3, 5, tzinfo=UTC)
VERSIONS = "select sum(c.version) from conversation c join account a on a.id = c.account_id and a.channel = $1"
FAR = 60
"""Messages after what is looked for: the chat opens at its place, not at its end."""


async def shot(page: Page, name: str) -> None:
    """For looking at: only where somebody asks for it."""
    if OUT:
        await page.wait_for_timeout(500)
        await page.screenshot(path=str(Path(OUT) / f"{name}.png"))


def says(
    contact: str, n: int, text: str, *, out: bool = False, kind: Kind = Kind.TEXT, **content: Any
) -> MessageReceived:
    return MessageReceived(
        account=AccountRef(CHANNEL, "linan"),
        contact=ContactRef(contact),
        message_id=f"{contact}-{n}",
        direction="out" if out else "in",
        kind=kind,
        text=text,
        sent_at=BEGAN + timedelta(minutes=n),
        content=content,
        sender=SenderKind.AGENT if out else SenderKind.CUSTOMER,
        sender_id="linan" if out else contact,
        sender_name="李楠" if out else "",
    )


async def furnish(shop: Company) -> None:
    """Two archived chats of one employee, one of them with a friend who is gone."""
    db = shop.services.db
    account = await db.fetchval(
        "insert into account (connection_id, channel, external_id, name) values ($1, $2, 'linan', '李楠') returning id",
        shop.wecom_id, CHANNEL,
    )  # fmt: skip
    zhou, chen = shop.customer("周航"), shop.customer("陈立群")
    packet = {
        "platform_type": "external_redpacket",
        "scope": "customer",
        "wish": "恭喜发财",
        "count": 1,
        "total_fen": 20000,
    }
    said: list[Said] = [
        says(zhou, 0, "能再便宜点吗"),
        says(zhou, 2, "尾款我先转你微信，合同写原价，差的两百直接发红包", out=True),
        Withdrawn(
            MessageRecalled(AccountRef(CHANNEL, "linan"), ContactRef(zhou), f"{zhou}-2", "agent", BEGAN + timedelta(minutes=3)),
            None,
        ),
        says(zhou, 4, "[红包] 恭喜发财", out=True, kind=Kind.OTHER, **packet),
        *[says(zhou, 5 + n, f"第 {n + 1} 件安装好了") for n in range(FAR)],
        says(chen, 90, "发票信息我加你微信，稍后转你电子版"),
    ]  # fmt: skip
    loaded = await shop.services.connections.get(shop.wecom_id)
    async with shop.services.work() as work:
        await write_down(work, loaded, said)
    await db.execute(
        "update contact set name = case external_id when $1 then '周航' else '陈立群' end where external_id in ($1, $2)",
        zhou,
        chen,
    )
    await db.execute(
        """insert into contact_link (contact_id, account_id, state, ended_at) select id, $2, 'deleted_by_contact', $3 from contact
        where external_id = $1""",
        chen, account, BEGAN + timedelta(days=1),
    )  # fmt: skip
    await db.execute("update agent set role = 'admin' where login = 'manager'")


async def test_from_a_word_to_the_chat_around_it(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    before = await shop.services.db.fetchval(VERSIONS, CHANNEL)
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/audit")
    field = page.get_by_test_id("finder-words")
    await expect(field).to_be_visible()
    await page.keyboard.press("/")
    await expect(field).to_be_focused()
    await page.keyboard.type("转你")
    await page.keyboard.press("Enter")
    hits = page.locator("[data-hit]")
    await expect(hits).to_have_count(2)
    await expect(page.get_by_test_id("finder-count")).to_contain_text("2 条消息 · 2 个会话")
    await expect(hits.filter(has_text="陈立群")).to_contain_text("好友已被客户删除")
    # A facet narrows, stands in the address, and goes again.
    await page.get_by_test_id("facet-state-deleted_friend").click()
    await expect(hits).to_have_count(1)
    assert "state=deleted_friend" in page.url
    await page.get_by_test_id("filter-state").click()
    await expect(hits).to_have_count(2)
    await page.get_by_test_id("facet-state-recalled").click()
    await expect(hits).to_have_count(1)
    # By keyboard to the chat, at the place of the find.
    await page.get_by_test_id("finder-count").click()
    await page.keyboard.press("j")
    await expect(hits).to_be_focused()
    await page.keyboard.press("Enter")
    chat = page.get_by_test_id("chat")
    await expect(chat.get_by_test_id("chat-title")).to_have_text("李楠 ↔ 周航")
    recalled = chat.locator("article.recalled")
    await expect(recalled.locator("del mark")).to_have_text("转你")
    await expect(recalled.locator("time").first).to_have_text("11:08")
    await expect(recalled).to_be_in_viewport()
    await expect(chat.get_by_test_id("red-packet")).to_contain_text("¥200.00")
    await shot(page, "finder-zh")
    # Looking changes nothing in the chat, and there is nothing to write with; but a line in the trail.
    await expect(chat.get_by_test_id("composer")).to_have_count(0)
    assert await shop.services.db.fetchval(VERSIONS, CHANNEL) == before
    await page.goto(f"{shop.address}/audit/trail")
    await expect(page.get_by_text("查看了存档中的会话").first).to_be_visible()
    await expect(page.get_by_text("搜索了存档").first).to_be_visible()
    assert errors_of(page.context) == []

    # The same link in English on a phone: one pane at a time.
    await shop.services.db.execute("update agent set language = 'en' where login = 'manager'")
    phone = await open_page(browser, phone=True, language="en")
    await phone.goto(shop.address)
    await phone.get_by_test_id("login").fill("manager")
    await phone.get_by_test_id("password").fill("correct horse battery")
    await phone.get_by_test_id("sign-in").click()
    await phone.get_by_test_id("tab-all").wait_for()
    await phone.goto(f"{shop.address}/audit?q=转你&state=recalled")
    hit = phone.locator("[data-hit]")
    await expect(hit).to_contain_text("Recalled")
    await expect(phone.get_by_test_id("finder-count")).to_contain_text("1 messages")
    await shot(phone, "finder-en-phone")
    await hit.tap()
    await expect(phone.get_by_test_id("chat-title")).to_be_visible()
    await expect(hit).to_be_hidden()
    await expect(phone.get_by_test_id("red-packet")).to_contain_text("Red packet ¥200.00")
    await shot(phone, "finder-en-phone-chat")
    await phone.get_by_test_id("chat-back").tap()
    await expect(hit).to_be_visible()
    assert errors_of(phone.context) == []
