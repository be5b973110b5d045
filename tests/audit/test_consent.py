"""Whose chats are archived and which customers agreed: asked of the simulated platform, shown where chats and connections are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from audit.consent import asking
from audit.consent.asking import ConsentReader
from audit.consent.heeding import heed
from scrm.channel import AccountRef, ContactRef, Occurrence
from scrm.config import Settings
from scrm.normalise import Batch, Item
from simulator.faults import Fault
from simulator.wecom.server import WecomSimulator
from tests.audit.places import CHEN, GROUP, LIU, Archive, archive
from tests.company import CORP
from tests.http.site import Browser, Site, running

CHECK = "/cgi-bin/msgaudit/check_single_agree"


@pytest.fixture
async def here(settings: Settings) -> AsyncIterator[tuple[Archive, Site]]:
    async with WecomSimulator() as simulator, archive(settings, simulator) as made, running(made.services) as site:
        control = simulator.control
        for userid, name in (("zhangsan", "张三"), ("lisi", "李四"), ("wangwu", "王五")):
            control.create_member(CORP, userid, name)
        made.uploads_key()
        await made.knows_key()
        yield made, site


async def ask(place: Archive, times: int = 1) -> None:
    reader = ConsentReader(place.services)
    for _ in range(times):
        await place.services.db.execute("update archive_people set due_at = now()")
        await reader.round()


async def people(place: Archive, site: Site) -> Any:
    return await (await site.signed_in("manager")).get(f"/api/archives/{place.connection_id}/people")


async def test_who_is_archived_and_who_is_not(here: tuple[Archive, Site]) -> None:
    place, site = here
    place.says("在吗")
    place.says("在的", sender="wangwu", to=CHEN)
    await place.read()
    await place.services.db.execute(
        "insert into account (connection_id, channel, external_id, name) select connection_id, channel, 'wangwu', '王五' from account limit 1 on conflict do nothing"
    )
    assert (await people(place, site))["read_at"] is None
    await ask(place)
    told = await people(place, site)
    assert [(one["external_id"], one["permitted"]) for one in told["employees"]] == [
        ("wangwu", False),
        ("zhangsan", True),
        ("lisi", True),
    ]
    # Somebody is taken out, and comes back: since when holds for the time since then.
    place.simulator.control.buy_archive(CORP, "archive-secret-0001", ["zhangsan"])
    await place.services.db.execute("update archive_people set read_at = now() - interval '2 hours'")
    await ask(place)
    assert [one["external_id"] for one in (await people(place, site))["employees"] if one["permitted"]] == ["zhangsan"]


async def look(browser: Browser, place: Archive, where: str) -> Any:
    """What is told of the chat that has this contact or group."""
    chat = await place.services.db.fetchval(
        "select c.id from conversation c left join contact k on k.id = c.contact_id where k.external_id = $1 or c.group_key = $1",
        where,
    )
    return await browser.post("/api/audit/views", {"conversation_id": chat})


async def test_customers_agree_by_default_or_by_word_or_refuse(here: tuple[Archive, Site]) -> None:
    place, site = here
    control = place.simulator.control
    for contact, name in ((CHEN, "陈莉"), (LIU, "刘强")):
        control.create_customer(CORP, name, contact)
        control.create_follow(CORP, "zhangsan", contact)
        place.says("在吗", sender=contact)
    place.says("企业微信不知道我", sender="wmUnknownUnknownUnknownUnknown01")
    control.archive_consents(CORP, "zhangsan", LIU, "Disagree")
    await place.read()
    auditor = await site.signed_in("auditor")
    assert (await look(auditor, place, CHEN))["consent"] is None
    await ask(place)
    assert (await people(place, site))["consent"] == {"agreed": 0, "by_default": 1, "refused": 1, "unknown": 1}
    chat = await look(auditor, place, LIU)
    assert (chat["consent"]["state"], chat["employee"]["permitted"]) == ("refused", True)
    assert chat["consent"]["changed_at"] is not None
    # Asked once a day, unless the platform says that somebody agreed.
    calls = place.simulator.faults.add(Fault("delay", CHECK, times=None, seconds=0))
    control.archive_consents(CORP, "zhangsan", LIU, "Agree")
    await ask(place, 2)
    assert (calls.hits, (await look(auditor, place, LIU))["consent"]["state"]) == (0, "refused")
    loaded = await place.services.connections.get(place.connection_id)
    event = Occurrence(
        "contact.archive_approved", place.services.clock.now(), AccountRef("wecom_member", "zhangsan"), ContactRef(LIU)
    )
    async with place.services.work() as work:
        await heed(work, Batch(loaded, [Item(0, 0, work.now, event)]))
    await ConsentReader(place.services).round()
    assert (calls.hits, (await look(auditor, place, LIU))["consent"]["state"]) == (1, "agreed")


async def test_everybody_outside_in_a_group(here: tuple[Archive, Site]) -> None:
    place, site = here
    control = place.simulator.control
    for contact, name in ((CHEN, "陈莉"), (LIU, "刘强")):
        control.create_customer(CORP, name, contact)
    control.create_group(CORP, "业主群", "zhangsan", ["lisi", CHEN, LIU], chat_id=GROUP)
    control.archive_consents(CORP, GROUP, LIU, "Disagree")
    place.says("各位业主", sender="zhangsan", to="lisi", roomid=GROUP)
    place.says("不是客户群", sender="zhangsan", to="lisi", roomid="wrNobodyKnowsThisGroup0000000001")
    await place.read()
    await ask(place)
    rows = await place.services.db.fetch("select external_id, state from archive_room_consent order by 1")
    assert {row["external_id"]: row["state"] for row in rows} == {CHEN: "by_default", LIU: "refused"}
    assert await place.services.db.fetchval("select count(*) from archive_room where asked_at is not null") == 2
    db = place.services.db
    group = await db.fetchval(
        "insert into group_chat (connection_id, external_id) values ($1, $2) returning id", place.connection_id, GROUP
    )
    await db.execute(
        "insert into group_member (group_chat_id, external_id, kind, name) values ($1, $2, 'contact', '刘强')",
        group,
        LIU,
    )
    (member,) = (await look(await site.signed_in("auditor"), place, GROUP))["members"]
    assert (member["name"], member["consent"]) == ("刘强", "refused")


async def test_many_are_asked_a_little_at_a_time_and_trouble_is_told(
    here: tuple[Archive, Site],
) -> None:
    place, site = here
    await ask(place)
    db = place.services.db
    await db.execute(
        """with account as (insert into account (connection_id, channel, external_id, name) values ($1, 'wecom_member', 'zhangsan', '张三') returning id),
          customer as (insert into customer (name) values ('客户') returning id),
          contact as (insert into contact (connection_id, external_id, customer_id)
            select $1, 'wmMany' || n, c.id from customer c, generate_series(1, 1150) n returning id)
        insert into archive_consent (account_id, contact_id, connection_id, due_at) select a.id, k.id, $1, now() from account a, contact k""",
        place.connection_id,
    )
    calls = place.simulator.faults.add(Fault("delay", CHECK, times=None, seconds=0))
    await ask(place)
    assert calls.hits == asking.CALLS
    wait = await db.fetchval("select due_at - now() from archive_people")
    assert wait <= asking.BETWEEN_ROUNDS
    place.simulator.faults.clear()
    place.simulator.faults.add(Fault("refuse", CHECK, code=48002))
    await ask(place)
    told = await people(place, site)
    assert (told["trouble"]["code"], told["consent"]["unknown"]) == ("wecom.48002", 1150)
    await ask(place)
    assert (await people(place, site))["trouble"] is None
    assert await db.fetchval("select count(*) from archive_consent where asked_at is null") == 0
