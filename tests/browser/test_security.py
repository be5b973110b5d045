"""At the door and behind it, in the browser: a second factor, WeCom's QR code, a role that changes, a number revealed."""

from __future__ import annotations

import time

import pyotp
from playwright.async_api import Browser, expect

from scrm.people import create_agent
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import CORP, PASSWORD, Company


async def test_a_second_factor_is_set_up_and_asked_for(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    await sign_in(page, shop.address, "rep")
    await page.goto(f"{shop.address}/settings/security")
    await page.get_by_test_id("set-up-second-factor").click()
    await page.get_by_test_id("confirm-password").fill(PASSWORD)
    await page.get_by_test_id("begin-second-factor").click()
    await expect(page.get_by_test_id("second-factor-qr").locator("svg")).to_be_visible()
    secret = (await page.get_by_test_id("second-factor-secret").inner_text()).replace(" ", "")
    app = pyotp.TOTP(secret)
    await page.get_by_test_id("second-factor-code").fill(app.now())
    await page.get_by_test_id("confirm-second-factor").click()
    await expect(page.get_by_test_id("recovery-codes")).to_be_visible()
    codes = await page.get_by_test_id("recovery-codes").locator("code").all_inner_texts()
    assert len(codes) == 10
    await page.get_by_test_id("codes-kept").check()
    await page.get_by_test_id("second-factor-done").click()
    await page.get_by_test_id("me-menu").click()
    await page.get_by_test_id("sign-out").click()
    await page.get_by_test_id("login").fill("rep")
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()
    await expect(page.get_by_test_id("unfinished")).to_have_attribute("data-what", "second")
    # Six digits are enough; the button is not needed. The next step's code: the present one may be used up.
    await page.get_by_test_id("code").fill("000000")
    await expect(page.get_by_test_id("code-error")).to_be_visible()
    await page.get_by_test_id("code").fill(app.at(int(time.time()) + 30))
    await expect(page.get_by_test_id("settings")).to_be_visible()
    assert errors_of(page.context) == []


async def test_an_employee_scans_and_is_in(shop: Company, browser: Browser) -> None:
    shop.wecom.control.create_member(CORP, "LiTing", "李婷")
    async with shop.services.work() as work:
        ways = {"agent_id": "1000002", "login_url": shop.wecom.base_url}
        await shop.services.connections.update(work, shop.wecom_id, settings=ways)
        await work.tx.execute(
            "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, 'liting')",
            shop.rep.agent_id, shop.wecom_id,
        )  # fmt: skip
    await shop.services.connections.refresh()
    page = await open_page(browser)
    await page.goto(f"{shop.address}/inbox")
    await page.get_by_test_id("platform-sign-in").click()
    await page.get_by_role("button", name="扫码：李婷").click()
    await expect(page.get_by_test_id("tab-all")).to_be_visible()
    stranger = await open_page(browser)
    await stranger.goto(f"{shop.address}/sign-in")
    await stranger.get_by_test_id("platform-sign-in").click()
    await stranger.get_by_role("button", name="不是本企业的人").click()
    await expect(stranger.get_by_test_id("sign-in-error")).to_be_visible()
    assert errors_of(page.context) == []


async def test_a_role_changes_under_somebodys_hands(shop: Company, browser: Browser) -> None:
    async with shop.services.work() as work:
        await create_agent(work, login="boss", name="老板", role="admin", password=PASSWORD)
    rep, boss = await open_page(browser), await open_page(browser)
    await sign_in(rep, shop.address, "rep")
    await rep.goto(f"{shop.address}/settings/connections")
    await expect(rep.get_by_test_id("denied")).to_be_visible()
    await sign_in(boss, shop.address, "boss")
    await boss.goto(f"{shop.address}/settings/roles")
    await boss.get_by_test_id("add-role").click()
    await boss.get_by_test_id("role-name").fill("组长")
    await boss.get_by_test_id("may-connections.read").check()
    await boss.get_by_test_id("may-library.read").check()
    await boss.get_by_test_id("reach-all").check()
    await boss.get_by_test_id("save-role").click()
    await expect(boss.get_by_test_id("save-role")).to_have_count(0)
    await boss.goto(f"{shop.address}/settings/people")
    await boss.get_by_test_id(f"person-{shop.rep.agent_id}").click()
    await boss.get_by_test_id("person-role").select_option(label="组长")
    await boss.get_by_test_id("save-person").click()
    await expect(boss.get_by_test_id("save-person")).to_have_count(0)
    await rep.reload()
    await expect(rep.get_by_test_id(f"connection-{shop.wecom_id}")).to_be_visible()
    await boss.goto(f"{shop.address}/audit/trail")
    await expect(boss.get_by_test_id("trail").locator("[data-action='agent.role_set']").first).to_be_visible()
    assert errors_of(rep.context) + errors_of(boss.context) == []
