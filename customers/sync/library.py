"""The library of tags, as a platform has it, becomes ours: groups and tags are matched by name when they first meet, and known by their
external id from then on. What changed there since the last reading changes here; what we changed is told there by
:mod:`customers.sync.library_push`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from customers.sync.readings import clean
from customers.sync.tagging import spread_new_tags
from scrm.channel_contacts import PlatformTag, PlatformTagGroup
from scrm.db import Row
from scrm.services import Work

ALONE = "lock table tag_group in share row exclusive mode"
LINKS = """
select id, external_id, tag_group_id, tag_id, name_there, order_there, read_no from tag_link where connection_id = $1
"""
GROUP_OF_NAME = "select id from tag_group where lower(name) = lower($1) and archived_at is null"
NEW_GROUP = """
insert into tag_group (name, position, created_at) values ($1, (select coalesce(max(position), 0) + 1 from tag_group), $2) returning id
"""
TAG_OF_NAME = "select id from tag where tag_group_id = $1 and lower(name) = lower($2) and archived_at is null"
NEW_TAG = """
insert into tag (tag_group_id, name, position, created_at)
values ($1, $2, (select coalesce(max(position), 0) + 1 from tag where tag_group_id = $1), $3) returning id
"""
LINK = """
insert into tag_link (connection_id, tag_group_id, tag_id, external_id, name_there, order_there, read_no, seen_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning id
"""
SEEN = """
update tag_link l set name_there = w.name, order_there = w.sort, read_no = $1, seen_at = $2
from unnest($3::bigint[], $4::text[], $5::int[]) w (id, name, sort) where l.id = w.id
"""
UNLINK = """
delete from tag_link where id = any($1::bigint[]) returning external_id, tag_group_id, tag_id
"""
FORGET_ON_RELATIONS = """
update contact_link l set tags = array(select t from unnest(l.tags) t where t <> all($2::text[]))
from account a where a.id = l.account_id and a.connection_id = $1 and l.tags && $2::text[]
"""
ARCHIVE_TAGS = """
update tag t set archived_at = $2 where t.id = any($1::bigint[]) and t.archived_at is null
  and not exists (select from tag_link l where l.tag_id = t.id)
"""
ARCHIVE_GROUPS = """
update tag_group g set archived_at = $2 where g.id = any($1::bigint[]) and g.archived_at is null
  and not exists (select from tag_link l where l.tag_group_id = g.id)
  and not exists (select from tag t where t.tag_group_id = g.id and t.archived_at is null)
"""
PLACES = "select id, position from tag where id = any($1::bigint[]) order by position, id"
PLACE = """
update tag t set position = w.position from unnest($1::bigint[], $2::int[]) w (id, position) where t.id = w.id and t.position <> w.position
"""


async def take_library(work: Work, connection_id: int, number: int, groups: Sequence[PlatformTagGroup]) -> None:
    """All groups with all tags."""
    await work.tx.execute(ALONE)
    known = {row["external_id"]: row for row in await work.tx.fetch(LINKS, connection_id)}
    seen: list[tuple[Row, str, int]] = []
    fresh: list[int] = []
    for group in sorted(groups, key=lambda one: -one.order):
        link = known.get(group.external_id)
        if link is None:
            group_id = await _meet_group(work, connection_id, number, group)
        else:
            group_id = link["tag_group_id"]
            if link["read_no"] <= number:
                await _follow_name(work, "tag_group", group_id, link, clean(group.name))
                seen.append((link, clean(group.name), group.order))
        fresh += await _tags(work, connection_id, number, group_id, group.tags, known, seen)
    await work.tx.execute(
        SEEN,
        number,
        work.now,
        [row["id"] for row, _, _ in seen],
        [name for _, name, _ in seen],
        [sort for _, _, sort in seen],
    )
    there = {row["id"] for row, _, _ in seen}
    await _forget(
        work, connection_id, [row["id"] for row in known.values() if row["id"] not in there and row["read_no"] < number]
    )
    await spread_new_tags(work, connection_id, fresh)
    work.ring("setting")
    work.ring("relation", connection_id)


async def _meet_group(work: Work, connection_id: int, number: int, group: PlatformTagGroup) -> int:
    name = clean(group.name) or group.external_id
    group_id = await work.tx.fetchval(GROUP_OF_NAME, name)
    if group_id is None:
        group_id = await work.tx.fetchval(NEW_GROUP, name, work.now)
    await work.tx.execute(LINK, connection_id, group_id, None, group.external_id, name, group.order, number, work.now)
    return int(group_id)


async def _tags(
    work: Work,
    connection_id: int,
    number: int,
    group_id: int,
    tags: Sequence[PlatformTag],
    known: dict[str, Row],
    seen: list[tuple[Row, str, int]],
) -> list[int]:
    """Returns the ids of those that were not known on this platform."""
    fresh: list[int] = []
    orders: dict[int, int] = {}
    moved = False
    for tag in sorted(tags, key=lambda one: -one.order):
        name, link = clean(tag.name) or tag.external_id, known.get(tag.external_id)
        if link is None:
            tag_id = await work.tx.fetchval(TAG_OF_NAME, group_id, name)
            if tag_id is None:
                tag_id = await work.tx.fetchval(NEW_TAG, group_id, name, work.now)
            if await work.tx.fetchval(
                LINK, connection_id, group_id, tag_id, tag.external_id, name, tag.order, number, work.now
            ):
                fresh.append(tag_id)
        elif link["tag_id"] is not None and link["read_no"] <= number:
            await _follow_name(work, "tag", link["tag_id"], link, name)
            seen.append((link, name, tag.order))
            orders[link["tag_id"]] = tag.order
            moved = moved or link["order_there"] != tag.order
    if moved:
        await _follow_order(work, orders)
    return fresh


async def _follow_name(work: Work, table: str, row_id: int, link: Row, name: str) -> None:
    """A name that changed there changes here, unless another one of ours has it."""
    if name in ("", link["name_there"]):
        return
    try:
        async with work.tx.transaction():
            await work.tx.execute(f"update {table} set name = $2 where id = $1", row_id, name)  # noqa: S608 - of two
    except asyncpg.UniqueViolationError:
        return


async def _follow_order(work: Work, orders: dict[int, int]) -> None:
    """Ours keep the places that they have together, in the order that the platform gave them: larger first."""
    rows = await work.tx.fetch(PLACES, list(orders))
    ours = {row["id"]: n for n, row in enumerate(rows)}
    wanted = sorted(orders, key=lambda tag_id: (-orders[tag_id], ours.get(tag_id, 0)))
    await work.tx.execute(PLACE, wanted, [row["position"] for row in rows])


async def _forget(work: Work, connection_id: int, link_ids: Sequence[int]) -> None:
    """What was deleted there is put away here, unless it still is on another platform. Customers keep it as what was once known."""
    if not link_ids:
        return
    gone: dict[str, list[int]] = defaultdict(list)
    names = []
    for row in await work.tx.fetch(UNLINK, list(link_ids)):
        names.append(row["external_id"])
        gone["group" if row["tag_id"] is None else "tag"].append(row["tag_id"] or row["tag_group_id"])
    await work.tx.execute(FORGET_ON_RELATIONS, connection_id, names)
    await work.tx.execute(ARCHIVE_TAGS, gone["tag"], work.now)
    await work.tx.execute(ARCHIVE_GROUPS, gone["group"], work.now)
