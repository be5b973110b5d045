"""Removes files that nobody refers to any more. Files are shared by their SHA-256, and somebody may store the same bytes at this very moment,
so it takes two steps: a file that nobody names is put on a list, and an hour later, when still nobody does, its bytes go. Whoever stores it in
between takes it off the list (the trigger ``blob_comes``), whoever refers to it keeps its row (the foreign keys); and whoever stores it while
the bytes go is told to come again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scrm.db import Tx
from scrm.metrics import BLOBS_REMOVED
from scrm.services import Services

# ruff: noqa: S608 - made of names from the catalogue

PLACE = "blob-collector"
AT_ONCE = 200
YOUNGEST = timedelta(days=1)
"""A file that was stored just now may be meant for something that is not written yet."""
WAIT = timedelta(hours=1)
AGAIN = timedelta(minutes=5)
"""A process that was killed in the middle; another takes over."""
REMEMBER = timedelta(minutes=15)
"""After the bytes went: whoever stored them before that and writes it down only now is told."""
AGAIN_AFTER = timedelta(days=1)

NEVER_NAMES_FILES = frozenset(
    {
        "message", "audit_event", "conversation_event", "timeline", "platform_event", "notification", "delivery", "alert", "alert_event",
        "conversation", "customer", "contact", "customer_import_row", "connection_error", "erasure", "agent", "retention_rule",
    }
)  # fmt: skip
"""Large tables whose documents hold no file by its bytes: those of a message hang on ``attachment``."""
COLUMNS = """
select c.table_name, c.column_name, c.data_type from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.table_name not in ('blob', 'blob_leaving', 'removal')
  and ((c.data_type in ('json', 'jsonb') and not c.table_name = any($1::text[]))
    or (c.data_type = 'text' and c.column_name like '%sha256%'))
order by 1, 2
"""
NEXT = "select sha256 from blob where sha256 > $1 and stored_at < $2 order by sha256 limit $3"
LEAVE = "insert into blob_leaving (sha256, since) select unnest($1::text[]), $2 on conflict (sha256) do nothing"
DUE = """
select sha256 from blob_leaving where since < $1 and removed_at is null and (removing_at is null or removing_at < $2) order by since limit $3
for update skip locked
"""
STAY = "delete from blob_leaving where sha256 = any($1::text[])"
GOES = (
    "update blob_leaving set removing_at = $2 where sha256 = any($1::text[])",
    "delete from blob where sha256 = any($1::text[])",
)
DONE = "update blob_leaving set removed_at = $2 where sha256 = any($1::text[])"
FORGET = "delete from blob_leaving where removed_at < $1"


class Collector:
    """:meth:`round` looks at some files; after a look at all it rests for a day."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._at = ""
        self._rest_until: datetime | None = None

    async def round(self) -> bool:
        now = self._services.clock.now()
        more = await self.remove(now)
        if self._rest_until is not None and now < self._rest_until:
            return more
        return await self.look(now) or more

    async def look(self, now: datetime) -> bool:
        """Step one."""
        async with self._services.work() as work:
            found = [row["sha256"] for row in await work.tx.fetch(NEXT, self._at, now - YOUNGEST, AT_ONCE)]
            if not found:
                self._at, self._rest_until = "", now + AGAIN_AFTER
                return False
            unused = await unreferenced(work.tx, found)
            if unused:
                await work.tx.execute(LEAVE, unused, now)
        self._at = found[-1]
        return True

    async def remove(self, now: datetime) -> bool:
        """Step two. Killed after the mark and before the bytes went, the next one removes them again, which is harmless."""
        async with self._services.work() as work:
            due = [row["sha256"] for row in await work.tx.fetch(DUE, now - WAIT, now - AGAIN, AT_ONCE)]
            marked = await unreferenced(work.tx, due) if due else []
            await work.tx.execute(STAY, sorted(set(due) - set(marked)))
            await work.tx.execute(GOES[0], marked, now)
            await work.tx.execute(GOES[1], marked)
            await work.tx.execute(FORGET, now - REMEMBER)
        if not marked:
            return False
        for sha256 in marked:
            await self._services.blobs.remove(sha256)
        async with self._services.work() as work:
            await work.tx.execute(DONE, marked, self._services.clock.now())
        BLOBS_REMOVED.inc(len(marked))
        return True


async def unreferenced(tx: Tx, wanted: list[str]) -> list[str]:
    """Of these files, those that no row names: in a column of its own, or anywhere in a document. A table that is added later is looked at
    without being named here."""
    left = set(wanted)
    columns = await tx.fetch(COLUMNS, sorted(NEVER_NAMES_FILES))
    for column in sorted(columns, key=lambda one: one["data_type"] != "text"):
        if not left:
            break
        table, name = column["table_name"], column["column_name"]
        fits = (
            f't."{name}" = w.sha256'
            if column["data_type"] == "text"
            else f"t.\"{name}\"::text like '%' || w.sha256 || '%'"
        )
        rows = await tx.fetch(
            f'select w.sha256 from unnest($1::text[]) w (sha256) where exists (select from "{table}" t where {fits})',
            sorted(left),
        )
        left -= {row["sha256"] for row in rows}
    return sorted(left)
