"""Following a table that others write: in the order of its ids, and never past a row that somebody is still writing.

Ids are handed out in one order and committed in another: who reads up to the newest id may pass a smaller one whose transaction has not
ended. Whoever writes a table holds a lock on it from before its id is drawn until after the commit. So the newest id is passed only when
everybody who held that lock at the time has ended. (Numbers of transactions alone do not tell: a transaction gets its own with its
first row, after the row's id.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scrm.db import Tx
from scrm.services import Work

Source = Literal["message", "audit_event", "archive_record", "timeline", "conversation_event", "contact_link"]

BEGIN = "insert into written_up_to (source) values ($1) on conflict do nothing returning id, next_id, writers"
PLACE = "select id, next_id, writers from written_up_to where source = $1 for update skip locked"
KNOWN = "select id from written_up_to where source = $1"
UNDER_WAY = (
    "select exists (select from pg_locks where locktype = 'virtualxid' and virtualtransaction = any($1::text[]))"
)
# The statement sees the rows of its beginning and the locks of a moment later: who ends between the two is seen by the next statement.
AHEAD = """
with newest as materialized (select coalesce(max(id), 0) as id from {source})
select newest.id, (
  select coalesce(array_agg(distinct l.virtualtransaction), '{{}}') from pg_locks l
  where newest.id is not null and l.locktype = 'relation' and l.relation = '{source}'::regclass and l.mode = 'RowExclusiveLock'
    and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
) as writers from newest
"""
SAVE = "update written_up_to set id = $2, next_id = $3, writers = $4 where source = $1"


async def safe_ceiling(tx: Tx, source: Source) -> int:
    """Up to which id everything is written: each smaller row can be seen by the next statement of ``tx``, or never will be there.
    0: nothing is. Call it in a transaction that reads what is committed (the usual one), and read with a later statement."""
    row = await tx.fetchrow(PLACE, source)
    if row is None:
        # Somebody else is looking at this moment, or nobody ever has. Writing first would wait for whoever looks until all they do with it ends.
        known = await tx.fetchval(KNOWN, source)
        if known is not None:
            return int(known)
        row = await tx.fetchrow(BEGIN, source)
        if row is None:
            return int(await tx.fetchval(KNOWN, source) or 0)
    ceiling, ahead, writers = row["id"], row["next_id"], row["writers"]
    if ahead is not None and not await tx.fetchval(UNDER_WAY, writers):
        ceiling, ahead = max(ceiling, ahead), None
    if ahead is None:
        newest = await tx.fetchrow(AHEAD.format(source=source))
        if newest is not None and newest["id"] > ceiling:
            if newest["writers"]:
                ahead, writers = newest["id"], newest["writers"]
            else:
                ceiling = newest["id"]
    if (ceiling, ahead) != (row["id"], row["next_id"]):
        await tx.execute(SAVE, source, ceiling, ahead, writers if ahead is not None else [])
    return int(ceiling)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows with ``after`` < id <= ``until``. ``full``: there may be more behind them."""

    after: int
    until: int
    full: bool


START = "insert into reading_place (name, last_id) values ($1, $2) on conflict do nothing"
HELD = "select last_id from reading_place where name = $1 for update skip locked"
ANY = "select exists (select from {source})"
MOVE = "update reading_place set last_id = $2 where name = $1"


async def next_stretch(
    work: Work, name: str, source: Source, *, at_once: int, from_now: bool = False
) -> Stretch | None:
    """The next rows for the reader called ``name``, whose place moves with this unit of work: undone, they come again. None: there is
    nothing new, or another process reads at this moment. ``from_now``: a reader that is new begins with what comes next."""
    last = await work.tx.fetchval(HELD, name)
    if last is None:
        begin = await safe_ceiling(work.tx, source) if from_now else 0
        if from_now and begin == 0 and await work.tx.fetchval(ANY.format(source=source)):
            # What is being written at this moment comes, too: another moment, and it is known where "now" is.
            return None
        await work.tx.execute(START, name, begin)
        return None
    ceiling = await safe_ceiling(work.tx, source)
    if ceiling <= last:
        return None
    until = min(ceiling, last + at_once)
    await work.tx.execute(MOVE, name, until)
    return Stretch(last, until, until < ceiling)
