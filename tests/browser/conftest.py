"""A real Chromium in front of a whole company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from scrm.config import Settings
from tests.company import PASSWORD, Company, company
from tests.tools import chromium

# The first run of Chromium must not look for its maker's servers.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    async with company(settings) as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = chromium()
    assert program, "There is no Chromium; `make test` installs one."
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=program, args=QUIET)
        yield launched
        await launched.close()


async def open_page(
    browser: Browser, *, phone: bool = False, language: str = "zh-CN", dark: bool = False, zone: str | None = None
) -> Page:
    """A fresh profile whose page complains loudly: an uncaught error in the page fails the test at its end."""
    context = await browser.new_context(
        viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
        locale=language,
        timezone_id=zone,
        color_scheme="dark" if dark else "light",
        has_touch=phone,
        is_mobile=phone,
        device_scale_factor=1,
    )
    page = await context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: errors_of(context).append(str(error)))
    return page


_errors: dict[int, list[str]] = {}


def errors_of(context: BrowserContext) -> list[str]:
    return _errors.setdefault(id(context), [])


async def sign_in(page: Page, address: str, login: str, *, password: str = PASSWORD) -> None:
    """To the list of all conversations."""
    await page.goto(address)
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(password)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("tab-all").click()
