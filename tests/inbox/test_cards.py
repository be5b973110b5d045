"""Notices reach people's own app as cards: once, bundled, when they want them, and never more than the platforms take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inbox.cards.gather import Gatherer, fate
from inbox.cards.send import SEND_CARD, send_card
from inbox.cards.wishes import QuietHours
from scrm.config import Settings
from scrm.jobs import JobRunner
from scrm.notices import notify
from simulator.faults import Fault
from tests.company import CORP, Company, company
from tests.faults.machines import machine

NOTIFY = "/cgi-bin/message/send"
NIGHT = {"start": "00:00", "end": "23:59"}


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    """Nothing gathers or sends by itself: the tests say when."""
    server = settings.server.model_copy(update={"public_url": "https://scrm.example.com"})
    async with company(settings.model_copy(update={"server": server}), role="web") as made:
        made.wecom.control.create_member(CORP, "zhangsan", "张珊")
        async with made.services.work() as work:
            await made.services.connections.update(work, made.wecom_id, settings={"agent_id": "1000002"})
        await made.services.connections.refresh()
        await made.services.db.execute(
            "insert into agent_identity (agent_id, connection_id, external_id) values ($1, $2, 'zhangsan')",
            made.rep.agent_id, made.wecom_id,
        )  # fmt: skip
        yield made


async def tell(shop: Company, key: str, *, kind: str = "customer_given", name: str = "王小明 13812345678") -> None:
    async with shop.services.work() as work:
        customer = await work.tx.fetchval(
            "insert into customer (name, owner_id) values ($1, $2) returning id", name, shop.rep.agent_id
        )
        await notify(work, [shop.rep.agent_id], kind, key, customer_id=customer, by=shop.manager.agent_id)


async def age(shop: Company, seconds: float) -> None:
    """Time goes by for what is written already."""
    gone = timedelta(seconds=seconds)
    await shop.services.db.execute("update notification set created_at = created_at - $1::interval", gone)
    await shop.services.db.execute("update notice_card set created_at = created_at - $1::interval", gone)


async def out(shop: Company) -> None:
    """Gathers what is due and sends every card."""
    await Gatherer(shop.services).round()
    runner = JobRunner(shop.services, {SEND_CARD: send_card})
    while await runner.round():
        pass


def cards(shop: Company) -> list[dict[str, Any]]:
    return [dict(one.body) for one in shop.wecom.control.member_messages(CORP, "zhangsan")]


async def fates(shop: Company) -> list[str]:
    return [row["card"] for row in await shop.services.db.fetch("select card from notification order by id")]


async def test_one_notice_is_one_card_that_opens_its_page(shop: Company) -> None:
    await tell(shop, "a")
    await out(shop)
    assert cards(shop) == []
    await age(shop, 3)
    await out(shop)
    await out(shop)
    (card,) = cards(shop)
    words = str(card)
    assert "客户 王小明 138****5678 已分配给你" in words
    assert "13812345678" not in words
    customer = await shop.services.db.fetchval("select max(id) from customer")
    assert f"https://scrm.example.com/customers/{customer}" in words
    assert await fates(shop) == ["carded"]


async def test_many_at_once_are_one_card_and_the_next_waits_a_minute(shop: Company) -> None:
    for n in range(12):
        await tell(shop, f"n{n}", name=f"客户{n}")
    await age(shop, 3)
    await out(shop)
    assert len(cards(shop)) == 1
    assert "你有 12 条新提醒" in str(cards(shop)[0])
    await tell(shop, "later")
    await age(shop, 5)
    await out(shop)
    assert len(cards(shop)) == 1
    await age(shop, 60)
    await out(shop)
    assert len(cards(shop)) == 2


async def test_two_processes_make_one_card(shop: Company, tmp_path: Path) -> None:
    await tell(shop, "a")
    await age(shop, 3)
    async with AsyncExitStack() as stack:
        machines = [await stack.enter_async_context(machine(shop.services.settings, tmp_path)) for _ in range(3)]
        for services in machines:
            await Gatherer(services).round()
    await out(shop)
    assert await shop.services.db.fetchval("select count(*) from notice_card") == 1
    assert len(cards(shop)) == 1


async def test_an_unknown_outcome_is_repeated_and_dropped_by_the_platform(shop: Company) -> None:
    shop.wecom.faults.add(Fault("drop_after", NOTIFY))
    await tell(shop, "a")
    await age(shop, 3)
    await out(shop)
    await shop.services.db.execute("update job set run_at = now() where state = 'queued'")
    await out(shop)
    assert len(cards(shop)) == 1
    assert await shop.services.db.fetchval("select state from notice_card") == "sent"


async def test_who_is_not_reached_is_shown_to_the_administrator(shop: Company) -> None:
    db = shop.services.db
    await db.execute("update agent_identity set external_id = 'nobody'")
    await tell(shop, "a")
    await age(shop, 3)
    await out(shop)
    assert await db.fetchval("select state from notice_card") == "unreached"
    assert await db.fetchval("select card_error ->> 'code' from agent_identity") == "card.unreached"
    await db.execute("update agent_identity set external_id = 'zhangsan'")
    await tell(shop, "b")
    await age(shop, 100)
    await out(shop)
    assert await db.fetchval("select card_error from agent_identity") is None


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"kinds": {"customer_given": {"card": "off"}}}, "off"),
        ({"kinds": {"assigned": {"card": "off"}}}, "carded"),
        ({"quiet_until": "2099-01-01T00:00:00Z"}, "new"),
        ({"quiet_hours": NIGHT}, "new"),
    ],
)
async def test_everybody_decides_about_their_cards(shop: Company, wishes: dict[str, Any], expected: str) -> None:
    await shop.services.db.execute(
        "update agent set preferences = $2 where id = $1", shop.rep.agent_id, {"notices": wishes}
    )
    await tell(shop, "a")
    await age(shop, 3)
    await out(shop)
    assert await fates(shop) == [expected]


async def test_who_looks_at_the_page_gets_no_card(shop: Company) -> None:
    await shop.services.db.execute("update agent set seen_at = now() where id = $1", shop.rep.agent_id)
    await tell(shop, "a")
    await age(shop, 3)
    await out(shop)
    assert await fates(shop) == ["new"]
    await shop.services.db.execute("update agent set seen_at = now() - interval '2 minutes'")
    await out(shop)
    assert len(cards(shop)) == 1


async def test_who_is_not_linked_waits_for_nothing(shop: Company) -> None:
    await shop.services.db.execute("delete from agent_identity")
    await tell(shop, "a")
    await Gatherer(shop.services).round()
    assert await fates(shop) == ["none"]


NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_what_becomes_of_a_notice() -> None:
    def of(wish: Any, seen: float | None, *, ago: float = 5, read: bool = False) -> str:
        row: Any = {"read_at": NOW if read else None, "created_at": NOW - timedelta(seconds=ago)}
        return fate(row, wish, None if seen is None else NOW - timedelta(seconds=seen), NOW)

    assert of("away", None) == "due"
    assert of("away", 300) == "due"
    assert of("away", 10) == "wait"
    assert of("away", 10, ago=200) == "seen"
    assert of("always", 10) == "due"
    assert of("always", 10, read=True) == "read"
    assert of("off", None) == "off"


def test_quiet_hours_pass_midnight() -> None:
    quiet = QuietHours(start="21:00", end="08:30")
    assert [quiet.cover(NOW.replace(hour=hour)) for hour in (20, 21, 23, 0, 8, 9)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
