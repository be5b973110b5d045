"""A customer's page: their story live, their profile edited in place, merged with another and taken back, on the desktop and a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, Request, expect

from scrm.services import Services
from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually
from tests.flows.reads import conversation_of


async def customer_of(shop: Company, name: str, said: str) -> int:
    who = shop.customer(name)
    shop.wecom.control.customer_says(shop.kf, who, said)

    async def arrived() -> int | None:
        row = await conversation_of(shop, who)
        if row is None:
            return None
        return await shop.services.db.fetchval("select customer_id from contact where id = $1", row["contact_id"])

    found: int = await eventually(arrived)
    return found


async def add(services: Services, name: str) -> int:
    made: int = await services.db.fetchval(
        "insert into customer (name, company) values ($1, '华康医疗') returning id", name
    )
    return made


async def behind_the_back(services: Services, customer: int, **values: str) -> None:
    """A change that no push tells of."""
    [(name, value)] = values.items()
    changed = f"update customer set {name} = $2, version = version + 1 where id = $1"
    await services.db.execute(changed, customer, value)


class Reads:
    """Of one address, from now on."""

    def __init__(self, page: Page, address: str) -> None:
        self._address = address
        self._open = 0
        page.on("request", lambda request: self._count(request, 1))
        page.on("requestfinished", lambda request: self._count(request, -1))
        page.on("requestfailed", lambda request: self._count(request, -1))

    def _count(self, request: Request, one: int) -> None:
        if request.method == "GET" and request.url == self._address:
            self._open += one

    async def are_over(self) -> bool:
        return self._open == 0


async def edit(page: Page, name: str, value: str) -> None:
    await page.get_by_test_id(f"field-{name}").click()
    await page.get_by_test_id(f"edit-{name}").fill(value)
    await page.keyboard.press("Enter")


async def test_the_whole_customer_is_seen_changed_merged_and_given_back(shop: Company, browser: Browser) -> None:
    customer = await customer_of(shop, "陈立群", "账期能改成 45 天吗")
    other = await add(shop.services, "康康爸")
    page = await open_page(browser)
    reads = Reads(page, f"{shop.address}/api/customers/{customer}")
    await sign_in(page, shop.address, "manager")
    await page.goto(f"{shop.address}/customers/{customer}")
    await expect(page.get_by_test_id("customer-name")).to_have_text("陈立群")
    await expect(page.locator("li.item", has_text="账期能改成 45 天吗")).to_be_visible()

    # The profile stands beside the story and is edited in place; the change is told in the story at once.
    await edit(page, "company", "华康医疗")
    await edit(page, "value", "8.6万")
    await expect(page.get_by_test_id("customer-value")).to_have_text("¥86,000")
    await expect(page.locator("li.item", has_text="修改了公司")).to_be_visible()
    # What somebody else does arrives by itself.
    async with shop.services.work() as work:
        await work.tx.execute(
            "update customer set position = '采购经理', version = version + 1 where id = $1", customer
        )
        work.ring("customer", customer)
    await expect(page.get_by_test_id("field-position")).to_contain_text("采购经理")
    # What the page has not heard of is no conflict unless it is the same field.
    await behind_the_back(shop.services, customer, email="li@example.com")
    await edit(page, "city", "佛山")
    await expect(page.get_by_test_id("field-city")).to_contain_text("佛山")
    await expect(page.get_by_test_id("field-email")).to_contain_text("li@example.com")
    await expect(page.get_by_text("其他人刚刚修改了这位客户")).to_have_count(0)
    # The push of one's own change has been followed, so that nothing makes the page read what now happens behind its back.
    await expect(page.locator("li.item", has_text="修改了城市")).to_be_visible()
    await eventually(reads.are_over)
    await behind_the_back(shop.services, customer, address="大良街道 1 号")
    await edit(page, "address", "容桂街道 2 号")
    await expect(page.get_by_text("其他人刚刚修改了这位客户")).to_be_visible()
    await expect(page.get_by_test_id("field-address")).to_contain_text("大良街道 1 号")

    # Merged with another one, seen in the log, and taken back.
    await page.get_by_test_id("customer-tab-identity").click()
    await page.get_by_test_id("customer-merge").click()
    await page.get_by_test_id("merge-find").fill("康康爸")
    await page.get_by_test_id(f"merge-pick-{other}").check()
    await page.get_by_test_id("merge-next").click()
    await expect(page.get_by_test_id("merge-dialog")).to_be_visible()
    await page.get_by_test_id("merge-dialog").locator("label.side", has_text="陈立群").click()
    await page.get_by_test_id("merge-do").click()
    await expect(page.get_by_test_id("customer-identity")).to_contain_text("合并了 康康爸")
    # The old link leads to the one that stayed.
    link = await open_page(browser)
    await sign_in(link, shop.address, "manager")
    await link.goto(f"{shop.address}/customers/{other}")
    await expect(link).to_have_url(f"{shop.address}/customers/{customer}")
    await page.locator("[data-testid^=merge-undo-]").first.click()
    await expect(page.get_by_test_id("customer-identity")).to_contain_text("撤销")
    await eventually(lambda: shop.services.db.fetchval("select merged_into is null from customer where id = $1", other))
    for one in (page, link):
        assert errors_of(one.context) == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_customer_is_entered_once_on_a_phone(shop: Company, browser: Browser, language: str) -> None:
    await shop.services.db.execute("update agent set language = $1", language)
    page = await open_page(browser, phone=True, language=language)
    await sign_in(page, shop.address, "rep")
    await page.goto(f"{shop.address}/customers/new")
    await page.get_by_test_id("new-name").fill("小李")
    await page.get_by_test_id("new-phone").fill("138 1234 5678")
    await page.get_by_test_id("new-save").click()
    await expect(page.get_by_test_id("customer-name")).to_have_text("小李")
    # The number is masked for a rep; one look in full is written down.
    await page.get_by_test_id("customer-phone").click()
    await expect(page.get_by_test_id("customer-phone-shown")).to_contain_text("*")
    await page.get_by_test_id("customer-phone-reveal").click()
    await expect(page.get_by_test_id("customer-phone-shown")).to_have_text("138 1234 5678")
    # Somebody else who enters the number is told whose it is.
    second = await open_page(browser, phone=True, language=language)
    await sign_in(second, shop.address, "manager")
    await second.goto(f"{shop.address}/customers/new")
    await second.get_by_test_id("new-phone").fill("13812345678")
    await expect(second.get_by_test_id("entry-matches")).to_contain_text("小李")
    await expect(second.get_by_test_id("new-save")).to_be_disabled()
    for one in (page, second):
        assert errors_of(one.context) == []
