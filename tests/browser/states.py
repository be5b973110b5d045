"""Every page of the product, and the main states of each: how a browser gets there. Walked by the test of accessibility and by
``make screenshots``. The list of pages comes from the page's own router, so a new page is walked without a word here; one that
needs more than its address has an entry in :data:`STATES`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Error, Locator, Page

ROWS = "[data-testid^=conversation-]:not([data-testid=conversation-list])"
OPENERS = "[data-testid^=add-], [data-testid^=new-]"
"""Buttons that open a form or a dialog, on any page."""


STILL = """
() => !document.querySelector('[aria-busy=true], .skeleton, .spin')
  && document.getAnimations().every((one) => one.playState !== 'running')
"""


GO = """
(path) => {
  const position = (history.state?.position ?? 0) + 1
  const state = { back: history.state?.current ?? null, current: path, forward: null, replaced: false, position, scroll: null }
  history.pushState(state, '', path)
  dispatchEvent(new PopStateEvent('popstate', { state }))
}
"""


@dataclass(frozen=True, slots=True)
class Visit:
    page: Page
    address: str
    phone: bool

    def at(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def go(self, path: str) -> None:
        """By the router, as a click would."""
        await self.page.evaluate(GO, path)
        await (
            self.page.get_by_test_id("me-menu").or_(self.page.get_by_test_id("login")).first.wait_for(state="attached")
        )

    async def settled(self) -> None:
        """Nothing is loading or moving any more."""
        with contextlib.suppress(Error):
            await self.page.wait_for_function(STILL, timeout=4000)

    async def open_list(self) -> None:
        """From wherever one is; what was open is closed."""
        await self.page.keyboard.press("Escape")
        await self.go("/inbox?view=all")
        await self.page.locator(ROWS).first.wait_for()

    async def open_thread(self, containing: str = "") -> None:
        """The first conversation, or the first whose row has these words."""
        await self.open_list()
        rows = self.page.locator(ROWS)
        row = rows.filter(has_text=containing).first if containing else rows.first
        if containing and not await row.count():
            row = rows.first
        await row.click()
        await self.at("messages").wait_for()


async def _list(visit: Visit) -> None:
    await visit.open_list()


async def _thread(visit: Visit) -> None:
    await visit.open_thread()


async def _customer(visit: Visit) -> None:
    await visit.open_thread()
    opener = visit.at("open-customer")
    if await opener.is_visible():
        await opener.click()
    await visit.at("customer").wait_for()


async def _quick_replies(visit: Visit) -> None:
    await visit.open_thread()
    await visit.at("composer-text").click()
    await visit.page.keyboard.type("/")
    await visit.page.get_by_role("listbox").first.wait_for(timeout=3000)


async def _assign(visit: Visit) -> None:
    await visit.open_thread()
    await visit.at("assign").click()


async def _command(visit: Visit) -> None:
    await visit.open_thread()
    await visit.page.keyboard.press("Control+k")
    await visit.page.get_by_role("dialog").first.wait_for()


async def _help(visit: Visit) -> None:
    await visit.open_list()
    await visit.page.keyboard.press("?")
    await visit.at("help").wait_for()


async def _menu(visit: Visit) -> None:
    await visit.open_list()
    await visit.at("me-menu").click()


async def _viewer(visit: Visit) -> None:
    await visit.open_list()
    rows = visit.page.locator(ROWS)
    for n in range(min(await rows.count(), 8)):
        await visit.open_list() if n and visit.phone else None
        await rows.nth(n).click()
        await visit.at("messages").wait_for()
        picture = visit.at("messages").locator("img[src*='/api/attachments/']").first
        with contextlib.suppress(Error):
            await picture.wait_for(timeout=1000)
            await picture.click()
            await visit.at("image-viewer").wait_for()
            return


STATES: dict[str, Callable[[Visit], Awaitable[None]]] = {
    "inbox-list": _list,
    "inbox-thread": _thread,
    "inbox-customer": _customer,
    "inbox-quick-replies": _quick_replies,
    "inbox-assign": _assign,
    "inbox-viewer": _viewer,
    "command-bar": _command,
    "help": _help,
    "me-menu": _menu,
}
"""States beyond an address. A desk is not needed for any of them."""

KEYBOARD_ONLY = {"command-bar", "help"}
"""Opened with a key: not on a phone."""

EXAMPLES: dict[str, dict[str, str]] = {
    "inbox": {"inbox": "/inbox?view=all"},
    "library": {"library": "/library/quick-replies", "library-materials": "/library/materials"},
    "handover": {"handover": "/customers/hand-over/1"},
    "customer": {"customer": "/customers/1"},
    "groups": {"groups": "/groups"},
    "codes": {"codes": "/codes"},
    "campaigns": {
        "campaigns": "/campaigns",
        "campaigns-calendar": "/campaigns/calendar",
        "moments": "/campaigns/moments",
    },
    "moment-edit": {"moment-edit": "/campaigns/moments/2/edit", "moment": "/campaigns/2"},
    "campaign": {"campaign": "/campaigns/1"},
    "content": {"content": "/campaigns/library/1"},
    "content-edit": {"content-edit": "/campaigns/library/1/edit"},
    "campaign-edit": {"campaign-edit": "/campaigns/1/edit"},
    "invites": {"invites": "/invites", "invites-new": "/invites/new"},
    "sops": {"sops": "/sops", "sop": "/sops/1"},
    "sop-edit": {"sop-edit": "/sops/1/edit"},
    "lost": {"lost": "/nowhere-at-all"},
}
"""Addresses of pages whose path has parameters."""


async def pages(page: Page) -> dict[str, str]:
    """The address of every page by name, from the router itself. One with parameters and without an example is an error."""
    found: dict[str, str] = {}
    for route in await page.evaluate("window.__scrm.pages()"):
        name, path = str(route["name"]), str(route["path"])
        examples = EXAMPLES.get(name, {name: path})
        assert not any(re.search(r"[:*(]", one) for one in examples.values()), (
            f"The page {name} ({path}) needs an example address in tests/browser/states.py."
        )
        found.update(examples)
    return found
