"""The process or its database connection ends in the middle of an answer of several pieces, or of one that was planned: the
customer gets all of it, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from inbox.scheduled import send_due
from scrm.db import LOST, Database
from scrm.services import Services
from tests.http.site import eventually, running
from tests.http.test_answering import later, make_due, open_chat, said
from tests.http.test_uploads import upload
from tests.pictures import png

STUCK = """
select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()
"""


@asynccontextmanager
async def held(db: Database, table: str) -> AsyncIterator[None]:
    """Whoever wants to write into the table waits, in the middle of what it does."""
    connection = await db.pool.acquire()
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"lock table {table} in exclusive mode")
    try:
        yield
    finally:
        await transaction.rollback()
        await db.pool.release(connection)


async def cut_whoever_waits(db: Database) -> None:
    async def waits() -> list[int]:
        return [row["pid"] for row in await db.fetch(STUCK)]

    for pid in await eventually(waits):
        await db.execute("select pg_terminate_backend($1)", pid)


async def test_the_connection_ends_between_two_pieces(services: Services) -> None:
    async with running(services) as site:
        rep = await site.signed_in("rep")
        conversation = await open_chat(site)
        file = await upload(rep, png(), "图.png", "image/png")
        parts = [{"text": "一"}, {"text": "二"}, {"kind": "image", "attachment_id": file["id"]}, {"text": "四"}]
        path, body = f"/api/conversations/{conversation}/answers", {"client_token": "cut-stack-1", "parts": parts}
        async with held(services.db, "attachment"):
            # The first two are written, the third waits for its file.
            asking = asyncio.create_task(rep.call("POST", path, json=body))
            await cut_whoever_waits(services.db)
            status, _ = await asking
        assert status == 503
        assert await said(site, conversation) == []
        for expected in (201, 200, 200):
            assert (await rep.call("POST", path, json=body))[0] == expected
        assert await said(site, conversation) == ["一", "二", "[图片]", "四"]
        assert await services.db.fetchval("select count(*) from outbox") == 4
        assert await services.db.fetchval("select window_used from conversation where id = $1", conversation) == 4


async def test_a_worker_ends_while_it_sends_what_was_planned(services: Services) -> None:
    async with running(services) as site:
        rep = await site.signed_in("rep")
        conversation = await open_chat(site)
        body = {"client_token": "cut-later-1", "due_at": later(), "parts": [{"text": "一"}, {"text": "二"}]}
        await rep.post(f"/api/conversations/{conversation}/scheduled", body, status=201)
        await make_due(site)
        async with held(services.db, "outbox"):
            first = asyncio.create_task(send_due(services))
            # Another worker passes by what the first one holds.
            await eventually(lambda: services.db.fetch(STUCK))
            assert await send_due(services) is False
            await cut_whoever_waits(services.db)
            with pytest.raises(LOST):
                await first
        assert await said(site, conversation) == []
        assert await services.db.fetchval("select state from scheduled_message") == "waiting"
        assert await send_due(services) is True
        assert await send_due(services) is False
        assert await said(site, conversation) == ["一", "二"]


async def test_a_macro_that_was_cut_is_run_whole_when_asked_again(services: Services) -> None:
    async with running(services) as site:
        manager = await site.signed_in("manager")
        conversation = await open_chat(site)
        actions = [{"kind": "note", "text": "看过"}, {"kind": "assign_me"}, {"kind": "close"}]
        macro = await manager.post(
            "/api/macros", {"place": {"reach": "company"}, "name": "收尾", "actions": actions}, status=201
        )
        path, body = (
            f"/api/macros/{macro['id']}/run",
            {"client_token": "cut-macro-1", "conversation_ids": [conversation]},
        )
        async with held(services.db, "macro_run"):
            asking = asyncio.create_task(manager.call("POST", path, json=body))
            await cut_whoever_waits(services.db)
            assert (await asking)[0] == 503
        found = "select status, (select count(*) from message m where m.conversation_id = c.id and direction = 'note') as notes from conversation c where id = $1"
        row = await services.db.fetchrow(found, conversation)
        assert row is not None
        assert (row["status"], row["notes"]) == ("open", 0)
        for _ in range(2):
            assert (await manager.post(path, body))["done"] == 1
        row = await services.db.fetchrow(found, conversation)
        assert row is not None
        assert (row["status"], row["notes"]) == ("closed", 1)
