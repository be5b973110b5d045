"""Money from the totals to the chat around one payment, what was only spoken of, and a threshold that holds. In both languages, on a phone too."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from inbox.archived import write_down
from scrm.channel import AccountRef, ContactRef, Kind, MessageReceived, SenderKind
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import CORP, Company
from tests.http.site import eventually

OUT = os.environ.get("MONEY_SHOTS")
CHANNEL = "wecom_member"


async def shot(page: Page, name: str) -> None:
    """For looking at: only where somebody asks for it."""
    if OUT:
        await page.wait_for_timeout(700)
        await page.screenshot(path=str(Path(OUT) / f"{name}.png"))


async def furnish(shop: Company) -> None:
    """A chat of three days ago with a red packet and a transfer that is only spoken of; a bill with a refund."""
    db = shop.services.db
    await db.execute(
        "insert into account (connection_id, channel, external_id, name) values ($1, $2, 'linan', '李楠')",
        shop.wecom_id,
        CHANNEL,
    )
    zhou = shop.customer("周航")
    began = shop.services.clock.now() - timedelta(days=3)

    def says(n: int, text: str, *, out: bool = True, kind: Kind = Kind.TEXT, **content: Any) -> MessageReceived:
        return MessageReceived(
            account=AccountRef(CHANNEL, "linan"), contact=ContactRef(zhou), message_id=f"money-{n}",
            direction="out" if out else "in", kind=kind, text=text, sent_at=began + timedelta(minutes=n), content=content,
            sender=SenderKind.AGENT if out else SenderKind.CUSTOMER, sender_id="linan" if out else zhou,
        )  # fmt: skip

    packet = {
        "platform_type": "external_redpacket",
        "scope": "customer",
        "count": 1,
        "total_fen": 6600,
        "packet_type": 1,
    }
    said = [
        says(0, "安装费给谁？", out=False), says(1, "你先转我 800，微信"), says(2, "好，转你微信了，八百", out=False),
        says(3, "红包发你了"), says(4, "[红包]", kind=Kind.OTHER, **packet),
    ]  # fmt: skip
    loaded = await shop.services.connections.get(shop.wecom_id)
    async with shop.services.work() as work:
        await write_down(work, loaded, said)
    await db.execute("update contact set name = '周航' where external_id = $1", zhou)
    paid = int((began + timedelta(days=1)).timestamp())
    trade = shop.wecom.control.pay(CORP, "linan", zhou, 128_050, goods="沙发尾款", at=paid)
    shop.wecom.control.pay_back(CORP, trade, 28_050, at=paid + 3600)
    await db.execute("update agent set role = 'admin' where login = 'manager'")
    await db.execute("update payment_bills set due_at = now(), failures = 0")


async def test_where_money_moved(shop: Company, browser: Browser) -> None:
    await furnish(shop)
    await eventually(lambda: shop.services.db.fetchval("select count(*) = 3 from payment"))
    await eventually(lambda: shop.services.db.fetchval("select count(*) > 0 from payment_claim where state = 'unseen'"))
    page = await open_page(browser)
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/audit/money")
    await expect(page.get_by_test_id("total-in")).to_have_text("¥1,280.50")
    await expect(page.get_by_test_id("total-net")).to_have_text("¥1,000.00")
    await expect(page.get_by_test_id("total-packetsOut")).to_have_text("¥66.00")
    rows = page.get_by_test_id("payments").locator("tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.filter(has_text="沙发尾款")).to_contain_text("已退 ¥280.50")
    await page.get_by_test_id("money-kind").select_option("red_packet_customer")
    await expect(rows).to_have_count(1)
    await shot(page, "list")
    await rows.first.get_by_role("link", name="看前后消息").click()
    await expect(page).to_have_url(re.compile(r"/audit\?conversation=\d+&seq=5"))
    await page.go_back()

    await page.get_by_test_id("money-tab-claims").click()
    claims = page.get_by_test_id("claims").get_by_role("listitem")
    await expect(claims.filter(has_text="转你微信了，八百")).to_contain_text("没有看到")
    await expect(claims.filter(has_text="红包发你了")).to_contain_text("看到：客户红包 ¥66.00")
    await page.get_by_test_id("claims-unseen").click()
    await expect(claims.filter(has_text="红包发你了")).to_have_count(0)
    await shot(page, "claims")

    await page.get_by_test_id("open-thresholds").click()
    await page.get_by_test_id("limit-single").fill("12,3.456")
    await page.get_by_test_id("limit-save").click()
    await expect(page.get_by_test_id("thresholds").get_by_role("alert")).to_be_visible()
    await page.get_by_test_id("limit-single").fill("1234.5")
    await shot(page, "thresholds")
    await page.get_by_test_id("limit-save").click()
    await expect(page.get_by_test_id("thresholds")).to_have_count(0)
    assert (
        await shop.services.db.fetchval("select value ->> 'single_fen' from company_setting where key = 'money'")
        == "123450"
    )
    async with page.expect_download() as waiting:
        await page.get_by_test_id("export-csv").click()
    text = Path(await (await waiting.value).path()).read_text("utf-8-sig")
    assert "客户红包" in text
    assert "导出，仅供本次用途" in text.splitlines()[-1]
    assert await shop.services.db.fetchval("select count(*) from audit_event where action = 'payments.exported'") == 1

    await shop.services.db.execute("update agent set language = 'en' where login = 'manager'")
    phone = await open_page(browser, phone=True, language="en", dark=True)
    await sign_in(phone, shop.address, "manager")
    await phone.goto(f"{shop.address}/audit/money?tab=claims")
    await expect(phone.get_by_test_id("claims")).to_contain_text("perhaps paid privately")
    await shot(phone, "phone")
    assert not await phone.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not errors_of(page.context)
    assert not errors_of(phone.context)
