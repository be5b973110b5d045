"""Axe finds nothing serious on any page: every page of the router and the main states, light and dark, at a desk and on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Error, Page

from campaigns.library.write import NewSaved, save
from campaigns.life import write
from campaigns.life.content import PostsInput
from campaigns.life.write import NewCampaign
from campaigns.sop import write as sop
from campaigns.sop.shapes import Added, SopPlan, SopStep
from campaigns.sop.write import NewSop
from customers.greetings.content import GreetingContentInput
from inbox.library.quick_replies import QuickReplyInput, add_reply
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.browser.states import KEYBOARD_ONLY, OPENERS, STATES, Visit, pages
from tests.company import Company, eventually
from tests.flows.reads import conversation_of
from tests.pictures import png

SERIOUS = ("serious", "critical")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
axe = Axe()


async def furnish(shop: Company) -> None:
    """A small inbox with a bit of everything."""
    who = shop.customer("陈立群")
    shop.wecom.control.customer_says(shop.kf, who, "合同第三条账期能改成 45 天吗")
    shop.wecom.control.customer_recalls(shop.kf, shop.wecom.control.customer_says(shop.kf, who, "算了"))
    shop.wecom.control.customer_sends_media(shop.kf, who, "image", png(60, 40))
    for n in range(3):
        shop.douyin.control.write(shop.shopper(f"李小姐{n}"), shop.shop, "在直播间看到的护眼灯，适合三年级的孩子吗？")
    db = shop.services.db
    await eventually(lambda: db.fetchval("select count(*) >= 4 from conversation"))
    await eventually(lambda: db.fetchval("select bool_and(state = 'stored') from attachment"))
    await db.execute("update agent set role = 'admin' where login = 'manager'")
    assert await conversation_of(shop, who)
    async with shop.services.work() as work:
        for n in range(3):
            part = {"kind": "text", "text": "今天付款，明天发出"}
            reply = QuickReplyInput.model_validate(
                {"place": {"reach": "company"}, "title": f"发货时效{n}", "parts": [part]}
            )
            await add_reply(work, shop.manager, reply)
        said = PostsInput(post=GreetingContentInput(text="双十二老客八折"))
        draft = NewCampaign(client_token="a-campaign-to-look-at", name="老客回访", posts=said)
        await write.create(shop.services, work, shop.manager, draft, address="")
        await save(shop.services, work, shop.manager, NewSaved(name="双十二通用", posts=said), address="")
        moment = draft.model_copy(update={"client_token": "a-moment-to-look-at", "kind": "moment"})
        await write.create(shop.services, work, shop.manager, moment, address="")
        steps = (
            SopStep(title="问候", at="10:00", words="您好"),
            SopStep(title="案例", days=3, at="10:00", kind="message", words="请看"),
        )
        plan = SopPlan(start=Added(on="added"), steps=steps)
        await sop.create(
            work, shop.manager, NewSop(client_token="a-plan-to-look-at", name="新客跟进", plan=plan), address=""
        )


class Walk:
    """Looks at everything, remembers what axe did not like."""

    def __init__(self, page: Page, address: str, *, phone: bool) -> None:
        self.visit = Visit(page, address, phone)
        self.page = page
        self.problems: dict[str, set[str]] = {}
        self.seen: set[str] = set()

    async def look(self, where: str) -> None:
        await self._run(f"{where} (light)", RULES)
        if not self.visit.phone:
            # The colours of a phone are those of the desk.
            await self.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            await self._run(f"{where} (dark)", COLOURS)
            await self.page.emulate_media(color_scheme="light", reduced_motion="reduce")

    async def _run(self, where: str, options: dict[str, Any]) -> None:
        await self.visit.settled()
        await self.page.evaluate(f"window.axe ? 0 : (() => {{ {axe.axe_script} }})()")
        found = await self.page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
        self._note(where, found)

    def _note(self, where: str, violations: list[dict[str, Any]]) -> None:
        for violation in violations:
            if violation["impact"] in SERIOUS:
                for node in violation["nodes"]:
                    why = re.sub(r"\s+", " ", node["failureSummary"]).replace("Fix any of the following: ", "")
                    self.problems.setdefault(f"{violation['id']}: {node['target']} {why[:300]}", set()).add(where)

    def told(self) -> str:
        return "\n".join(f"{problem}\n    on {', '.join(sorted(where))}" for problem, where in self.problems.items())

    async def page_named(self, name: str, path: str) -> None:
        await self.visit.go(path)
        await self.look(name)
        self.seen.add(name)
        opener = self.page.locator(OPENERS).first
        # A form on a phone is the one of the desk, narrower.
        if not self.visit.phone and await opener.count() and await opener.is_visible() and await opener.is_enabled():
            await opener.click()
            await self.look(f"{name}, form")

    async def state(self, name: str) -> None:
        try:
            await STATES[name](self.visit)
        except Error as error:
            self.problems.setdefault(f"not reached: {str(error).splitlines()[0]}", set()).add(name)
        await self.look(name)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_axe_finds_nothing_serious(shop: Company, browser: Browser, phone: bool) -> None:
    await furnish(shop)
    page = await open_page(browser, phone=phone)
    walk = Walk(page, shop.address, phone=phone)
    await page.goto(shop.address)
    await page.get_by_test_id("login").wait_for()
    await walk.look("sign-in")
    await sign_in(page, shop.address, "manager")
    every = await pages(page)
    assert {"sign-in", "inbox", "people", "connections", "me"} <= every.keys()
    for name, path in every.items():
        if name != "sign-in":
            await walk.page_named(name, path)
    for name in STATES:
        if not (phone and name in KEYBOARD_ONLY):
            await walk.state(name)
    assert walk.seen == every.keys() - {"sign-in"}
    assert errors_of(page.context) == []
    assert not walk.problems, walk.told()


async def test_axe_would_find_something(shop: Company, browser: Browser) -> None:
    """A look that never fails would be no look."""
    page = await open_page(browser)
    await page.goto(shop.address)
    await page.get_by_test_id("login").wait_for()
    await page.evaluate(
        "document.querySelector('#app').innerHTML = '<button></button><p style=\"color:#bbb;background:#fff\">pale</p>'"
    )
    walk = Walk(page, shop.address, phone=False)
    await walk.look("spoilt")
    assert {problem.split(":")[0] for problem in walk.problems} >= {"button-name", "color-contrast"}
