"""Every form takes what is typed. Real keys go to whatever has the focus: a test that sets values from outside would not see a
dialog that sends the focus away."""

from __future__ import annotations

from playwright.async_api import Browser, Locator, Page, TimeoutError

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.browser.states import OPENERS, Visit, pages
from tests.company import Company

FIELDS = (
    "[role=dialog] :is(textarea, input:is(:not([type]), [type=text], [type=password], [type=search], [type=number]))"
    ":not([readonly]):not([disabled])"
)
KEYS = "57"
"""Fits text, numbers and passwords."""


async def holds(page: Page, field: Locator) -> bool:
    await field.click()
    await page.keyboard.press("End")
    await page.keyboard.type(KEYS)
    return (await field.input_value()).endswith(KEYS)


async def opened(page: Page, visit: Visit) -> bool:
    """Whether the page has a button that opens a form; it is pressed then. One that stood in an empty list goes when the rows come."""
    opener = page.locator(OPENERS).first
    for _ in range(3):
        try:
            await opener.wait_for(state="visible", timeout=1_500)
        except TimeoutError:
            return False
        try:
            await opener.click(timeout=5_000)
        except TimeoutError:
            await visit.settled()
        else:
            return True
    return False


async def test_every_dialog_takes_what_is_typed(shop: Company, browser: Browser) -> None:
    await shop.services.db.execute("update agent set role = 'admin' where login = 'manager'")
    page = await open_page(browser)
    # Who leaves a form that was begun is asked; here everything may be left.
    page.on("dialog", lambda dialog: dialog.accept())
    await sign_in(page, shop.address, "manager")
    visit = Visit(page, shop.address, phone=False)
    typed: dict[str, int] = {}
    deaf: list[str] = []
    for name, path in (await pages(page)).items():
        await visit.go(path)
        await visit.settled()
        if not await opened(page, visit):
            continue
        await visit.settled()
        for field in await page.locator(FIELDS).all():
            # The search field of a select shows only while it is open.
            if await field.is_visible() and await field.evaluate("one => !one.closest('.n-base-selection')"):
                typed[name] = typed.get(name, 0) + 1
                if not await holds(page, field):
                    label = await field.get_attribute("aria-label") or await field.get_attribute("placeholder")
                    deaf.append(f"{name}: {label}")
    assert deaf == []
    assert {"rules", "connections", "macros", "library"} <= typed.keys(), typed
    assert errors_of(page.context) == []
