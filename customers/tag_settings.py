"""Groups of tags and their tags, as managers keep them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import asyncpg
from pydantic import Field

from customers.stage_settings import Color
from customers.sync.wishes import library_changed
from customers.tags import change_tags
from scrm import jobs
from scrm.db import Database, Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.jobs import Job
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.spelling import spelled
from scrm.trail import record
from scrm.views import Id, Input, Line, View

MOST_GROUPS = 200
MOST_TAGS = 3000
MERGE_TAGS = "merge_tags"
AT_ONCE = 500
GROUPS = """
select id, name, color, exclusive, position, archived_at is not null as archived from tag_group order by position, id
"""
TAGS = """
select id, tag_group_id as group_id, name, position, archived_at is not null as archived from tag order by position, id
"""
COUNTS = """
select tag_id as id, sum(n)::bigint as n from customer_tally where tag_id is not null group by 1 having sum(n) <> 0
"""
PLACE = """
update {table} s set position = w.position from unnest($1::bigint[]) with ordinality w (id, position)
where s.id = w.id and s.position <> w.position
"""
# Rules that give the tag, or wait for it, mean the other one from now on.
IN_RULES = """
update customer_rule set data = jsonb_set(data, $3::text[], (
  select jsonb_agg(distinct case when t = to_jsonb($1::bigint) then to_jsonb($2::bigint) else t end) from jsonb_array_elements(data #> $3) t))
where kind in ('tag', 'stage') and data #> $3 @> to_jsonb($1::bigint)
"""
WITH_TAG = "select id from customer where tags @> array[$1::bigint] and merged_into is null limit $2"


class TagView(View):
    """``keys``: what it is found by beside its name: its pinyin and the initials of that, a line each."""

    id: int
    group_id: int
    name: str
    position: int
    archived: bool
    keys: str


class TagGroupView(View):
    """``exclusive``: a customer has one tag of it at most."""

    id: int
    name: str
    color: Color
    exclusive: bool
    position: int
    archived: bool
    tags: list[TagView]


class TagLibrary(View):
    groups: list[TagGroupView]


class TagCount(View):
    id: int
    n: int


class TagCounts(View):
    """How many customers have each; tags that nobody has are left out."""

    counts: list[TagCount]


class NewTagGroup(Input):
    name: Line
    color: Color = "blue"
    exclusive: bool = False
    tags: Annotated[list[Line], Field(default_factory=list, max_length=100)]


class TagGroupInput(Input):
    """What is given is changed."""

    name: Line | None = None
    color: Color | None = None
    exclusive: bool | None = None
    archived: bool | None = None


class NewTag(Input):
    group_id: Id
    name: Line


class TagInput(Input):
    """What is given is changed. ``group_id`` moves it to another group."""

    name: Line | None = None
    group_id: Id | None = None
    archived: bool | None = None


class MergeInput(Input):
    into_id: Id


class TagOrder(Input):
    ids: Annotated[list[Id], Field(max_length=MOST_TAGS)]


async def library(tx: Tx | Database) -> TagLibrary:
    tags = [_tag(row) for row in await tx.fetch(TAGS)]
    groups = []
    for row in await tx.fetch(GROUPS):
        own = [tag for tag in tags if tag.group_id == row["id"]]
        groups.append(TagGroupView(**{**dict(row), "color": row["color"] or "grey"}, tags=own))
    return TagLibrary(groups=groups)


async def counts(tx: Tx | Database) -> TagCounts:
    return TagCounts(counts=[TagCount(**row) for row in await tx.fetch(COUNTS)])


async def add_group(work: Work, principal: Principal, new: NewTagGroup, *, address: str) -> int:
    """Raises :class:`Conflict` (``name_taken``), :class:`Unprocessable` when there are too many."""
    await _alone(work)
    if await work.tx.fetchval("select count(*) from tag_group where archived_at is null") >= MOST_GROUPS:
        raise Unprocessable(f"There are {MOST_GROUPS} groups already; put some away first.", code="too_many")
    made = await work.tx.fetchval(
        "insert into tag_group (name, color, exclusive, position, created_at) values ($1, $2, $3, "
        "(select coalesce(max(position), 0) + 1 from tag_group), $4) on conflict do nothing returning id",
        new.name, new.color, new.exclusive, work.now,
    )  # fmt: skip
    if made is None:
        raise _taken()
    for name in dict.fromkeys(new.tags):
        await _insert_tag(work, made, name)
    await _note(work, principal, "tag_group.added", made, address)
    return int(made)


async def change_group(work: Work, principal: Principal, group_id: int, change: TagGroupInput, *, address: str) -> None:
    """Made exclusive, a group leaves customers as they are; the next tag of it displaces the others. Raises :class:`NotFound`,
    :class:`Conflict`."""
    await _alone(work)
    try:
        async with work.tx.transaction():
            found = await work.tx.fetchval(
                "update tag_group set name = coalesce($2, name), color = coalesce($3, color), exclusive = coalesce($4, exclusive), "
                "archived_at = case when $5::boolean is null then archived_at when $5 then coalesce(archived_at, $6) end "
                "where id = $1 returning id",
                group_id, change.name, change.color, change.exclusive, change.archived, work.now,
            )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise _taken() from error
    if found is None:
        raise NotFound("There is no such group of tags.")
    await _note(work, principal, "tag_group.changed", group_id, address)


async def add_tag(work: Work, principal: Principal, new: NewTag, *, address: str) -> int:
    """Raises :class:`Conflict` (``name_taken``), :class:`Unprocessable`."""
    await _alone(work)
    if await work.tx.fetchval("select count(*) from tag where archived_at is null") >= MOST_TAGS:
        raise Unprocessable(f"There are {MOST_TAGS} tags already; put some away first.", code="too_many")
    await _check_group(work, new.group_id)
    tag_id = await _insert_tag(work, new.group_id, new.name)
    await _note(work, principal, "tag.created", tag_id, address)
    return tag_id


async def change_tag(work: Work, principal: Principal, tag_id: int, change: TagInput, *, address: str) -> None:
    """Raises :class:`NotFound`, :class:`Conflict`."""
    await _alone(work)
    if change.group_id is not None:
        await _check_group(work, change.group_id)
    try:
        async with work.tx.transaction():
            found = await work.tx.fetchval(
                "update tag set name = coalesce($2, name), tag_group_id = coalesce($3, tag_group_id), "
                "archived_at = case when $4::boolean is null then archived_at when $4 then coalesce(archived_at, $5) end "
                "where id = $1 returning id",
                tag_id, change.name, change.group_id, change.archived, work.now,
            )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise _taken() from error
    if found is None:
        raise NotFound("There is no such tag.")
    await _note(work, principal, "tag.changed", tag_id, address)


async def put_groups_in_order(work: Work, principal: Principal, ids: Sequence[int], *, address: str) -> None:
    """Raises :class:`Conflict` when the list is another one by now."""
    await _alone(work)
    known = {row["id"] for row in await work.tx.fetch(GROUPS) if not row["archived"]}
    await _order(work, "tag_group", ids, known)
    await _note(work, principal, "tag_group.ordered", None, address)


async def put_tags_in_order(
    work: Work, principal: Principal, group_id: int, ids: Sequence[int], *, address: str
) -> None:
    """Raises :class:`Conflict` when the list is another one by now."""
    await _alone(work)
    known = {row["id"] for row in await work.tx.fetch(TAGS) if row["group_id"] == group_id and not row["archived"]}
    await _order(work, "tag", ids, known)
    await _note(work, principal, "tag.ordered", group_id, address)


async def merge_tag(work: Work, principal: Principal, tag_id: int, into_id: int, *, address: str) -> None:
    """``tag_id`` is put away at once; the customers who have it get ``into_id`` by a job, some hundreds at a time. Raises
    :class:`NotFound`, :class:`Unprocessable`."""
    await _alone(work)
    known = {row["id"]: row for row in await work.tx.fetch(TAGS)}
    if tag_id not in known:
        raise NotFound("There is no such tag.")
    if into_id == tag_id or into_id not in known or known[into_id]["archived"]:
        raise Unprocessable("Tags cannot be merged into this one.", fields={"into_id": "Choose another tag."})
    await work.tx.execute("update tag set archived_at = coalesce(archived_at, $2) where id = $1", tag_id, work.now)
    for place in (["tag_ids"], ["cause", "tag_ids"]):
        await work.tx.execute(IN_RULES, tag_id, into_id, place)
    payload = {"tag_id": tag_id, "into_id": into_id, "agent_id": principal.agent_id}
    await jobs.put(work, MERGE_TAGS, [f"{tag_id}:{into_id}:{work.now.isoformat()}"], [payload])
    await _note(work, principal, "tag.merged", tag_id, address, into_id=into_id)


async def merge_tags(services: Services, job: Job) -> None:
    """Job: gives the customers of one tag the other one. Killed in the middle, it goes on where it was."""
    tag_id, into_id, agent_id = job.payload["tag_id"], job.payload["into_id"], job.payload["agent_id"]
    while True:
        async with services.work() as work:
            ids = [row["id"] for row in await work.tx.fetch(WITH_TAG, tag_id, AT_ONCE)]
            if not ids:
                return
            offered = await work.tx.fetchval("select archived_at is null from tag where id = $1", into_id)
            await change_tags(work, agent_id, ids, [into_id] if offered else [], [tag_id])


async def _insert_tag(work: Work, group_id: int, name: str) -> int:
    made = await work.tx.fetchval(
        "insert into tag (tag_group_id, name, position, created_at) values ($1, $2, "
        "(select coalesce(max(position), 0) + 1 from tag where tag_group_id = $1), $3) on conflict do nothing returning id",
        group_id, name, work.now,
    )  # fmt: skip
    if made is None:
        raise _taken()
    return int(made)


async def _check_group(work: Work, group_id: int) -> None:
    if not await work.tx.fetchval(
        "select exists (select from tag_group where id = $1 and archived_at is null)", group_id
    ):
        raise Unprocessable("There is no such group of tags.", fields={"group_id": "Choose a group from the list."})


async def _order(work: Work, table: str, ids: Sequence[int], known: set[int]) -> None:
    if set(ids) != known or len(ids) != len(known):
        raise Conflict("Somebody changed this list meanwhile. Look at it again.", code="changed_meanwhile")
    await work.tx.execute(PLACE.format(table=table), list(ids))


def _tag(row: Row) -> TagView:
    return TagView(**row, keys=_keys(row["name"]))


@lru_cache(maxsize=2 * MOST_TAGS)
def _keys(name: str) -> str:
    return "\n".join(spelled(name.lower()))


async def _alone(work: Work) -> None:
    """Changes of the library are rare: one after the other."""
    await work.tx.execute("lock table tag_group in share row exclusive mode")


async def _note(
    work: Work, principal: Principal, action: str, object_id: int | None, address: str, **detail: object
) -> None:
    work.ring("setting")
    await library_changed(work)
    await record(
        work,
        action,
        agent_id=principal.agent_id,
        object_kind="tag",
        object_id=object_id,
        address=address,
        detail=detail,
    )


def _taken() -> Conflict:
    return Conflict("There is one of this name already.", code="name_taken", fields={"name": "Choose another name."})
