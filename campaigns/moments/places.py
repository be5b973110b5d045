"""Where moments can be posted, by whom, and to whom they would be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.shapes import Audience
from scrm.channel_campaigns import Moments
from scrm.company import FACTS
from scrm.connections import Connections
from scrm.db import Database, Row, Tx

MINUTE = timedelta(minutes=1)

MEMBERS = """
select a.id, a.connection_id, a.channel, a.external_id, a.name, a.disabled_at is not null as off, t.tags,
  (cardinality($4::bigint[]) > 0 and t.tags = '{}') as tagless
from unnest($1::bigint[], $2::text[]) p (connection_id, channel)
join account a on a.connection_id = p.connection_id and a.channel = p.channel
cross join lateral (select coalesce(array_agg(l.external_id order by l.external_id), '{}') as tags from tag_link l
  where l.connection_id = p.connection_id and l.tag_id = any($4)) t
where a.id = any($3::bigint[]) or (cardinality($3::bigint[]) = 0 and a.disabled_at is null)
order by a.connection_id, a.id
"""
SEE = """
select l.account_id as id, count(*)::int as n from unnest($1::bigint[]) w (id) join contact_link l on l.account_id = w.id and l.state = 'active'
where not $2::boolean or l.tags && $3::text[] group by 1
"""
SEE_ALL = """
select count(distinct k.customer_id) from unnest($1::bigint[]) w (id) join contact_link l on l.account_id = w.id and l.state = 'active'
join contact k on k.id = l.contact_id where not $2::boolean or l.tags && $3::text[]
"""
# What the platform may have counted: a call that it certainly refused is none.
CALLED = """
select count(*) from moment_task where connection_id = $1 and called_at >= $2 and id <> $3
  and state in ('calling', 'doubt', 'making', 'open', 'done', 'uncertain')
"""


@dataclass(frozen=True, slots=True)
class Place:
    connection_id: int
    channel: str
    adapter: Moments
    paused: bool


def places(connections: Connections) -> list[Place]:
    return [
        Place(one.id, one.adapter.moment_channel, one.adapter, one.paused)
        for one in sorted(connections.all(), key=lambda loaded: loaded.id)
        if isinstance(one.adapter, Moments)
    ]


async def members(tx: Tx | Database, where: Sequence[Place], audience: Audience) -> list[Row]:
    """Who is meant, with the platform's ids of the tags. ``tagless``: tags are wanted and the platform knows none of them, so that a
    post would be shown to everybody."""
    return await tx.fetch(
        MEMBERS,
        [one.connection_id for one in where],
        [one.channel for one in where],
        list(audience.account_ids),
        list(audience.tag_ids),
    )


async def may_see(tx: Tx | Database, who: Sequence[Row]) -> dict[int, int]:
    """How many customers of each member it could be shown to."""
    return {row["id"]: row["n"] for row in await tx.fetch(SEE, *_seers(who))}


async def all_who_may_see(tx: Tx | Database, who: Sequence[Row]) -> int:
    """Each customer once, however many of the members they know."""
    return int(await tx.fetchval(SEE_ALL, *_seers(who)))


def _seers(who: Sequence[Row]) -> tuple[list[int], bool, list[str]]:
    tags = sorted({tag for row in who for tag in row["tags"]})
    return [row["id"] for row in who], bool(tags), tags


async def called_since(tx: Tx | Database, connection_id: int, since: datetime, *, but: int = 0) -> int:
    """Calls of a connection, of all processes. ``but``: a task that does not count."""
    return int(await tx.fetchval(CALLED, connection_id, since, but))


async def month_of(tx: Tx | Database, at: datetime) -> tuple[datetime, datetime]:
    """The calendar month around ``at`` by the company's clock: its beginning and its end."""
    here = at.astimezone((await FACTS.load(tx)).clock)
    first = here.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)
