"""Tags of customers: :func:`change_tags` is the one way in which a customer gets or loses them.

Of an exclusive group a customer has one tag at most: a new one takes the place of the old one. The customers are locked before
anything is decided, so two people who tag one customer at once leave one tag of such a group, the later one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from customers.pool.due import recompute
from customers.sync.wishes import wish_tags
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.services import Work

MOST_ON_ONE = 100

WANTED = """
select t.id, t.name, t.tag_group_id, g.name as group_name, g.color, g.exclusive, t.archived_at is null and g.archived_at is null as offered
from tag t join tag_group g on g.id = t.tag_group_id where t.id = any($1::bigint[])
"""
RIVALS = """
select t.id, t.name, t.tag_group_id, g.name as group_name, g.color from tag t join tag_group g on g.id = t.tag_group_id
where t.tag_group_id = any($1::bigint[]) and t.id <> all($2::bigint[])
"""
LOCK = """
select id from customer where id = any($1::bigint[]) and merged_into is null order by id for update
"""
# What each customer has afterwards; the rows are locked, so what `was` reads is what is changed.
CHANGE = """
update customer u set tags = w.tags, version = u.version + 1, updated_at = $4 from (
  select was.id, was.tags as before, array(
    select t from (select unnest(was.tags) union select unnest($2::bigint[])) s (t) where t <> all($3::bigint[]) order by t
  ) as tags from customer was where was.id = any($1::bigint[])
) w where u.id = w.id and w.tags <> array(select unnest(w.before) order by 1)
returning u.id, w.before, w.tags
"""


# The same with tags for each customer.
CHANGE_EACH = """
update customer u set tags = w.tags, version = u.version + 1, updated_at = $2 from (
  select was.id, was.tags as before, array(
    select t from (select unnest(was.tags) union select unnest(e.added)) s (t) where t <> all(e.removed) order by t
  ) as tags from jsonb_to_recordset($1) e (id bigint, added bigint[], removed bigint[]) join customer was on was.id = e.id
) w where u.id = w.id and w.tags <> array(select unnest(w.before) order by 1)
returning u.id, w.before, w.tags
"""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What changed for one customer; ``before`` is what it takes to undo it."""

    customer_id: int
    added: tuple[int, ...]
    removed: tuple[int, ...]


async def change_tags(
    work: Work,
    agent_id: int | None,
    customer_ids: Sequence[int],
    add: Sequence[int],
    remove: Sequence[int],
    *,
    rule: Mapping[str, Any] | None = None,
    write_back: bool = True,
) -> list[Tagged]:
    """Adds and removes tags of these customers, in a handful of statements however many they are. Customers that are not there are
    left out, and so are those for whom nothing changes. ``rule`` (``{id, name}``) says in the story what did it.
    ``write_back``: the relations of these customers get the same on their platforms.

    Raises :class:`Unprocessable` for a tag that does not exist or was put away, for two tags of one exclusive group, and for too
    many tags on one customer.
    """
    if not customer_ids or not (add or remove):
        return []
    added = [one for one in dict.fromkeys(add) if one not in set(remove)]
    known = {row["id"]: row for row in await work.tx.fetch(WANTED, [*added, *remove])}
    rivals = await _rivals(work, added, known)
    gone = [*dict.fromkeys(remove), *rivals]
    ids = [row["id"] for row in await work.tx.fetch(LOCK, list(customer_ids))]
    rows = await work.tx.fetch(CHANGE, ids, added, gone, work.now)
    if any(len(row["tags"]) > MOST_ON_ONE for row in rows):
        raise Unprocessable(f"A customer has at most {MOST_ON_ONE} tags.", fields={"add": "These are too many."})
    changed = [_tagged(row) for row in rows]
    await _tell(work, agent_id, changed, {**known, **rivals}, rule)
    await recompute(work, [one.customer_id for one in changed])
    if write_back:
        await wish_tags(work, changed)
    return changed


async def change_tags_of_each(
    work: Work,
    agent_id: int | None,
    wanted: Mapping[int, tuple[Sequence[int], Sequence[int]]],
    *,
    write_back: bool = True,
) -> list[Tagged]:
    """The same with tags to add and to remove for each customer, for what was not chosen by a person: tags that do not exist or were
    put away are left out, and of several tags of one exclusive group the last one counts."""
    wanted = {customer_id: what for customer_id, what in wanted.items() if what[0] or what[1]}
    if not wanted:
        return []
    tags = sorted({one for add, remove in wanted.values() for one in (*add, *remove)})
    known = {row["id"]: row for row in await work.tx.fetch(WANTED, tags)}
    exclusive = sorted({row["tag_group_id"] for row in known.values() if row["exclusive"]})
    rivals = {row["id"]: row for row in await work.tx.fetch(RIVALS, exclusive, [])} if exclusive else {}
    ids = [row["id"] for row in await work.tx.fetch(LOCK, sorted(wanted))]
    each = [_for_one(customer_id, *wanted[customer_id], known, rivals) for customer_id in ids]
    changed = [_tagged(row) for row in await work.tx.fetch(CHANGE_EACH, each, work.now)] if each else []
    await _tell(work, agent_id, changed, {**rivals, **known}, None)
    await recompute(work, [one.customer_id for one in changed])
    if write_back:
        await wish_tags(work, changed)
    return changed


def _for_one(
    customer_id: int, add: Sequence[int], remove: Sequence[int], known: Mapping[int, Row], rivals: Mapping[int, Row]
) -> dict[str, Any]:
    added = [one for one in dict.fromkeys(add) if one in known and known[one]["offered"]]
    last = {known[one]["tag_group_id"]: one for one in added if known[one]["exclusive"]}
    added = [one for one in added if last.get(known[one]["tag_group_id"], one) == one]
    displaced = [one for one, row in rivals.items() if one not in added and row["tag_group_id"] in last]
    return {"id": customer_id, "added": added, "removed": sorted({*remove, *displaced} - set(added))}


async def _rivals(work: Work, added: Sequence[int], known: Mapping[int, Row]) -> dict[int, Row]:
    """The other tags of the exclusive groups that these tags belong to."""
    if any(one not in known or not known[one]["offered"] for one in added):
        raise Unprocessable("One of these tags does not exist.", fields={"add": "Choose tags from the list."})
    groups = [known[one]["tag_group_id"] for one in added if known[one]["exclusive"]]
    if len(set(groups)) != len(groups):
        raise Unprocessable(
            "Of this group a customer has one tag only.", code="exclusive", fields={"add": "Choose one of the group."}
        )
    if not groups:
        return {}
    return {row["id"]: row for row in await work.tx.fetch(RIVALS, groups, list(added))}


def _tagged(row: Row) -> Tagged:
    before, after = set(row["before"]), set(row["tags"])
    return Tagged(row["id"], tuple(sorted(after - before)), tuple(sorted(before - after)))


async def _tell(
    work: Work,
    agent_id: int | None,
    changed: Sequence[Tagged],
    known: Mapping[int, Row],
    rule: Mapping[str, Any] | None,
) -> None:
    """A line for what was added and one for what was removed, with the names as they are now."""

    def named(ids: Sequence[int]) -> dict[str, Any]:
        tags = [
            {"id": one, "name": row["name"], "group": row["group_name"], "color": row["color"]}
            for one in ids
            if (row := known.get(one)) is not None
        ]
        return {"tags": tags, **({"rule": dict(rule)} if rule is not None else {})}

    lines = []
    for one in changed:
        if one.removed:
            lines.append(Line(one.customer_id, "tag.removed", agent_id=agent_id, data=named(one.removed)))
        if one.added:
            lines.append(Line(one.customer_id, "tag.added", agent_id=agent_id, data=named(one.added)))
    await tell(work, lines)
