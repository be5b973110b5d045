"""Indexes for fields that are compared and sorted by (numbers, amounts, dates), made on demand and without stopping anybody.

Equality with choices, texts and numbers needs none of its own: one index over all fields answers it.
"""

from __future__ import annotations

from collections.abc import Iterable

from customers.field_settings import COMPARED
from customers.field_values import Field
from customers.fields import definitions
from scrm.channel import Sentence
from scrm.db import Tx
from scrm.errors import RetryLater
from scrm.jobs import Job
from scrm.services import Services

LOCK_KEY = 7_226_031
MOST = 40
"""Each costs a little with every change of a customer."""

THERE = """
select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indrelid = 'customer'::regclass and c.relname like 'customer\\_field\\_%'
"""


def value_of(key: str, kind: str, table: str = "u") -> str:
    """The SQL of a field's value, the same in the index and in what uses it. ``key`` is one of ours (letters and digits)."""
    assert key.isascii()
    assert key.isalnum()
    own = f"({table}.fields ->> '{key}')" if table else f"(fields ->> '{key}')"
    return f"({own}::numeric)" if kind in ("number", "money") else f'({own} collate "C")'


async def index_fields(services: Services, job: Job) -> None:
    """Makes what is missing and drops what is no longer used. Takes no lock that a reader or writer would feel; killed in the
    middle, the next run finds the invalid half and begins again."""
    fields = await definitions(services.db)
    async with services.db.pool.acquire() as connection:
        # Two that build at once wait for each other's snapshots. Nobody waits here either: that would be a snapshot as well.
        if not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK_KEY):
            raise RetryLater("indexing", Sentence(zh="正在建立索引", en="An index is being made."), after=10)
        try:
            await make_indexes(connection, fields)
        finally:
            await connection.execute("select pg_advisory_unlock($1)", LOCK_KEY)


async def make_indexes(connection: Tx, fields: Iterable[Field]) -> None:
    """Not inside a transaction."""
    compared = [field for field in fields if field.kind in COMPARED and not field.archived][:MOST]
    wanted = {f"customer_field_{field.key}": field for field in compared}
    there = {row["name"]: row["valid"] for row in await connection.fetch(THERE)}
    for name in there:
        if name not in wanted or not there[name]:
            await connection.execute(f"drop index concurrently if exists {name}", timeout=3600)
            await connection.execute(f"drop statistics if exists {name}_spread")
    for name, field in wanted.items():
        if not there.get(name):
            value = value_of(field.key, field.kind, table="")
            await connection.execute(
                f"create index concurrently if not exists {name} on customer ({value}, id) where fields ? '{field.key}'",
                timeout=3600,
            )
            # What an index of a part of the rows knows of their values the planner does not use for its estimates.
            await connection.execute(f"create statistics if not exists {name}_spread on {value} from customer")
            await connection.execute("analyze customer", timeout=3600)
