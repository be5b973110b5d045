"""Events wait for what is broken, and only those that have to."""

from __future__ import annotations

import asyncio

import aiohttp
import asyncpg
from prometheus_client import REGISTRY

from tests.company import Company, eventually
from tests.faults.posting import from_douyin, post
from tests.flows.reads import broken_invariants, texts_of


async def test_a_connection_that_cannot_be_built_holds_up_nobody(shop: Company) -> None:
    """The one with the lower number is broken; events of the other one are handled, and its own as soon as it is mended."""
    broken, sound = sorted((shop.wecom_id, shop.douyin_id))
    assert (broken, sound) == (shop.wecom_id, shop.douyin_id)
    db = shop.services.db
    secrets = await db.fetchval("select secrets from connection where id = $1", broken)
    change = "update connection set secrets = $2, version = version + 1 where id = $1"
    await db.execute(change, broken, b"\x00" * 40)
    await shop.services.connections.refresh()
    await db.execute(
        "insert into inbound_event (connection_id, source, dedupe_key, body) values ($1, 'webhook', 'x', '<xml/>')",
        broken,
    )
    who = shop.shopper("买家")
    shop.douyin.control.write(who, shop.shop, "在吗")

    async def arrived() -> bool:
        return await texts_of(shop, who) == ["在吗"]

    await eventually(arrived)
    assert await db.fetchval("select state from inbound_event where dedupe_key = 'x'") == "new"
    await db.execute(change, broken, secrets)
    await shop.services.connections.refresh()

    async def mended() -> bool:
        return bool(await db.fetchval("select state <> 'new' from inbound_event where dedupe_key = 'x'"))

    await eventually(mended)


async def test_a_database_that_only_reads_fails_no_event(shop: Company) -> None:
    """After a fail-over to a standby writing fails for a while: platforms are asked to repeat, and
    events that were accepted before are not marked as if something were wrong with them."""
    db = shop.services.db
    hook = shop.address + await shop.webhook_path(shop.douyin_id)
    name = await db.fetchval("select current_database()")
    admin = await asyncpg.connect(db.url)
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    async with aiohttp.ClientSession() as http:
        await admin.execute(f"alter database {name} set default_transaction_read_only = on")
        await admin.fetch(cut)
        await admin.execute(
            "insert into inbound_event (connection_id, source, dedupe_key, body) values ($1, 'webhook', 'kept', $2)",
            shop.douyin_id,
            from_douyin().body,
        )
        refused = 0
        async with asyncio.timeout(20):
            while refused < 3:
                answer = await post(http, hook, from_douyin())
                refused += answer.status == 503
        await asyncio.sleep(1.5)  # several rounds of the normaliser, each of which fails
        assert await admin.fetchval("select state from inbound_event where dedupe_key = 'kept'") == "new"
        await admin.execute(f"alter database {name} reset default_transaction_read_only")
        await admin.fetch(cut)

        async def handled() -> bool:
            return bool(await admin.fetchval("select state = 'done' from inbound_event where dedupe_key = 'kept'"))

        await eventually(handled, seconds=30)
        assert await admin.fetchval("select count(*) from inbound_event where state = 'failed'") == 0

        async def accepted() -> bool:
            return (await post(http, hook, from_douyin())).status == 200

        await eventually(accepted)
    await admin.close()
    assert await broken_invariants(db) == []


def failed_rounds() -> float:
    """How often the normaliser gave up a round, as the metrics tell."""
    return REGISTRY.get_sample_value("scrm_loop_failures_total", {"loop": "normalise"}) or 0.0


async def test_a_full_disk_fails_no_event(shop: Company) -> None:
    """There is room for a mark and none for a message: the event waits for room, it is not at fault. The server's own error
    is raised by a trigger here."""
    db = shop.services.db
    await db.execute(
        "create function full_disk() returns trigger language plpgsql as $$ begin "
        "raise exception 'could not extend file' using errcode = 'disk_full'; end $$; "
        "create trigger full_disk before insert on message for each row execute function full_disk()"
    )
    hook = shop.address + await shop.webhook_path(shop.douyin_id)
    before = failed_rounds()
    async with aiohttp.ClientSession() as http:
        assert (await post(http, hook, from_douyin())).status == 200
    async with asyncio.timeout(20):
        while failed_rounds() < before + 2:
            assert await db.fetchval("select count(*) from inbound_event where state = 'failed'") == 0
            await asyncio.sleep(0.02)
    await db.execute("drop trigger full_disk on message")

    async def handled() -> bool:
        return bool(await db.fetchval("select count(*) = 1 from message"))

    await eventually(handled)
    assert await db.fetchval("select count(*) from inbound_event where state = 'failed'") == 0
