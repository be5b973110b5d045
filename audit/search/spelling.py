"""Pinyin and initials of customers and groups, kept behind their changes: who types them finds the names.

A name is kept from its first, second and third character on, so that ``liqun`` finds 陈立群. Customers are followed in the order in which
they changed; groups are compared with the name that was spelled last (kept as a key of its own, ``=`` and the name).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from scrm.company import Setting
from scrm.db import Row
from scrm.services import Services, Work
from scrm.spelling import spelled

BATCH = 500
BEGINS = 3
"""Characters from which on a name is spelled."""
LONGEST = 40
SETTLED = timedelta(seconds=5)
"""Changes are given their time first and committed afterwards."""
LOCK_KEY = 7_226_061


class Seen(BaseModel):
    """Up to where customers were spelled, in the order in which they changed."""

    at: AwareDatetime = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    id: int = 0


SEEN = Setting("spelling_seen", Seen())
CHANGED = """
select u.id, u.updated_at, array_remove(array[u.name, u.remark] || array(select k.name from contact k where k.customer_id = u.id limit 20), '') as names
from customer u where u.merged_into is null and (u.updated_at, u.id) > ($1, $2) and u.updated_at < $3 order by u.updated_at, u.id limit $4
"""
GROUPS = """
select c.id, array[c.group_name] as names from conversation c where c.group_key <> '' and c.group_name <> ''
  and not exists (select from spelled_name s where s.kind = 'group' and s.id = c.id and s.key = '=' || left(c.group_name, 100)) limit $1
"""
FORGET = "delete from spelled_name where kind = $1 and id = any($2::bigint[])"
KEEP = """
insert into spelled_name (kind, id, key) select $1, w.id, w.key from unnest($2::bigint[], $3::text[]) w (id, key) on conflict do nothing
"""


async def look(services: Services) -> bool:
    """One round. True: there is more."""
    async with services.work() as work:
        if not await work.tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
            return False
        seen = await SEEN.load(work.tx)
        customers = await work.tx.fetch(CHANGED, seen.at, seen.id, work.now - SETTLED, BATCH)
        if customers:
            await _keep(work, "customer", customers)
            last = customers[-1]
            await SEEN.save(work, Seen(at=last["updated_at"], id=last["id"]), by=None)
        groups = await work.tx.fetch(GROUPS, BATCH)
        if groups:
            await _keep(work, "group", groups, marked=True)
        return BATCH in (len(customers), len(groups))


def keys_of(name: str) -> set[str]:
    """In Latin letters, without spaces; nothing for a name that has no Chinese."""
    found: set[str] = set()
    for begin in range(min(BEGINS, len(name))):
        found.update("".join(one.lower().split())[:LONGEST] for one in spelled(name[begin:]))
    return {one for one in found if one}


def _pairs(rows: Sequence[Row]) -> list[tuple[int, str]]:
    return [(row["id"], key) for row in rows for name in row["names"] for key in sorted(keys_of(name))]


async def _keep(work: Work, kind: str, rows: Sequence[Row], *, marked: bool = False) -> None:
    # Hundreds of names are many milliseconds of looking up: not where people are served.
    pairs = await asyncio.to_thread(_pairs, rows)
    if marked:
        pairs += [(row["id"], f"={row['names'][0][:100]}") for row in rows]
    await work.tx.execute(FORGET, kind, [row["id"] for row in rows])
    await work.tx.execute(KEEP, kind, [one for one, _ in pairs], [key for _, key in pairs])
