"""Handing over on the platform, against its simulator: a day of waiting, refusals, people who left, and our state equal to its."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from customers.handover.asking import Asking
from customers.handover.begin import begin
from customers.handover.run import HandingOver
from customers.handover.shapes import NewHandover
from scrm.config import Settings
from scrm.movers import MOVERS
from simulator.faults import Fault
from tests.company import CORP
from tests.customers.platform import Office, office


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Office]:
    async with office(settings) as made:
        yield made


async def hand_over(site: Office, **values: Any) -> int:
    """By the manager; ours is moved and the platform asked when this returns."""
    body = NewHandover.model_validate({"client_token": "0123456789", **values})
    async with site.services.work() as work:
        made = await begin(work, site.agents["wang"], site.services.connections, MOVERS, body, address="")
    worker = HandingOver(site.services, MOVERS)
    while await worker.round():
        pass
    await ask(site)
    return made


async def ask(site: Office) -> None:
    asking = Asking(site.services)
    while await asking.round():
        pass


async def later(site: Office, **by: float) -> None:
    site.clock.at += timedelta(**by)
    await ask(site)
    await site.settle()


async def states(site: Office, kind: str = "relation") -> dict[str, str]:
    rows = await site.db.fetch("select external_id, state from handover_item where kind = $1", kind)
    return {row["external_id"]: row["state"] for row in rows}


@pytest.fixture
async def staff(site: Office) -> list[str]:
    """Li Lei has three customers and a group; Han may take over; Wang is their manager."""
    await site.hire("wang", role="admin")
    await site.hire("lilei")
    await site.hire("han")
    people = site.people(3)
    for who in people:
        site.play.create_follow(CORP, "lilei", who)
    site.play.create_group(CORP, "客户群", "lilei", [people[0]])
    await site.compare()
    return people


def everything(site: Office) -> dict[str, Any]:
    return {
        "kind": "leaving",
        "from_agent_id": site.agents["lilei"].agent_id,
        "taker_ids": [site.agents["han"].agent_id],
    }


async def test_in_service_customers_change_hands_after_a_day_unless_they_refuse(site: Office, staff: list[str]) -> None:
    site.play.refuse_transfers(CORP, staff[1])
    await hand_over(site, **everything(site), text="以后由韩梅梅为您服务")
    assert set((await states(site)).values()) == {"waiting"}
    assert set((await states(site, "group")).values()) == {"done"}
    owners = await site.db.fetch("select owner_id from customer where merged_into is null order by id")
    assert {row["owner_id"] for row in owners} == {site.agents["han"].agent_id}, "ours is moved at once"
    assert await site.db.fetchval("select state from handover") == "waiting"
    await later(site, hours=23)
    assert set((await states(site)).values()) == {"waiting"}
    await later(site, hours=1.1)
    await later(site, hours=1.1)
    assert await states(site) == {staff[0]: "done", staff[1]: "refused", staff[2]: "done"}
    assert await site.db.fetchval("select state from handover") == "done"
    await site.compare()
    active = {key for key, link in (await site.links()).items() if link["state"] == "active"}
    assert active == {f"{staff[0]}/han", f"{staff[1]}/lilei", f"{staff[2]}/han"}


async def test_customers_of_somebody_who_left_go_as_such(site: Office, staff: list[str]) -> None:
    site.play.member_leaves(CORP, "lilei")
    await site.settle()
    await hand_over(site, **everything(site))
    assert set((await states(site)).values()) == {"waiting"}
    assert set((await states(site, "group")).values()) == {"done"}
    await later(site, hours=24.5)
    await later(site, hours=1.1)
    assert set((await states(site)).values()) == {"done"}
    await site.compare()
    active = {key for key, link in (await site.links()).items() if link["state"] == "active"}
    assert active == {f"{who}/han" for who in staff}


async def test_an_answer_that_is_lost_is_looked_up_and_nobody_is_handed_over_twice(
    site: Office, staff: list[str]
) -> None:
    site.wecom.faults.add(Fault("drop_after", "/cgi-bin/externalcontact/transfer_customer"))
    await hand_over(site, **everything(site))
    assert set((await states(site)).values()) == {"uncertain"}
    await later(site, seconds=30)
    assert set((await states(site)).values()) == {"waiting"}
    tries = await site.db.fetchval("select max(tries) from handover_item where kind = 'relation'")
    assert tries == 2, "asked once, looked up once"
