"""New contacts are greeted: which greeting, with what, once, in time, and what is said when it could not be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.greetings.begin import begin
from customers.greetings.choose import Hours, Whose, choose
from customers.greetings.greeter import Greeter
from customers.greetings.prepare import prepare_soon
from scrm.app import Worker
from scrm.config import Settings
from scrm.db import Row
from scrm.urgent import Urgent
from simulator.faults import Fault
from tests.company import CORP, Company, company, eventually
from tests.faults.machines import machine
from tests.pictures import png

SEND = "/cgi-bin/externalcontact/send_welcome_msg"


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    async with company(settings) as made:
        made.wecom.control.create_member(CORP, "zhangsan", "张珊")
        yield made


async def welcome(shop: Company, text: str, **columns: Any) -> int:
    """Set without the page: the routes have tests of their own."""
    values = {"name": "", "everybody": not columns.get("accounts"), **columns}
    values |= {"content": values.get("content", {"text": text, "parts": [], "unnamed": "您"})}
    values |= {"created_at": shop.services.clock.now(), "updated_at": shop.services.clock.now()}
    names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
    made: int = await shop.services.db.fetchval(
        f"insert into welcome ({names}) values ({places}) returning id", *values.values()
    )
    return made


async def finished(shop: Company, code: str) -> Row:
    async def done() -> Row | None:
        return await shop.services.db.fetchrow(
            "select * from greeting where welcome_code = $1 and state not in ('queued', 'sending')", code
        )

    row: Row = await eventually(done, seconds=30)
    return row


def texts(shop: Company, who: str) -> list[str]:
    return [one.text for one in shop.wecom.control.greetings(CORP, external_userid=who)]


async def test_a_new_contact_is_greeted_by_name_and_the_story_tells_it(shop: Company) -> None:
    await welcome(shop, "{{customer.name}}，{{greeting}}！我是{{agent.name}}。")
    who = shop.customer("王小明")
    code = shop.wecom.control.add_contact(CORP, "zhangsan", who)
    row = await finished(shop, code)
    assert row["state"] == "sent"
    assert [one.split("，")[0] for one in texts(shop, who)] == ["王小明"]
    assert "{{" not in texts(shop, who)[0]
    assert (row["finished_at"] - row["at"]).total_seconds() < 5

    async def told() -> str | None:
        return await shop.services.db.fetchval(  # type: ignore[no-any-return]
            "select kind from timeline where object_kind = 'greeting' and object_id = $1", row["id"]
        )

    assert await eventually(told) == "greeting.sent"


async def test_without_a_greeting_nothing_is_sent_and_the_row_says_so(shop: Company) -> None:
    who = shop.customer("王小明")
    row = await finished(shop, shop.wecom.control.add_contact(CORP, "zhangsan", who))
    assert (row["state"], row["reason"]["code"]) == ("none", "no_greeting")
    assert texts(shop, who) == []


async def test_its_files_lie_ready_before_anybody_comes(shop: Company) -> None:
    picture = png(300, 200)
    sha256 = await shop.services.blobs.put_bytes(picture)
    file = {
        "sha256": sha256,
        "name": "门店.png",
        "mime": "image/png",
        "size": len(picture),
        "width": 300,
        "height": 200,
    }
    content = {"text": "欢迎", "parts": [{"kind": "image", "content": {}, "file": file}], "unnamed": "您"}
    made = await welcome(shop, "", content=content)
    async with shop.services.work() as work:
        await prepare_soon(work, made, 1)

    async def ready() -> bool:
        return bool(await shop.services.db.fetchval("select prepared_at from welcome where id = $1", made))

    await eventually(ready)
    no_more = shop.wecom.faults.add(Fault("hang", "/cgi-bin/media/upload", times=None))
    who = shop.customer("王小明")
    row = await finished(shop, shop.wecom.control.add_contact(CORP, "zhangsan", who))
    assert row["state"] == "sent"
    assert [one.attachments[0]["msgtype"] for one in shop.wecom.control.greetings(CORP, external_userid=who)] == [
        "image"
    ]
    assert no_more.hits == 0


async def test_another_app_was_faster(shop: Company) -> None:
    await welcome(shop, "您好")
    who = shop.customer("王小明")
    shop.wecom.faults.add(Fault("delay", SEND, seconds=0.5, times=1))
    code = shop.wecom.control.add_contact(CORP, "zhangsan", who)
    shop.wecom.control.rival_greets(CORP, code, seconds=2)
    row = await finished(shop, code)
    assert (row["state"], row["reason"]["code"]) == ("already", "already_greeted")
    assert texts(shop, who) == []


async def test_what_the_platform_refuses_is_told(shop: Company) -> None:
    await welcome(shop, "您好")
    who = shop.customer("王小明")
    row = await finished(shop, shop.wecom.control.add_contact(CORP, "zhangsan", who, needs_consent=True))
    assert row["state"] == "refused"
    assert row["reason"]["zh"]


async def test_never_after_the_time(settings: Settings) -> None:
    """The event waited for 25 seconds, since nobody was at work."""
    async with company(settings, role="web") as shop:
        shop.wecom.control.create_member(CORP, "zhangsan", "张珊")
        await welcome(shop, "您好")
        who = shop.customer("王小明")
        code = shop.wecom.control.add_contact(CORP, "zhangsan", who)

        async def stored() -> bool:
            return bool(await shop.services.db.fetchval("select count(*) from urgent_event"))

        await eventually(stored)
        await shop.services.db.execute("update inbound_event set received_at = received_at - interval '25 seconds'")
        worker = Worker(shop.services)
        worker.start()
        row = await finished(shop, code)
        await worker.stop()
        assert (row["state"], row["attempts"]) == ("late", 0)
        assert texts(shop, who) == []


async def test_a_sender_that_dies_in_the_middle_is_followed_by_another(settings: Settings, tmp_path: Path) -> None:
    """The platform took the greeting, then the process died before it knew. The next one asks again and is told."""
    async with company(settings, role="web") as shop, AsyncExitStack() as stack:
        shop.wecom.control.create_member(CORP, "zhangsan", "张珊")
        one, other = [await stack.enter_async_context(machine(shop.services.settings, tmp_path)) for _ in range(2)]
        await welcome(shop, "您好")
        who = shop.customer("王小明")
        code = shop.wecom.control.add_contact(CORP, "zhangsan", who)

        async def seen() -> bool:
            await asyncio.gather(*[Urgent(services, [begin]).round() for services in (one, other)])
            return bool(await shop.services.db.fetchval("select count(*) from greeting"))

        await eventually(seen)
        held = shop.wecom.faults.add(Fault("hang_after", SEND))
        first = Greeter(one, done=lambda: None)
        await first.round()

        async def under_way() -> bool:
            return held.hits == 1

        await eventually(under_way)
        for task in first._active:
            task.cancel()
        second = Greeter(other, done=lambda: None)

        async def taken_over() -> bool:
            await second.round()
            return bool(
                await shop.services.db.fetchval("select state = 'sent' from greeting where welcome_code = $1", code)
            )

        await eventually(taken_over, seconds=15)
        row = await finished(shop, code)
        assert (row["attempts"], row["doubt"], row["reason"]["code"]) == (2, True, "confirmed")
        assert texts(shop, who) == ["您好"]
        assert (row["finished_at"] - row["at"]).total_seconds() < 20


async def test_two_processes_that_see_one_event_greet_once(settings: Settings, tmp_path: Path) -> None:
    async with company(settings, role="web") as shop, AsyncExitStack() as stack:
        shop.wecom.control.create_member(CORP, "zhangsan", "张珊")
        machines = [await stack.enter_async_context(machine(shop.services.settings, tmp_path)) for _ in range(2)]
        await welcome(shop, "您好")
        people = [shop.customer(f"客户{n}") for n in range(20)]
        workers = [Worker(services) for services in machines]
        for worker in workers:
            worker.start()
        codes = [shop.wecom.control.add_contact(CORP, "zhangsan", who) for who in people]
        for code in codes:
            assert (await finished(shop, code))["state"] == "sent"
        for worker in workers:
            await worker.stop()
        assert [texts(shop, who) for who in people] == [["您好"]] * 20
        assert await shop.services.db.fetchval("select max(attempts) from greeting") == 1


# ---------------------------------------------------------------------------------------------------------- which one

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""


def row(number: int, **columns: Any) -> dict[str, Any]:
    said = {"text": f"{number}", "parts": [], "unnamed": "您"}
    empty = {"contact_code_id": None, "accounts": [], "teams": [], "everybody": False, "hours": None, "off": None}
    return {"id": number, "content": said, **empty, **columns}


def test_the_nearest_greeting_is_chosen() -> None:
    rows: Any = [
        row(1, everybody=True), row(2, teams=[7]), row(3, accounts=[5]), row(4, accounts=[5, 6]), row(5, contact_code_id=9),
    ]  # fmt: skip

    def chosen(code: int | None, account: int | None, *teams: int) -> int:
        found = choose(rows, Whose(code, account, teams), NOON)
        assert found is not None
        return found.welcome_id

    assert chosen(9, 5, 7) == 5
    assert chosen(None, 5, 7) == 3
    assert chosen(8, 6, 7) == 4
    assert chosen(None, 1, 7) == 2
    assert chosen(None, None) == 1
    assert choose(rows[1:], Whose(None, 1, []), NOON) is None


def test_off_hours_have_their_own_words() -> None:
    off = {"text": "下班了", "parts": [], "unnamed": "您"}
    hours = Hours(days=(1, 2, 3, 4, 5), start="09:00", end="18:00").model_dump(mode="json")
    rows: Any = [row(1, everybody=True, hours=hours, off=off)]
    said = {
        hour: choose(rows, Whose(None, None, []), NOON + timedelta(hours=hour)).content.text  # type: ignore[union-attr]
        for hour in (0, 6, -3, 120)
    }
    assert said == {0: "1", 6: "下班了", -3: "1", 120: "下班了"}
    night = Hours(days=(1,), start="22:00", end="06:00")
    assert night.cover(NOON.replace(hour=23))
    assert night.cover(NOON.replace(day=3, hour=5))
    assert not night.cover(NOON.replace(day=3, hour=23))
    assert not night.cover(NOON.replace(hour=5))
