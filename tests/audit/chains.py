"""A chain with a bit of everything in it, and a hand that changes what may not be changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from audit.evidence.chain import Sealer
from audit.evidence.keys import CURRENT
from scrm.services import Services
from tests.http.site import Site

RECORD = """
insert into archive_record (connection_id, seq, message_id, key_version, sealed_key, sealed_message, pulled_at, state, record, conversation_id)
values ($1, $2, $3::text, 1, 'key' || $3, 'sealed' || $3, $4, $5, $6, $7) returning id
"""
AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


async def talk(site: Site, words: int = 6) -> tuple[int, list[int]]:
    """A conversation with texts, a recall, a file, and archived records; not sealed yet."""
    connection = await site.connection()
    account = await site.account(connection)
    chat = await site.conversation(account)
    said: list[int] = []
    for n in range(words):
        more = {"platform_message_id": f"m{n}"}
        said.append(await site.says(chat, f"第{n}句 <b>&</b>", direction="in" if n % 2 == 0 else "out", **more))
    await site.recalls(said[1])
    data = b"\x89PNG picture" * 1000
    sha256 = await site.services.blobs.put_bytes(data)
    db = site.services.db
    await db.execute(
        "insert into blob (sha256, size, mime) values ($1, $2, 'image/png') on conflict do nothing", sha256, len(data)
    )
    await db.execute(
        "insert into attachment (message_id, kind, state, sha256, name, mime, size) values ($1, 'image', 'stored', $2, '../报价 单?.png', 'image/png', $3)",
        said[2], sha256, len(data),
    )  # fmt: skip
    for n in range(3):
        record = b'{"msgid": "m%d"}' % n if n < 2 else None
        await db.execute(RECORD, connection, n + 1, f"m{n}", AT, "done" if record else "sealed", record, chat)
    return chat, said


async def sealed(services: Services) -> None:
    await Sealer(services).everything()


@asynccontextmanager
async def superuser(services: Services) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Somebody who is master of the database: no trigger stops them."""
    connection = await asyncpg.connect(services.db.url)
    try:
        for table in (
            "evidence_leaf",
            "evidence_block",
            "evidence_tombstone",
            "archive_record",
            "audit_event",
            "message",
            "attachment",
        ):
            await connection.execute(f"alter table {table} disable trigger user")
        await connection.execute("set session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


async def signing(services: Services) -> Any:
    return await services.db.fetchrow(CURRENT)
