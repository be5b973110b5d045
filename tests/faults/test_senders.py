"""Messages that leave: several senders, broken connections, and what an echo is evidence of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from inbox.dispatch import Dispatcher
from inbox.reply import Draft, reply
from scrm import outbox
from scrm.app import Worker
from scrm.config import Settings
from scrm.db import Row
from scrm.services import Services
from simulator.faults import Fault
from tests.company import Company, company, eventually
from tests.faults.machines import machine, until
from tests.flows.reads import broken_invariants, conversation_of, texts_of

SEND = "/im/send/msg/"


@pytest.fixture
async def idle(settings: Settings) -> AsyncIterator[Company]:
    """A company in which only the web part runs: messages wait in the outbox."""
    async with company(settings, role="web") as made:
        yield made


async def say(shop: Company, conversation_id: int, text: str, token: str) -> int:
    async with shop.services.work() as work:
        draft = Draft(client_token=token, text=text)
        made, _ = await reply(work, shop.rep, conversation_id, draft, shop.services.connections.capabilities)
    return made


async def open_chat(shop: Company, who: str) -> int:
    shop.douyin.control.write(who, shop.shop, "在吗")

    async def arrived() -> Row | None:
        return await conversation_of(shop, who) if "在吗" in await texts_of(shop, who) else None

    row: Row = await eventually(arrived)
    return int(row["id"])


async def state_of(shop: Company, message_id: int) -> str:
    return str(await shop.services.db.fetchval("select state from message where id = $1", message_id))


async def becomes(shop: Company, message_id: int, state: str) -> None:
    async def reached() -> bool:
        return await state_of(shop, message_id) == state

    await eventually(reached, why=f"message {message_id} never became {state}")


def received(shop: Company, who: str) -> list[str]:
    return [str(one.fields.get("text")) for one in shop.douyin.control.received(who, shop.shop)]


async def test_two_senders_send_nothing_twice(idle: Company, tmp_path: Path) -> None:
    """Four senders on two machines over one outbox: each message leaves once, those of a conversation in their order."""
    async with AsyncExitStack() as stack:
        machines = [await stack.enter_async_context(machine(idle.services.settings, tmp_path)) for _ in range(2)]
        worker = Worker(idle.services)
        worker.start()
        people = [idle.shopper(f"买家{n}") for n in range(20)]
        chats = [await open_chat(idle, who) for who in people]
        await worker.stop()
        for n in range(4):
            for person, chat in enumerate(chats):
                await say(idle, chat, f"{person}：第{n}句", f"token-{person}-{n}")
        idle.douyin.faults.add(Fault("delay", SEND, seconds=0.01, times=None))
        senders = [_sender(services) for services in machines for _ in range(2)]
        await asyncio.gather(*[_drain(idle, sender) for sender in senders])
        for person, who in enumerate(people):
            assert received(idle, who) == [f"{person}：第{n}句" for n in range(4)]
    assert await broken_invariants(idle.services.db) == []


def _sender(services: Services) -> Dispatcher:
    return Dispatcher(services, lane=outbox.NORMAL_LANE, slots=8, done=lambda: None)


async def _drain(shop: Company, sender: Dispatcher) -> None:
    async with asyncio.timeout(30):
        while await shop.services.db.fetchval("select count(*) from outbox"):
            await sender.round()
            await asyncio.sleep(0.005)
    await sender.stop()


async def test_an_echo_belongs_to_what_is_being_sent(shop: Company) -> None:
    """The first "好的" was lost on the way and its fate is unknown. The second arrives, and its echo comes before the answer:
    it must not make us believe that the first one arrived."""
    who = shop.shopper("买家")
    chat = await open_chat(shop, who)
    shop.douyin.faults.add(Fault("drop", SEND))
    first = await say(shop, chat, "好的", "token-first")
    await becomes(shop, first, "uncertain")
    shop.douyin.faults.add(Fault("hang_after", SEND, seconds=3.0))
    second = await say(shop, chat, "好的", "token-second")
    await becomes(shop, second, "sent")
    assert received(shop, who) == ["好的"]
    assert await state_of(shop, first) == "uncertain"


async def test_what_an_echo_has_settled_is_not_sent_again(shop: Company) -> None:
    """A message that waits for another try turns out to have arrived."""
    who = shop.shopper("买家")
    chat = await open_chat(shop, who)
    async with shop.services.work() as work:
        await shop.services.connections.pause(work, shop.douyin_id)
    message = await say(shop, chat, "好的", "token-first")
    await shop.services.db.execute("update message set state = 'sent' where id = $1", message)
    async with shop.services.work() as work:
        await shop.services.connections.resume(work, shop.douyin_id)

    async def empty() -> bool:
        return not await shop.services.db.fetchval("select exists (select from outbox)")

    await eventually(empty)
    assert received(shop, who) == []
    assert await state_of(shop, message) == "sent"


async def test_a_connection_that_cannot_be_built_keeps_its_messages(shop: Company) -> None:
    """Its secrets cannot be read here, after a wrong key was configured, say. Nothing has left, so nothing is uncertain."""
    who = shop.shopper("买家")
    chat = await open_chat(shop, who)
    db = shop.services.db
    secrets = await db.fetchval("select secrets from connection where id = $1", shop.douyin_id)
    async with shop.services.work() as work:
        await shop.services.connections.pause(work, shop.douyin_id)
    message = await say(shop, chat, "好的", "token-first")
    change = "update connection set secrets = $2, version = version + 1, paused_at = null where id = $1"
    await db.execute(change, shop.douyin_id, b"\x00" * 40)
    await shop.services.connections.refresh()
    await shop.services.bus.ring("outbox", [])

    async def tried() -> bool:
        row = await db.fetchrow("select state, reason from message where id = $1", message)
        return (
            row is not None and row["state"] == "queued" and (row["reason"] or {}).get("code") == "connection.unusable"
        )

    await eventually(tried)
    await db.execute(change, shop.douyin_id, secrets)
    await shop.services.connections.refresh()
    await becomes(shop, message, "sent")
    assert received(shop, who) == ["好的"]


async def test_what_is_known_outlives_a_long_outage(settings: Settings, tmp_path: Path) -> None:
    """The platform has answered and the database cannot write for longer than the lease: the outcome is kept until it can."""
    async with company(settings, role="web") as shop:
        worker = Worker(shop.services)
        worker.start()
        who = shop.shopper("买家")
        chat = await open_chat(shop, who)
        await worker.stop()
        message = await say(shop, chat, "好的", "token-first")
        url = shop.services.db.url
        name = await shop.services.db.fetchval("select current_database()")
        quick = settings.model_copy(update={"worker": settings.worker.model_copy(update={"lease_seconds": 0.2})})
        async with machine(quick, tmp_path) as services:
            fault = shop.douyin.faults.add(Fault("delay", SEND, seconds=0.5))
            sender = _sender(services)
            await sender.round()
            await until(lambda: fault.hits == 1)
            await _writable(url, name, "off")
            await until(lambda: bool(received(shop, who)))
            await asyncio.sleep(1.0)  # five times the lease
            await _writable(url, name, "on")
            await sender.stop()
        assert await state_of(shop, message) == "sent"
        assert received(shop, who) == ["好的"]


async def _writable(url: str, name: str, switch: str) -> None:
    """As after a fail-over: everybody is thrown out, and who comes back may only read."""
    admin = await asyncpg.connect(url)
    await admin.execute("set default_transaction_read_only = off")
    change = "reset default_transaction_read_only" if switch == "on" else "set default_transaction_read_only = on"
    await admin.execute(f"alter database {name} {change}")
    await admin.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    await admin.close()
