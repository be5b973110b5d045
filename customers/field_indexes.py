"""Indexes for fields that are compared and sorted by (numbers, amounts, dates), made on demand and without stopping anybody.

Equality with choices, texts and numbers needs none of its own: one index over all fields answers it.
"""

from __future__ import annotations

from customers.field_settings import COMPARED
from customers.fields import definitions
from scrm.jobs import Job
from scrm.services import Services

MOST = 40
"""Each costs a little with every change of a customer."""


def value_of(key: str, kind: str, table: str = "u") -> str:
    """The SQL of a field's value, the same in the index and in what uses it. ``key`` is one of ours (letters and digits)."""
    assert key.isascii()
    assert key.isalnum()
    own = f"({table}.fields ->> '{key}')" if table else f"(fields ->> '{key}')"
    return f"({own}::numeric)" if kind in ("number", "money") else f'({own} collate "C")'


async def index_fields(services: Services, job: Job) -> None:
    """Makes what is missing and drops what is no longer used. Takes no lock that a reader or writer would feel; killed in the
    middle, the next run finds the invalid half and begins again."""
    fields = [field for field in await definitions(services.db) if field.kind in COMPARED and not field.archived][:MOST]
    wanted = {f"customer_field_{field.key}": field for field in fields}
    rows = await services.db.fetch(
        "select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid "
        "where i.indrelid = 'customer'::regclass and c.relname like 'customer\\_field\\_%'"
    )
    there = {row["name"]: row["valid"] for row in rows}
    async with services.db.pool.acquire() as connection:
        for name in there:
            if name not in wanted or not there[name]:
                await connection.execute(f"drop index concurrently if exists {name}", timeout=3600)
        for name, field in wanted.items():
            if not there.get(name):
                value = value_of(field.key, field.kind, table="")
                await connection.execute(
                    f"create index concurrently if not exists {name} on customer ({value}, id) where fields ? '{field.key}'",
                    timeout=3600,
                )
