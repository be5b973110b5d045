"""``make screenshots``: every page of the running demo, in both themes and languages and three widths, into ``screenshots/``."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.conftest import QUIET
from tests.tools import chromium

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "screenshots"
WIDTHS = {"wide": (1440, 900), "middle": (1100, 800), "phone": (390, 844)}
PAGES = {"connections": "settings/connections", "events": "events", "people": "people", "me": "me"}
READY = re.compile(r"Open (http://\S+) .*password: (\S+)")


def start_demo(folder: Path) -> tuple[subprocess.Popen[str], str, str]:
    """The demo as a process, its address and its password."""
    program = [sys.executable, "-m", "scrm.cli", "demo", "--port", "8799", "--data-dir", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    assert process.stdout is not None
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        found = READY.search(process.stdout.readline())
        if found:
            return process, found[1], found[2]
    process.terminate()
    raise SystemExit("the demo did not start")


async def shoot(browser: Browser, address: str, password: str, *, language: str, dark: bool, width: str) -> None:
    name = f"{width}-{'dark' if dark else 'light'}-{language}"
    size = WIDTHS[width]
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language,
        color_scheme="dark" if dark else "light",
        is_mobile=width == "phone",
        has_touch=width == "phone",
    )
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_test_id("login").wait_for()
    await save(page, f"sign-in-{name}")
    await page.get_by_test_id("login").fill("admin")
    await page.get_by_test_id("password").fill(password)
    await page.get_by_test_id("sign-in").click()
    await page.goto(f"{address}/settings/me")
    await page.get_by_test_id(f"language-{language}").check(force=True)
    await page.goto(f"{address}/inbox")
    await page.get_by_test_id("tab-all").click()
    rows = page.locator("[data-testid^=conversation-]:not([data-testid=conversation-list])")
    await rows.first.wait_for()
    await save(page, f"list-{name}")
    await rows.nth(2).click()
    await page.get_by_test_id("messages").wait_for()
    await save(page, f"thread-{name}")
    for one, path in PAGES.items():
        await page.goto(f"{address}/{path}")
        await page.wait_for_load_state("domcontentloaded")
        await save(page, f"{one}-{name}")
    await context.close()


async def save(page: Page, name: str) -> None:
    # Fonts and pictures settle within a moment; this is for the eye, not a test.
    await page.wait_for_timeout(700)
    await page.screenshot(path=str(OUT / f"{name}.png"))


async def main() -> None:
    OUT.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="scrm-shots-", dir="/tmp"))
    folder.chmod(0o711)
    process, address, password = start_demo(folder)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=QUIET)
            for language in ("zh-CN", "en"):
                for dark in (False, True):
                    for width in WIDTHS:
                        await shoot(browser, address, password, language=language, dark=dark, width=width)
            await browser.close()
    finally:
        process.terminate()
        process.wait(30)
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}")


if __name__ == "__main__":
    asyncio.run(main())
