"""The first view is light and does not jump, and opening a long conversation is cheap."""

from __future__ import annotations

from statistics import median

from playwright.async_api import Browser, expect

from tests.browser.conftest import errors_of, open_page
from tests.browser.opening import WATCH_SHIFTS, Load, MainThread, cost_of_opening, long_thread, shifts
from tests.company import PASSWORD, Company, eventually

SIGN_IN_OCTETS = 180 * 1024
INBOX_OCTETS = 350 * 1024
LARGEST_SHIFT = 0.05
MOST_CALLS = 8
MOST_LAYOUTS = 18
MOST_ELEMENTS = 2_000
ROWS = "[data-testid^=conversation-]:not([data-testid=conversation-list])"


async def test_light_steady_and_quick(shop: Company, browser: Browser) -> None:
    db = shop.services.db
    for n in range(6):
        shop.douyin.control.write(shop.shopper(f"李小姐{n}"), shop.shop, "在直播间看到的护眼灯，适合三年级的孩子吗？")
    await eventually(lambda: db.fetchval("select count(*) = 6 from conversation"))
    ids = [row["id"] for row in await db.fetch("select id from conversation order by id")]
    for one in ids:
        await long_thread(db, one)

    page = await open_page(browser)
    await page.add_init_script(WATCH_SHIFTS)
    load = await Load.watch(page)
    await page.goto(f"{shop.address}/inbox?view=all")
    await expect(page.get_by_test_id("sign-in")).to_be_visible()
    assert 0 < load.total < SIGN_IN_OCTETS, load.octets
    await page.get_by_test_id("login").fill("manager")
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()
    await expect(page.locator(ROWS)).to_have_count(6)
    assert load.total < INBOX_OCTETS, load.octets
    signed_in = sum(value for value, _ in await shifts(page))
    assert signed_in < LARGEST_SHIFT, await shifts(page)

    # A visit with the session: what a rep sees every morning.
    await page.goto(f"{shop.address}/inbox?view=all")
    await expect(page.locator(ROWS)).to_have_count(6)
    main = await MainThread.watch(page)
    costs = [await cost_of_opening(page, main, f"[data-testid=conversation-{one}]") for one in ids]
    elements = await page.evaluate("document.querySelectorAll('*').length")
    jumps = await shifts(page)
    assert sum(value for value, _ in jumps) < LARGEST_SHIFT, jumps
    # What makes an opening slow on any machine: questions to the server, layouts thrown away, elements nobody sees.
    assert median(cost.calls for cost in costs) <= MOST_CALLS, costs
    assert median(cost.layouts for cost in costs) <= MOST_LAYOUTS, costs
    assert elements <= MOST_ELEMENTS
    print(
        f"first view {load.total / 1024:.0f} KB, shifts {sum(v for v, _ in jumps):.4f}, {elements} elements, "
        f"opening {[round(cost.milliseconds) for cost in costs]} ms, {costs[-1].calls} calls, {costs[-1].layouts} layouts"
    )
    assert errors_of(page.context) == []
