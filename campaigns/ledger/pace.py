"""How fast platforms are called for many: counted in the rows of past calls, so that all processes keep one pace, and whoever is told to slow down
tells the others."""

from __future__ import annotations

from datetime import datetime, timedelta

from scrm.channel_campaigns import AsksMembers, Broadcasts
from scrm.connections import Loaded
from scrm.db import Row, Tx
from scrm.services import Services, Work

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LONGEST_PAUSE = 900.0
LOCK_SPACE = 7_226_045

# The moment at which the last that still fits was called; none: there is room.
PACE = """
select called_at from broadcast_ticket where connection_id = $1 and way = $2 and called_at > $3 and id <> $4
  and ($5::bigint is null or account_id = $5) order by called_at desc offset $6 limit 1
"""
# Others would meet the same limit. Whoever is being claimed at this moment finds out.
REST = """
update broadcast_ticket set due_at = $2 where id in (
  select id from broadcast_ticket where connection_id = $1 and state = 'queued' and due_at < $2 and way = $3
    and ($4::bigint is null or account_id = $4) order by id for update skip locked)
"""


async def too_fast(services: Services, work: Work, ticket: Row) -> datetime | None:
    """When a call would be too soon for the platform's limits: when it may be tried. Counted among all processes."""
    limits = _limits(services.connections.held(ticket["connection_id"]), ticket["way"])
    if not limits:
        return None
    account = ticket["account_id"] if ticket["way"] == "broadcast" else None
    where, way = ticket["connection_id"], ticket["way"]
    await work.tx.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, where % 2**31)
    wait: datetime | None = None
    for period, times in limits:
        last = await work.tx.fetchval(PACE, where, way, work.now - period, ticket["id"], account, max(times, 1) - 1)
        if last is not None:
            wait = max(wait or work.now, last + period + timedelta(seconds=1))
    if wait is not None:
        await rest(work.tx, ticket, wait)
    return wait


def _limits(loaded: Loaded | None, way: str) -> list[tuple[timedelta, int]]:
    if loaded is None:
        return []
    adapter = loaded.adapter
    if way == "task" and isinstance(adapter, AsksMembers):
        return [(MINUTE, adapter.tasks_per_minute)]
    if way == "broadcast" and isinstance(adapter, Broadcasts):
        return [(MINUTE, adapter.broadcasts_per_minute), (DAY, adapter.broadcasts_per_day)]
    return []


async def rest(tx: Tx, ticket: Row, until: datetime) -> None:
    """Nothing of this kind is called there before."""
    account = ticket["account_id"] if ticket["way"] == "broadcast" else None
    await tx.execute(REST, ticket["connection_id"], until, ticket["way"], account)


def pause(attempts: int, first: float) -> float:
    """Seconds; twice as long each time."""
    return min(first * 2.0 ** min(max(attempts - 1, 0), 10), LONGEST_PAUSE)
