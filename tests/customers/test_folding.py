"""Customers are told when they last wrote, where they come from and who sees them."""

from __future__ import annotations

from typing import Any

from customers.folding import FEW, Folder, fold
from scrm.services import Services
from tests.http.site import Site


async def told(site: Site, conversation_id: int) -> Any:
    while await fold(site.services):
        pass
    return await site.services.db.fetchrow(
        "select u.* from customer u join contact k on k.customer_id = u.id join conversation c on c.contact_id = k.id where c.id = $1",
        conversation_id,
    )


async def left(services: Services) -> int:
    return int(await services.db.fetchval("select count(*) from customer_stir"))


async def test_messages_assignments_and_helpers_reach_the_customer(site: Site) -> None:
    account = await site.account(await site.connection())
    agent = await site.agent("rep")
    conversation = await site.conversation(account)
    row = await told(site, conversation)
    assert (row["seen_accounts"], row["seen_agents"], row["accounts"], row["last_message_at"]) == (
        [account],
        [],
        [account],
        None,
    )
    await site.says(conversation, "在吗")
    first = await told(site, conversation)
    assert first["last_inbound_at"] == first["last_message_at"] is not None
    await site.says(conversation, "在的", direction="out")
    await site.gives(conversation, agent)
    row = await told(site, conversation)
    assert row["last_message_at"] > row["last_inbound_at"] == first["last_inbound_at"]
    assert row["seen_agents"] == [agent]
    await site.says(conversation, "内部", direction="note")
    assert (await told(site, conversation))["last_message_at"] == row["last_message_at"]
    await site.gives(conversation, None)
    assert (await told(site, conversation))["seen_agents"] == []
    assert await left(site.services) == 0


async def test_what_somebody_else_holds_is_done_later(site: Site) -> None:
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    await site.says(conversation, "在吗")
    async with site.services.work() as work:
        await work.tx.execute("select from contact for update")
        assert not await fold(site.services)
    assert await left(site.services) == 1
    async with site.services.work() as work:
        await work.tx.execute("select from customer for update")
        await fold(site.services)
    assert await left(site.services) == 1
    assert (await told(site, conversation))["last_inbound_at"] is not None
    assert await left(site.services) == 0


async def test_a_contact_that_moves_takes_its_times_along(site: Site) -> None:
    account = await site.account(await site.connection())
    conversation = await site.conversation(account)
    await site.says(conversation, "在吗")
    before = await told(site, conversation)
    other = await site.services.db.fetchval("insert into customer (name) values ('另一位') returning id")
    await site.services.db.execute("update contact set customer_id = $1", other)
    after = await told(site, conversation)
    assert after["id"] == other
    assert after["last_inbound_at"] == before["last_inbound_at"]
    old = await site.services.db.fetchrow("select * from customer where id = $1", before["id"])
    assert old is not None
    assert (old["last_message_at"], old["seen_accounts"], old["accounts"]) == (None, [], [])


async def test_few_at_a_time_while_few_wait_and_more_when_there_is_much(site: Site) -> None:
    stir = """
    with made as (insert into customer (name) select 'c' || n from generate_series(1, $1) n returning id)
    insert into customer_stir (customer_id) select id from made
    """
    folder = Folder(site.services)
    await fold(site.services)
    await site.services.db.execute(stir, FEW * 4)
    waiting = []
    while await folder.round():
        waiting.append(await left(site.services))
    assert waiting == [FEW * 3, FEW]
    assert await left(site.services) == 0
    await site.services.db.execute(stir, FEW + 1)
    assert await folder.round(), "it begins with few again"
    assert await left(site.services) == 1
