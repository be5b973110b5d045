"""New contacts among five hundred other events, with two workers at work, one of them killed while it greets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from simulator.faults import Fault
from tests.chaos.site import Plan, Site, site
from tests.company import CORP, eventually
from tests.faults.posting import from_wecom, post

SEND = "/cgi-bin/externalcontact/send_welcome_msg"
OTHERS, NEWCOMERS = 500, 10
SOON, LATEST = timedelta(seconds=5), timedelta(seconds=20)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chaos")]


@pytest.fixture
async def four() -> AsyncIterator[Site]:
    async with site(Plan(web=2, worker=2)) as made:
        made.wecom.control.create_member(CORP, "zhangsan", "张珊")
        await made.services.db.execute(
            "insert into welcome (everybody, content, created_at, updated_at) values (true, $1, now(), now())",
            {"text": "{{customer.name}}，您好", "parts": [], "unnamed": "您"},
        )
        yield made


async def settled(four: Site, number: int) -> None:
    async def all_done() -> bool:
        done = await four.services.db.fetchval("select count(*) from greeting where state not in ('queued', 'sending')")
        return bool(done >= number)

    await eventually(all_done, seconds=40)


async def test_greeted_within_seconds_once_also_when_a_worker_is_killed(four: Site) -> None:
    """One test for both, since starting four processes is what takes the time."""
    await _among_five_hundred(four)
    await _killed_in_the_middle(four)


async def _among_five_hundred(four: Site) -> None:
    """The others wait in the line of the same connection, in front."""
    db = four.services.db
    waiting = [from_wecom() for _ in range(OTHERS)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as http:
        addresses = [f"http://127.0.0.1:{port}{four.wecom_hook}" for port in four.ports]
        answers = await asyncio.gather(
            *[post(http, addresses[n % len(addresses)], one) for n, one in enumerate(waiting)]
        )
    assert {answer.status for answer in answers} == {200}
    # Handled already? Once more, so that they do wait.
    await db.execute("update inbound_event set state = 'new'")
    people = [four.wecom.control.create_customer(CORP, f"新客户{n}") for n in range(NEWCOMERS)]
    for who in people:
        four.wecom.control.add_contact(CORP, "zhangsan", who)
    await settled(four, NEWCOMERS)
    rows = await db.fetch("select state, at, finished_at from greeting")
    assert {row["state"] for row in rows} == {"sent"}
    assert max(row["finished_at"] - row["at"] for row in rows) < SOON
    for n, who in enumerate(people):
        said = [one.text for one in four.wecom.control.greetings(CORP, external_userid=who)]
        assert said == [f"新客户{n}，您好"]


async def _killed_in_the_middle(four: Site) -> None:
    """The platform has the greeting and does not answer; whoever sent it is killed before it could know."""
    db = four.services.db
    held = four.wecom.faults.add(Fault("hang_after", SEND))
    who = four.wecom.control.create_customer(CORP, "王小明")
    code = four.wecom.control.add_contact(CORP, "zhangsan", who)

    async def under_way() -> bool:
        return held.hits == 1

    await eventually(under_way, seconds=10)
    for worker in four.of_role("worker"):
        worker.kill()
    await settled(four, NEWCOMERS + 1)
    row = await db.fetchrow("select * from greeting where welcome_code = $1", code)
    assert row is not None
    assert (row["state"], row["attempts"], row["doubt"]) == ("sent", 2, True)
    assert row["finished_at"] - row["at"] < LATEST
    assert [one.text for one in four.wecom.control.greetings(CORP, external_userid=who)] == ["王小明，您好"]
