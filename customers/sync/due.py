"""What is to be looked at on a platform. A ring only says where to look; the platform's own answer is the truth.

A look takes its rows by moving ``due_at`` into the future: a worker that dies delays them, nothing more. Rings during a look are
counted, so that what changed after the question left is asked for once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from scrm.db import Database, Tx
from scrm.services import Work

DueKind = Literal["contact", "group", "tags", "directory"]
LEASE = timedelta(seconds=90)
LONGEST_WAIT = 900.0

RING = """
insert into sync_due (connection_id, kind, external_id, due_at)
select $1, $2, w.id, $4 from (select distinct unnest($3::text[]) as id) w order by w.id
on conflict (connection_id, kind, external_id) do update set rings = sync_due.rings + 1, tries = 0,
  due_at = least(sync_due.due_at, excluded.due_at)
"""
EVERYWHERE = """
insert into sync_due (connection_id, kind, due_at) select c.id, $1, $2 from connection c
where c.paused_at is null and exists (select from sync_run r where r.connection_id = c.id and r.state = 'done') order by c.id
on conflict (connection_id, kind, external_id) do update set rings = sync_due.rings + 1, tries = 0,
  due_at = least(sync_due.due_at, excluded.due_at)
"""
CLAIM = """
update sync_due d set due_at = $4 from (
  select connection_id, kind, external_id from sync_due where connection_id = $1 and kind = $2 and due_at <= $3
  order by due_at limit $5 for update skip locked
) w where d.connection_id = w.connection_id and d.kind = w.kind and d.external_id = w.external_id
returning d.external_id, d.rings, d.tries
"""
# Those that rang meanwhile stay, and are due at once.
DONE = """
with taken as (select * from unnest($3::text[], $4::bigint[]) w (external_id, rings)),
  gone as (delete from sync_due d using taken t
    where d.connection_id = $1 and d.kind = $2 and d.external_id = t.external_id and d.rings = t.rings)
update sync_due d set due_at = least(d.due_at, $5) from taken t
where d.connection_id = $1 and d.kind = $2 and d.external_id = t.external_id and d.rings <> t.rings
"""
LATER = """
update sync_due d set tries = d.tries + 1, due_at = $4::timestamptz + greatest($5::float8, least(power(2, d.tries), $6::float8)) * interval '1 second'
where d.connection_id = $1 and d.kind = $2 and d.external_id = any($3::text[])
"""


@dataclass(frozen=True, slots=True)
class Due:
    external_id: str
    rings: int
    tries: int


async def ring(
    work: Work, connection_id: int, kind: DueKind, external_ids: Sequence[str] = ("",), *, wait: timedelta | None = None
) -> None:
    """To be looked at, now or after ``wait``."""
    if external_ids:
        await work.tx.execute(RING, connection_id, kind, list(external_ids), work.now + (wait or timedelta(0)))
        work.ring("relation", connection_id)


async def ring_everywhere(work: Work, kind: DueKind) -> None:
    """On every connection that was ever compared; those whose platform has no such thing never ask."""
    await work.tx.execute(EVERYWHERE, kind, work.now)
    work.ring("relation")


async def claim(db: Database, connection_id: int, kind: DueKind, now: datetime, most: int) -> list[Due]:
    rows = await db.fetch(CLAIM, connection_id, kind, now, now + LEASE, most)
    return [Due(**row) for row in rows]


async def done(tx: Tx | Database, connection_id: int, kind: DueKind, taken: Sequence[Due], now: datetime) -> None:
    if taken:
        ids, rings = [one.external_id for one in taken], [one.rings for one in taken]
        await tx.execute(DONE, connection_id, kind, ids, rings, now)


async def later(
    tx: Tx | Database, connection_id: int, kind: DueKind, taken: Sequence[Due], now: datetime, *, wait: float = 0.0
) -> None:
    """Not now: again after ``wait`` seconds, longer with every try."""
    if taken:
        ids = [one.external_id for one in taken]
        await tx.execute(LATER, connection_id, kind, ids, now, wait, LONGEST_WAIT)
