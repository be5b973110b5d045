"""``make screenshots``: every page and main state of the running demo, in both themes and languages and three widths, into
``screenshots/``. A part of them: ``make screenshots ARGS="--only 'inbox|people' --widths phone --themes dark --languages en"``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser, Error, Page, async_playwright

from tests.browser.conftest import QUIET
from tests.browser.states import KEYBOARD_ONLY, OPENERS, STATES, Visit, pages
from tests.tools import chromium

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "screenshots"
WIDTHS = {"wide": (1440, 900), "middle": (1100, 800), "phone": (390, 844)}
READY = re.compile(r"Open (http://\S+) .*password: (\S+)")
HOME = {"zh-CN": "会话", "en": "Inbox"}
"""What the first entry of the navigation is called: the proof that the page speaks the language it should."""


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


class Session:
    """One signed-in browser of one language, theme and width."""

    def __init__(self, page: Page, address: str, name: str, *, only: re.Pattern[str], phone: bool) -> None:
        self.visit = Visit(page, address, phone)
        self.page = page
        self.name = name
        self.only = only
        self.missed: list[str] = []

    async def all(self) -> None:
        for name, path in (await pages(self.page)).items():
            if self.only.search(name) and name not in ("sign-in", "home"):
                await self.visit.go(path)
                await self.save(name)
                await self.dialog(name)
        for name, act in STATES.items():
            if self.only.search(name) and not (self.visit.phone and name in KEYBOARD_ONLY):
                try:
                    await act(self.visit)
                except Error as error:
                    self.missed.append(f"{name}-{self.name}: {str(error).splitlines()[0]}")
                await self.save(name)

    async def dialog(self, name: str) -> None:
        """The form behind the page's first button that adds something."""
        opener = self.page.locator(OPENERS).first
        if not await opener.count() or not await opener.is_visible() or await opener.is_disabled():
            return
        await opener.click()
        await self.save(f"{name}-form")

    async def save(self, name: str) -> None:
        await self.visit.settled()
        # Transitions and pictures settle within a moment; this is for the eye, not a test.
        await self.page.wait_for_timeout(350)
        await self.page.screenshot(path=str(OUT / f"{name}-{self.name}.png"))


async def shoot(
    browser: Browser,
    address: str,
    password: str,
    only: re.Pattern[str],
    *,
    login: str,
    language: str,
    theme: str,
    width: str,
) -> list[str]:
    phone = width == "phone"
    context = await browser.new_context(
        viewport={"width": WIDTHS[width][0], "height": WIDTHS[width][1]},
        locale=language,
        color_scheme="dark" if theme == "dark" else "light",
        is_mobile=phone,
        has_touch=phone,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.set_default_timeout(8000)
    session = Session(page, address, f"{width}-{theme}-{language}", only=only, phone=phone)
    await page.goto(address)
    await page.get_by_test_id("login").wait_for()
    if only.search("sign-in"):
        await session.save("sign-in")
    await page.get_by_test_id("login").fill(login)
    await page.get_by_test_id("password").fill(password)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("me-menu").wait_for(state="attached")
    await speak(page, language)
    await session.all()
    await context.close()
    return session.missed


async def speak(page: Page, language: str) -> None:
    """The account's language, and the proof that the page took it."""
    status = await page.evaluate(
        """async (language) => {
          const headers = { 'Content-Type': 'application/json' }
          const me = await (await fetch('/api/session')).json()
          headers['X-CSRF-Token'] = me.csrf_token
          return (await fetch('/api/me', { method: 'PATCH', headers, body: JSON.stringify({ language }) })).status
        }""",
        language,
    )
    assert status == 200, status
    await page.reload()
    entry = page.get_by_test_id("nav-inbox")
    await entry.wait_for(state="attached")
    spoken = await entry.get_attribute("aria-label") or ""
    assert HOME[language] in spoken, f"The page says {spoken!r} where {language} was asked for."
    assert await page.evaluate("document.documentElement.lang") == language


async def main(options: argparse.Namespace) -> int:
    OUT.mkdir(exist_ok=True)
    if options.address:
        return await all_of(options, options.address, options.password)
    folder = Path(tempfile.mkdtemp(prefix="scrm-shots-", dir="/tmp"))
    folder.chmod(0o711)
    process, address, password = start_demo(folder)
    try:
        return await all_of(options, address, password)
    finally:
        process.terminate()
        process.wait(30)


async def all_of(options: argparse.Namespace, address: str, password: str) -> int:
    only = re.compile(options.only)
    missed: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        # One language after the other: it belongs to the account.
        for language in options.languages.split(","):
            for theme in options.themes.split(","):
                for width in options.widths.split(","):
                    missed += await shoot(
                        browser, address, password, only, login=options.login, language=language, theme=theme, width=width
                    )  # fmt: skip
        await browser.close()
    for line in missed:
        print(f"not reached: {line}")
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}")
    return 1 if missed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--only", default="", help="pages and states whose name this expression finds")
    parser.add_argument("--themes", default="light,dark")
    parser.add_argument("--widths", default=",".join(WIDTHS))
    parser.add_argument("--languages", default=",".join(HOME))
    parser.add_argument("--address", default="", help="a demo that runs already; otherwise one is started")
    parser.add_argument("--login", default="admin")
    parser.add_argument("--password", default="qinghe-demo")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(arguments())))
