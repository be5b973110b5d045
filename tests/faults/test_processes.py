"""Two web and two worker processes, for real: the same webhook at both at once, and a greeting that both workers see."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.chaos.site import Plan, Site, site
from tests.company import CORP, eventually
from tests.faults.posting import from_douyin, from_wecom, post
from tests.flows.reads import broken_invariants

WELCOME = "您好，欢迎光临青禾家居！"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chaos")]


@pytest.fixture
async def four() -> AsyncIterator[Site]:
    async with site(Plan(web=2, worker=2, welcome=WELCOME)) as made:
        yield made


async def all_handled(four: Site) -> None:
    async def nothing_waits() -> bool:
        waiting = await four.services.db.fetchval(
            "select (select count(*) from inbound_event where state = 'new') + (select count(*) from outbox)"
        )
        return bool(waiting == 0)

    await eventually(nothing_waits, seconds=30)


async def test_the_same_instant_and_the_welcome(four: Site) -> None:
    """One test for both, since starting four processes is what takes the time."""
    await _duplicates_at_the_same_instant(four)
    await _a_welcome_among_five_hundred(four)
    assert await broken_invariants(four.services.db) == []


async def _duplicates_at_the_same_instant(four: Site) -> None:
    """Each of 30 webhooks twenty times at once, half at each process: twenty times 200, one row, handled once."""
    db = four.services.db
    webhooks = [(four.douyin_hook, from_douyin()) for _ in range(20)] + [
        (four.wecom_hook, from_wecom()) for _ in range(10)
    ]
    before = await db.fetchval("select count(*) from inbound_event")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40)) as http:
        for hook, one in webhooks:
            addresses = [f"http://127.0.0.1:{port}{hook}" for port in four.ports] * 10
            answers = await asyncio.gather(*[post(http, address, one) for address in addresses])
            assert Counter(answer.status for answer in answers) == {200: 20}
    assert await db.fetchval("select count(*) from inbound_event") - before == len(webhooks)
    await all_handled(four)
    assert await db.fetchval("select count(*) from inbound_event where attempts <> 1") == 0
    assert await db.fetchval("select count(*) from message where direction = 'in'") == 20


async def _a_welcome_among_five_hundred(four: Site) -> None:
    """Its code lives for 20 s of the platform's clock, which refuses it after that; and it is used up by the first send."""
    wecom, db = four.wecom.control, four.services.db
    talkers = [wecom.create_customer(CORP, f"客户{n}") for n in range(50)]
    newcomers = [wecom.create_customer(CORP, f"新客户{n}") for n in range(5)]
    wecom.customers_say(four.kf, [[who, f"第{n}句"] for n in range(10) for who in talkers])
    for who in newcomers:
        assert wecom.customer_enters(four.kf, who), "the platform gives a code"
    for _ in range(20):
        wecom.ring(four.kf)

    async def greeted() -> bool:
        return all(wecom.received(four.kf, who) for who in newcomers)

    await eventually(greeted, seconds=25)
    await all_handled(four)
    assert await db.fetchval("select count(*) from message where text like '第%句' and direction = 'in'") >= 500
    for who in newcomers:
        assert [one.body.get("content") for one in wecom.received(four.kf, who)] == [WELCOME]
    rows = await db.fetch("select state, count(*) as n from message where sender_kind = 'bot' group by 1")
    assert {row["state"]: row["n"] for row in rows} == {"sent": len(newcomers)}
