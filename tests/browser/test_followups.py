"""Following up in the page: beside the thread in a few acts, one's day by keys, the calendar by mouse and keys; in both languages, at a
desk and on a phone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually
from tests.flows.reads import conversation_of


async def written_to(shop: Company, text: str = "账期能改成 45 天吗") -> dict[str, Any]:
    """A customer of the manager who wrote: the conversation and the customer."""
    who = shop.customer("陈立群")
    shop.wecom.control.customer_says(shop.kf, who, text)

    async def found() -> Any:
        return await conversation_of(shop, who)

    row = await eventually(found)
    customer = await shop.services.db.fetchval(
        "update customer set owner_id = $1 where id = (select customer_id from contact where id = $2) returning id",
        shop.manager.agent_id, row["contact_id"],
    )  # fmt: skip
    return {"conversation": row["id"], "customer": customer}


async def plan(shop: Company, customer: int | None, text: str, due: datetime, *, all_day: bool = False) -> int:
    made: int = await shop.services.db.fetchval(
        "insert into task (customer_id, agent_id, text, due_at, all_day, created_by, created_at, updated_at) "
        "values ($1, $2, $3, $4, $5, $2, now(), now()) returning id",
        customer, shop.manager.agent_id, text, due, all_day,
    )  # fmt: skip
    return made


async def start(shop: Company, browser: Browser, *, phone: bool, language: str) -> Page:
    await shop.services.db.execute("update agent set language = $1", language)
    page = await open_page(browser, phone=phone, language=language)
    await sign_in(page, shop.address, "manager")
    return page


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_follow_up_beside_the_thread_takes_four_acts(
    shop: Company, browser: Browser, language: str, phone: bool
) -> None:
    page = await start(shop, browser, phone=phone, language=language)
    there = await written_to(shop)
    await page.get_by_test_id(f"conversation-{there['conversation']}").click()
    await expect(page.get_by_test_id("messages")).to_contain_text("45 天")
    if not phone:
        await expect(page.get_by_test_id("follow-up-text")).to_be_visible()
    await page.locator("body").click(position={"x": 700, "y": 8}) if not phone else None
    acts, began = 0, time.monotonic()

    async def press(keys: str) -> None:
        nonlocal acts
        acts += 1
        await page.keyboard.press(keys)

    await page.evaluate("document.activeElement instanceof HTMLElement && document.activeElement.blur()")
    await press("t")
    field = page.get_by_test_id("follow-up-text")
    await expect(field).to_be_focused()
    acts += 1
    await page.keyboard.type("电话沟通：法务同意 45 天账期")
    # The moments have their numbers: the first one that is not today.
    await expect(page.get_by_test_id("due-tomorrow")).to_be_visible()
    first = await page.get_by_test_id("moments").locator("button").first.get_attribute("data-testid")
    await press("Alt+1" if first == "due-tomorrow" else "Alt+2")
    await press("Enter")
    await expect(field).to_have_value("")
    took = time.monotonic() - began
    assert acts == 4
    assert took < 5
    follow_up = await shop.services.db.fetchrow("select text, kind, conversation_id from follow_up")
    assert follow_up is not None
    assert tuple(follow_up) == ("电话沟通：法务同意 45 天账期", "chat", there["conversation"])
    assert await shop.services.db.fetchval(
        "select next_due_at is not null from customer where id = $1", there["customer"]
    )
    await expect(page.get_by_test_id("next-step").get_by_test_id("task-move")).to_be_visible()
    # Esc leads back to where one answers; the thread was never left.
    assert f"/inbox/{there['conversation']}" in page.url
    await field.press("Escape")
    if not phone:
        await expect(page.get_by_test_id("composer-text")).to_be_focused()
    assert errors_of(page.context) == []


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_day_by_keys_and_by_touch(shop: Company, browser: Browser, language: str, phone: bool) -> None:
    page = await start(shop, browser, phone=phone, language=language)
    there = await written_to(shop)
    now = datetime.now(UTC)
    late = await plan(shop, there["customer"], "补发灯罩", now - timedelta(days=2))
    other = await plan(shop, None, "交周报", now - timedelta(hours=30))
    await page.goto(f"{shop.address}/today")
    await expect(page.get_by_test_id("part-overdue")).to_contain_text("补发灯罩")
    await expect(page.get_by_test_id("today-count")).to_have_text("2")
    if phone:
        await page.get_by_test_id(f"task-{late}").get_by_test_id("task-done").tap()
    else:
        await page.keyboard.press("j")
        await page.keyboard.press("e")
    answer = page.get_by_test_id("follow-up-text")
    await expect(answer).to_be_focused()
    await answer.fill("已经寄出")
    await answer.press("Enter")
    await expect(page.get_by_test_id("part-done")).to_contain_text("补发灯罩")
    await expect(page.get_by_test_id("today-count")).to_have_text("1")
    assert await shop.services.db.fetchval("select text from follow_up") == "已经寄出"
    # Moved to tomorrow from the menu, and back by undo.
    row = page.get_by_test_id(f"task-{other}")
    await row.get_by_test_id("task-move").click()
    await page.get_by_test_id("move-tomorrow").click()
    await expect(page.get_by_test_id("part-tomorrow")).to_contain_text("交周报")
    await page.get_by_test_id("undo").click()
    await expect(page.get_by_test_id("part-overdue")).to_contain_text("交周报")
    assert errors_of(page.context) == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_calendar_by_mouse_and_by_keys(shop: Company, browser: Browser, language: str) -> None:
    page = await start(shop, browser, phone=False, language=language)
    there = await written_to(shop)
    # Next week, so that no day of it has passed: Tuesday at ten in Shanghai.
    today = (datetime.now(UTC) + timedelta(hours=8)).date()
    monday = today + timedelta(days=7 - today.weekday())
    tuesday, thursday = monday + timedelta(days=1), monday + timedelta(days=3)
    due = datetime(tuesday.year, tuesday.month, tuesday.day, 2, tzinfo=UTC)
    task = await plan(shop, there["customer"], "上门演示", due)
    await page.goto(f"{shop.address}/calendar?view=week&day={monday}")
    card = page.get_by_test_id(f"card-{task}")
    await expect(card).to_contain_text("10:00")

    async def due_at(wanted: datetime) -> None:
        async def there() -> bool:
            found: bool = await shop.services.db.fetchval("select due_at from task where id = $1", task) == wanted
            return found

        await eventually(there)

    # Two days on and an hour later by the mouse.
    box, column = await card.bounding_box(), await page.locator(f'[data-hours="{thursday}"]').bounding_box()
    assert box is not None
    assert column is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(column["x"] + 40, box["y"] + 30, steps=4)
    await page.mouse.move(column["x"] + 40, box["y"] + 8 + 44, steps=4)
    await page.mouse.up()
    await due_at(due + timedelta(days=2, hours=1))
    # Back a day and half an hour later by keys, as one move.
    await card.focus()
    await page.keyboard.press("Alt+ArrowLeft")
    await page.keyboard.press("Alt+ArrowDown")
    await due_at(due + timedelta(days=1, hours=1, minutes=30))
    await expect(card).to_be_focused()
    # By months the day changes and the time stays.
    await page.get_by_test_id("calendar-month").click()
    await page.get_by_test_id(f"card-{task}").focus()
    await page.keyboard.press("Alt+ArrowRight")
    await due_at(due + timedelta(days=2, hours=1, minutes=30))
    assert errors_of(page.context) == []
