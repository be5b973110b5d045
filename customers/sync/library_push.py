"""Our changes of the library of tags, told to a platform: what is new here is made there, names and orders follow, what was put away
here is deleted there. Only what this service made there may be changed by it; the rest keeps its name there, and the page says so.

Each step repeats harmlessly, so a kill between the call and its note costs one more call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from customers.sync.readings import clean, next_number
from scrm.channel_contacts import KeepsTags, PlatformTagGroup
from scrm.connections import Loaded
from scrm.db import Database, Row
from scrm.errors import Rejected
from scrm.services import Services

PUT_AWAY = """
select l.id, l.external_id, l.tag_id from tag_link l join tag_group g on g.id = l.tag_group_id left join tag t on t.id = l.tag_id
where l.connection_id = $1 and l.made_here and l.problem is null
  and (g.archived_at is not null or (l.tag_id is not null and t.archived_at is not null))
"""
NEW = """
select t.id, t.tag_group_id, t.name, g.name as group_name, coalesce(l.external_id, '') as group_external
from tag t join tag_group g on g.id = t.tag_group_id
left join tag_link l on l.connection_id = $1 and l.tag_group_id = g.id and l.tag_id is null
where t.archived_at is null and g.archived_at is null
  and not exists (select from tag_link o where o.connection_id = $1 and o.tag_id = t.id)
  and char_length(t.name) <= $2 and (l.id is not null or char_length(g.name) <= $2)
order by g.position, g.id, t.position, t.id
"""
RENAMED = """
select l.id, l.external_id, coalesce(t.name, g.name) as name from tag_link l join tag_group g on g.id = l.tag_group_id
left join tag t on t.id = l.tag_id
where l.connection_id = $1 and l.made_here and l.problem is null and coalesce(t.name, g.name) <> l.name_there
  and coalesce(t.archived_at, g.archived_at) is null and char_length(coalesce(t.name, g.name)) <= $2
"""
ORDERED = """
select l.id, l.external_id, l.tag_group_id, l.order_there, l.made_here from tag_link l join tag t on t.id = l.tag_id
where l.connection_id = $1 and t.archived_at is null order by l.tag_group_id, t.position, t.id
"""
UNLINK = "delete from tag_link where id = any($1::bigint[])"
LINK = """
insert into tag_link (connection_id, tag_group_id, tag_id, external_id, made_here, name_there, order_there, read_no, seen_at)
values ($1, $2, $3, $4, true, $5, $6, $7, $8) on conflict do nothing
"""
REFUSED = "update tag_link set made_here = false, problem = $2 where id = $1"


async def push_library(services: Services, loaded: Loaded, adapter: KeepsTags) -> None:
    """Raises the errors of the adapter but for refusals of single tags, which are kept beside them."""
    await _delete(services, loaded.id, adapter)
    await _add(services, loaded.id, adapter)
    await _rename(services.db, loaded.id, adapter)
    await _order(services.db, loaded.id, adapter)


async def _delete(services: Services, connection_id: int, adapter: KeepsTags) -> None:
    rows = await services.db.fetch(PUT_AWAY, connection_id)
    if not rows:
        return
    try:
        # A group goes with its last tag, so its own deletion is only asked for where tags of others are not in it.
        await adapter.delete_tags(tag_ids=[row["external_id"] for row in rows if row["tag_id"] is not None])
    except Rejected as error:
        for row in rows:
            await _refused(services.db, row, error)
        return
    await services.db.execute(UNLINK, [row["id"] for row in rows])


async def _add(services: Services, connection_id: int, adapter: KeepsTags) -> None:
    wanted: dict[int, list[Row]] = defaultdict(list)
    for row in await services.db.fetch(NEW, connection_id, adapter.tag_name_limit):
        wanted[row["tag_group_id"]].append(row)
    for group_id, tags in wanted.items():
        made = await adapter.add_tags(
            group_id=tags[0]["group_external"], group_name=tags[0]["group_name"], names=[tag["name"] for tag in tags]
        )
        await _note_added(services, connection_id, group_id, tags, made)


async def _note_added(
    services: Services, connection_id: int, group_id: int, tags: Sequence[Row], made: PlatformTagGroup
) -> None:
    there = {tag.name: tag for tag in made.tags}
    async with services.work() as work:
        number = await next_number(work.tx)
        if not tags[0]["group_external"]:
            await work.tx.execute(
                LINK, connection_id, group_id, None, made.external_id, clean(made.name), made.order, number, work.now
            )
        for tag in tags:
            if (one := there.get(tag["name"])) is not None:
                await work.tx.execute(
                    LINK, connection_id, group_id, tag["id"], one.external_id, one.name, one.order, number, work.now
                )
        work.ring("setting")


async def _rename(db: Database, connection_id: int, adapter: KeepsTags) -> None:
    for row in await db.fetch(RENAMED, connection_id, adapter.tag_name_limit):
        try:
            await adapter.change_tag(row["external_id"], name=row["name"])
        except Rejected as error:
            await _refused(db, row, error)
            continue
        await db.execute(
            "update tag_link set name_there = $2, read_no = nextval('reading_no') where id = $1", row["id"], row["name"]
        )


async def _order(db: Database, connection_id: int, adapter: KeepsTags) -> None:
    """Where the orders disagree, ours get numbers that fall from first to last."""
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in await db.fetch(ORDERED, connection_id):
        groups[row["tag_group_id"]].append(row)
    for rows in groups.values():
        there = [row["order_there"] for row in rows]
        if there == sorted(there, reverse=True):
            continue
        for place, row in enumerate(rows):
            wanted = len(rows) - place
            if not row["made_here"] or row["order_there"] == wanted:
                continue
            try:
                await adapter.change_tag(row["external_id"], order=wanted)
            except Rejected as error:
                await _refused(db, row, error)
                continue
            await db.execute(
                "update tag_link set order_there = $2, read_no = nextval('reading_no') where id = $1", row["id"], wanted
            )


async def _refused(db: Database, row: Row, error: Rejected) -> None:
    await db.execute(REFUSED, row["id"], {"code": error.code, "zh": error.reason.zh, "en": error.reason.en})
