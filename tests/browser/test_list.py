"""Finding the right conversation: views, filters, saved lists, many at once, undo, the command bar, and a day without a mouse."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import errors_of, open_page, sign_in
from tests.company import Company, eventually
from tests.flows.reads import conversation_of, messages_of


async def written(shop: Company, name: str, text: str) -> int:
    """A new customer who writes; the id of the conversation."""
    who = shop.customer(name)
    shop.wecom.control.customer_says(shop.kf, who, text)

    async def row_id() -> int | None:
        row = await conversation_of(shop, who)
        return row["id"] if row else None

    found: int = await eventually(row_id)
    return found


async def column(shop: Company, conversation_id: int, name: str) -> object:
    return await shop.services.db.fetchval(f"select {name} from conversation where id = $1", conversation_id)


def row(page: Page, conversation_id: int):  # type: ignore[no-untyped-def]
    return page.get_by_test_id(f"conversation-{conversation_id}")


async def test_views_filters_and_saved_lists(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    asked = await written(shop, "陈立群", "合同第三条账期能改成 45 天吗")
    other = await written(shop, "赵敏", "灯罩有裂纹")
    label = await shop.services.db.fetchval("insert into label (name, color) values ('意向高', 'red') returning id")
    await shop.services.db.execute(
        "update conversation set labels = $2, version = version + 1 where id = $1", asked, [label]
    )
    await sign_in(page, shop.address, "manager")
    await expect(page.get_by_test_id("count-all")).to_have_text("2")
    await expect(row(page, asked)).to_contain_text("意向高")

    # Narrowed by label: the address says so, and leads there again.
    await page.get_by_test_id("filter").click()
    await page.get_by_test_id(f"filter-label-{label}").click()
    await page.keyboard.press("Escape")
    await expect(row(page, other)).to_be_hidden()
    await expect(row(page, asked)).to_be_visible()
    await expect(page.get_by_test_id(f"chip-label-{label}")).to_be_visible()
    assert f"labels={label}" in page.url
    await page.reload()
    await expect(row(page, asked)).to_be_visible()
    await expect(row(page, other)).to_be_hidden()

    # Kept under a name, left, and come back to.
    await page.get_by_test_id("views").click()
    await page.get_by_test_id("keep-view").click()
    await page.get_by_test_id("keep-name").fill("重点客户")
    await page.get_by_test_id("keep-save").click()
    await expect(page.get_by_test_id("keep-form")).to_be_hidden()
    await page.get_by_test_id(f"chip-label-{label}").click()
    await expect(row(page, other)).to_be_visible()
    kept = await shop.services.db.fetchval("select id from saved_view")
    await page.get_by_test_id("views").click()
    await page.get_by_test_id(f"saved-{kept}").click()
    await expect(row(page, other)).to_be_hidden()

    # Deleted by mistake, and taken back.
    await page.get_by_test_id("views").click()
    await page.get_by_test_id(f"delete-view-{kept}").click()
    await expect(page.get_by_test_id(f"saved-{kept}")).to_be_hidden()
    await page.get_by_test_id("undo").click()
    await page.get_by_test_id("views").click()
    await expect(page.get_by_test_id(f"saved-{kept}")).to_be_visible()
    assert errors_of(page.context) == []


async def test_many_at_once_and_undo(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    ids = [await written(shop, name, f"{name}在吗") for name in ("甲客", "乙客", "丙客")]
    await sign_in(page, shop.address, "manager")
    await expect(page.get_by_test_id("count-all")).to_have_text("3")
    # The newest stands first: from the first to the last with Shift.
    await row(page, ids[2]).hover()
    await page.get_by_test_id(f"choose-{ids[2]}").click()
    await page.get_by_test_id(f"choose-{ids[0]}").click(modifiers=["Shift"])
    await expect(page.get_by_test_id("chosen")).to_contain_text("3")
    await page.get_by_test_id("bulk-close").click()
    await expect(page.get_by_test_id("conversation-list")).not_to_contain_text("在吗")
    assert [await column(shop, one, "status") for one in ids] == ["closed"] * 3
    await page.get_by_test_id("undo").click()
    for one in ids:
        await expect(row(page, one)).to_be_visible()
    await expect(page.get_by_test_id("count-all")).to_have_text("3")
    assert [(await column(shop, one, "status"), await column(shop, one, "unread")) for one in ids] == [("open", 1)] * 3

    # What a colleague has changed meanwhile stays as they left it.
    await row(page, ids[0]).hover()
    await page.get_by_test_id(f"choose-{ids[0]}").click()
    await page.get_by_test_id("bulk-close").click()
    await expect(row(page, ids[0])).to_be_hidden()
    await shop.services.db.execute(
        "update conversation set status = 'open', version = version + 1 where id = $1", ids[0]
    )
    await page.keyboard.press("z")
    await expect(page.get_by_test_id("undo-toast")).to_contain_text("没有撤销")
    assert errors_of(page.context) == []


async def test_any_sentence_is_found_and_opened_in_its_place(shop: Company, browser: Browser) -> None:
    page = await open_page(browser)
    found = await written(shop, "周航", "第一句话里有暗号青松")
    who = await shop.services.db.fetchval(
        "select k.external_id from contact k join conversation c on c.contact_id = k.id where c.id = $1", found
    )
    for n in range(70):
        shop.wecom.control.customer_says(shop.kf, who, f"后来的第 {n} 句")

    async def all_there() -> bool:
        return len(await messages_of(shop, who)) == 71

    await eventually(all_there, seconds=30)
    await sign_in(page, shop.address, "manager")
    await page.keyboard.press("/")
    await page.keyboard.type("暗号 青松")
    message = (await messages_of(shop, who))[0]["id"]
    hit = page.get_by_test_id(f"message-hit-{message}")
    await expect(hit.locator("mark").first).to_have_text("暗号青松")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id(f"message-{message}")).to_be_in_viewport()
    await page.get_by_test_id("find").fill("从没有人说过")
    await expect(page.get_by_test_id("search-results")).to_contain_text("没有匹配")
    assert errors_of(page.context) == []


async def test_a_day_without_a_mouse(shop: Company, browser: Browser) -> None:
    """Find, open, answer, take over, close, look somewhere else and take the closing back, by keys alone."""
    page = await open_page(browser)
    await written(shop, "别的客户", "随便问问")
    wanted = await written(shop, "孙大伟", "资料发我一下")
    await page.goto(shop.address)
    await page.get_by_test_id("login").wait_for()
    await page.keyboard.type("manager")
    await page.keyboard.press("Tab")
    from tests.company import PASSWORD

    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_test_id("conversation-list").wait_for()

    # The command bar finds the customer; the list of options is a real listbox for screen readers.
    await page.keyboard.press("Control+k")
    bar = page.get_by_role("combobox")
    await expect(bar).to_be_focused()
    await page.keyboard.type("大伟")
    option = page.get_by_test_id(f"command-person-{wanted}")
    await expect(option).to_be_visible()
    for _ in range(12):
        if await option.get_attribute("aria-selected") == "true":
            break
        await page.keyboard.press("ArrowDown")
    assert await bar.get_attribute("aria-activedescendant") == await option.get_attribute("id")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("thread-title")).to_have_text("孙大伟")

    # Answer.
    box = page.get_by_test_id("composer-text")
    await expect(box).to_be_focused()
    await page.keyboard.type("发您了，请查收")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("messages")).to_contain_text("发您了，请查收")

    # Whoever answers first has it. Put it back and take it again, then close it with the command bar, by the initials of its
    # Chinese name.
    async def of(agent_id: int | None) -> None:
        async def is_so() -> bool:
            return await column(shop, wanted, "assignee_id") == agent_id

        await eventually(is_so)
        # The popover closes by itself: the next key would end in it.
        await expect(page.get_by_test_id("assign-me")).to_be_hidden()

    await of(shop.manager.agent_id)
    await page.keyboard.press("Escape")
    for choice, holder in (("assign-none", None), ("assign-me", shop.manager.agent_id)):
        await page.keyboard.press("a")
        await expect(page.get_by_test_id(choice)).to_be_enabled()
        await page.get_by_test_id(choice).focus()
        await page.keyboard.press("Enter")
        await of(holder)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("wchh")
    await expect(page.get_by_test_id("command-conversation.close")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")

    async def closed() -> bool:
        return await column(shop, wanted, "status") == "closed"

    await eventually(closed)
    await expect(page.get_by_test_id("undo-toast")).to_contain_text("完成")

    # Every key is listed; going somewhere by two keys; undo works there as well.
    await page.keyboard.press("?")
    await expect(page.get_by_test_id("help")).to_contain_text("完成会话")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("help")).to_be_hidden()
    await page.keyboard.press("z")

    async def open_again() -> bool:
        return await column(shop, wanted, "status") == "open"

    await eventually(open_again)
    await page.keyboard.press("g")
    await page.keyboard.press("m")
    await page.wait_for_url("**/me*")
    assert errors_of(page.context) == []
