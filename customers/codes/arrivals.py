"""Somebody came by a code: counted once, and what the code promises is given (tags, stage, source).

Relations are the truth (``contact_link.source``), not the events: what came by a lost callback and was found by the reconciliation
counts as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from customers import stages, tags
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import ApiError
from scrm.services import Services, Work

AT_ONCE = 500

FRESH = """
with fresh as (
  select id from contact_link where source <> '' and counted <> source order by id limit $1 for update skip locked
)
update contact_link l set counted = l.source from fresh where l.id = fresh.id returning l.id
"""
CAME = """
insert into code_arrival (contact_code_id, contact_link_id, at)
select c.id, l.id, coalesce(l.added_at, l.created_at) from contact_link l join contact k on k.id = l.contact_id
join contact_code c on c.connection_id = k.connection_id and c.source = l.source where l.id = any($1::bigint[])
on conflict do nothing returning id
"""
WHOSE = """
select a.id, a.contact_code_id, a.at, c.name, c.tags, c.stage_id, l.account_id, l.contact_id, k.customer_id
from code_arrival a join contact_code c on c.id = a.contact_code_id join contact_link l on l.id = a.contact_link_id
join contact k on k.id = l.contact_id where a.id = any($1::bigint[]) order by a.id
"""
COUNT = """
update contact_code c set came = c.came + w.n from unnest($1::bigint[], $2::bigint[]) w (id, n) where c.id = w.id
"""
SOURCE = """
update customer u set source = w.name, version = u.version + 1, updated_at = $3
from unnest($1::bigint[], $2::text[]) w (id, name) where u.id = w.id and u.source = ''
"""


class Arrivals:
    """:meth:`round` takes those who came since the last one. Two processes at once: the unique key decides."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        async with self._services.work() as work:
            fresh = await work.tx.fetch(FRESH, AT_ONCE)
            came = await work.tx.fetch(CAME, [row["id"] for row in fresh]) if fresh else []
            if came:
                await _welcome(work, await work.tx.fetch(WHOSE, [row["id"] for row in came]))
        return len(fresh) == AT_ONCE


async def _welcome(work: Work, arrivals: Sequence[Row]) -> None:
    counts: dict[int, int] = defaultdict(int)
    by_code: dict[int, list[Row]] = defaultdict(list)
    for row in arrivals:
        counts[row["contact_code_id"]] += 1
        by_code[row["contact_code_id"]].append(row)
    codes = sorted(counts)
    await work.tx.execute(COUNT, codes, [counts[code] for code in codes])
    names = {row["customer_id"]: row["name"] for row in reversed(arrivals)}
    await work.tx.execute(SOURCE, list(names), list(names.values()), work.now)
    await tell(work, [_line(row) for row in arrivals])
    for some in by_code.values():
        await _give(work, some)


async def _give(work: Work, arrivals: Sequence[Row]) -> None:
    """What this code promises. A tag or stage that was put away since must not hold up those who come."""
    first = arrivals[0]
    customers = sorted({row["customer_id"] for row in arrivals})
    rule = {"id": first["contact_code_id"], "name": first["name"], "kind": "code"}
    if first["tags"]:
        try:
            async with work.tx.transaction():
                await tags.change_tags(work, None, customers, await _offered(work, first["tags"]), [], rule=rule)
        except ApiError:
            pass
    if first["stage_id"] is not None:
        try:
            async with work.tx.transaction():
                unset = await work.tx.fetch(
                    "select id from customer where id = any($1::bigint[]) and stage_id is null", customers
                )
                # Somebody who is on the way already is not thrown back by scanning another code.
                await stages.move(work, None, [row["id"] for row in unset], first["stage_id"], rule=rule)
        except ApiError:
            pass


async def _offered(work: Work, tag_ids: Sequence[int]) -> list[int]:
    rows = await work.tx.fetch(
        "select id from tag where id = any($1::bigint[]) and archived_at is null order by id", list(tag_ids)
    )
    return [row["id"] for row in rows]


def _line(row: Row) -> Line:
    return Line(
        customer_id=row["customer_id"],
        kind="code.scanned",
        at=row["at"],
        account_id=row["account_id"],
        contact_id=row["contact_id"],
        object_kind="contact_code",
        object_id=row["contact_code_id"],
        data={"code": row["name"]},
    )
