"""How far what happened was read: rows in the order of their ids, up to where everybody who was writing has ended, so none is passed over
(as ``customers.rules.watch`` reads messages)."""

# ruff: noqa: S608 - made of constants
from __future__ import annotations

from typing import Literal

from scrm.services import Work

Table = Literal["timeline", "message"]
NAMES: dict[Table, str] = {"timeline": "sop_timeline", "message": "sop_messages"}
AT_ONCE = 5000

BEGIN = "insert into reading_place (name, last_id) values ($1, (select coalesce(max(id), 0) from {table})) on conflict do nothing"
PLACE = f"""
select last_id, case when next_xid <= pg_snapshot_xmin(pg_current_snapshot()) then least(next_id, last_id + {AT_ONCE}) end as until
from reading_place where name = $1 for update
"""
MOVE_ON = "update reading_place set last_id = $2 where name = $1"
LOOK_AHEAD = """
update reading_place set next_id = m.id, next_xid = pg_snapshot_xmax(pg_current_snapshot())
from (select max(id) as id from {table}) m where name = $1 and m.id > last_id and (next_id is null or next_id <= last_id)
"""


async def begin_reading(work: Work) -> None:
    """What happens from now on is read. Again is harmless."""
    for table, name in NAMES.items():
        await work.tx.execute(BEGIN.format(table=table), name)


async def next_rows(work: Work, table: Table) -> tuple[int, int] | None:
    """The next rows, as the ids they are between (the first excluded); None: none is ready. Moves the place."""
    name = NAMES[table]
    place = await work.tx.fetchrow(PLACE, name)
    if place is None:
        await work.tx.execute(BEGIN.format(table=table), name)
        return None
    last, until = place["last_id"], place["until"]
    ready = until is not None and until > last
    if ready:
        await work.tx.execute(MOVE_ON, name, until)
    await work.tx.execute(LOOK_AHEAD.format(table=table), name)
    return (last, until) if ready else None
