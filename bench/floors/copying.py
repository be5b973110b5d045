"""The floor of writing: rows that are there already, brought into the same empty tables by ``copy`` and nothing else."""

from __future__ import annotations

import io
import time
from typing import Any

import asyncpg

from bench.site import Site
from scrm.migrate import migrate

TABLES = ("agent", "connection", "account", "customer", "contact", "inbound_event", "conversation", "message")
"""In the order of their references. All indexes, checks and triggers of theirs are at work."""
MEASURED = ("customer", "contact", "inbound_event", "conversation", "message")


async def copy_rows(place: Site) -> dict[str, Any]:
    """One stream and one commit per table. ``rate`` is in messages a second, with the events they came from and their
    conversations."""
    source = await asyncpg.connect(place.url)
    admin = await asyncpg.connect(place.postgres.url_of("postgres"))
    await admin.execute("create database bench_copy")
    await migrate(place.postgres.url_of("bench_copy"))
    target = await asyncpg.connect(place.postgres.url_of("bench_copy"))
    try:
        taken = {}
        for table in TABLES:
            buffer = io.BytesIO()
            await source.copy_from_table(table, output=buffer, format="binary")
            buffer.seek(0)
            began = time.perf_counter()
            await target.copy_to_table(table, source=buffer, format="binary")
            taken[table] = time.perf_counter() - began
        messages = await target.fetchval("select count(*) from message")
    finally:
        await source.close()
        await target.close()
        await admin.execute("drop database bench_copy with (force)")
        await admin.close()
    seconds = sum(taken[table] for table in MEASURED)
    return {"rate": messages / seconds, "messages": messages, "seconds": taken}
