"""Tags that employees gave on a platform, on their customers. The rule:

- A tag that appears on a relation appears on the customer.
- A tag that disappears from a relation disappears from the customer, unless another active relation of theirs still has it.
- A relation that ends takes nothing: what was known of the customer stays.

What changes is the difference between two readings of one relation, so our own writing, read back, changes nothing. And what an active
relation has and its customer lacks (the customer was split, the relation began anew, the platform refused to take a tag away) is
given to the customer, unless it is about to be taken from the relation, or another tag of an exclusive group is in its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from customers.sync.links import Taken
from customers.tags import change_tags_of_each
from scrm.db import Row
from scrm.services import Work

OURS = """
select t.external_id, t.tag_id from tag_link t join tag o on o.id = t.tag_id join tag_group g on g.id = o.tag_group_id
where t.connection_id = $1 and t.external_id = any($2::text[]) and o.archived_at is null and g.archived_at is null
"""
# Which of these customers still have which of these tags on an active relation, on any connection.
STILL = """
select distinct k.customer_id, t.tag_id from contact k join contact_link l on l.contact_id = k.id
  join tag_link t on t.external_id = any(l.tags) and t.connection_id = k.connection_id
where k.customer_id = any($1::bigint[]) and t.tag_id = any($2::bigint[]) and l.state = 'active'
"""
HAVE = """
select distinct k.customer_id, t.tag_id from tag_link t join contact k on k.connection_id = t.connection_id
  join contact_link l on l.contact_id = k.id and l.tags @> array[t.external_id]
where t.connection_id = $1 and t.tag_id = any($2::bigint[]) and l.state = 'active'
"""


LACKING = """
select distinct k.customer_id, t.id as tag_id from contact_link l join contact k on k.id = l.contact_id
  join customer u on u.id = k.customer_id join tag_link m on m.connection_id = $1 and m.external_id = any(l.tags)
  join tag t on t.id = m.tag_id join tag_group g on g.id = t.tag_group_id
where l.id = any($2::bigint[]) and l.state = 'active' and not (t.id = any(u.tags)) and t.archived_at is null and g.archived_at is null
  and not coalesce(l.wish->'remove' @> to_jsonb(t.id), false)
  and not (g.exclusive and exists (select from tag o where o.tag_group_id = g.id and o.id = any(u.tags)))
"""


async def spread_tags(work: Work, connection_id: int, taken: Sequence[Taken]) -> None:
    """From relations, as they were read, to their customers."""
    await _differences(work, connection_id, taken)
    lacking = await work.tx.fetch(LACKING, connection_id, [one.id for one in taken])
    await _add(work, _pairs(lacking))


async def _differences(work: Work, connection_id: int, taken: Sequence[Taken]) -> None:
    changes = [
        (one.customer_id, set(one.relation.tags) - set(one.tags_before), set(one.tags_before) - set(one.relation.tags))
        for one in taken
        if set(one.relation.tags) != set(one.tags_before)
    ]
    names = sorted({name for _, added, removed in changes for name in added | removed})
    if not names:
        return
    ours = {row["external_id"]: row["tag_id"] for row in await work.tx.fetch(OURS, connection_id, names)}
    add: dict[int, set[int]] = defaultdict(set)
    remove: dict[int, set[int]] = defaultdict(set)
    for customer_id, added, removed in changes:
        add[customer_id] |= {ours[name] for name in added if name in ours}
        remove[customer_id] |= {ours[name] for name in removed if name in ours}
    still = _pairs(
        await work.tx.fetch(STILL, sorted(remove), sorted({tag for tags in remove.values() for tag in tags}))
    )
    wanted = {
        customer_id: (
            sorted(add[customer_id]),
            sorted(tag for tag in remove[customer_id] - add[customer_id] if (customer_id, tag) not in still),
        )
        for customer_id in {*add, *remove}
    }
    await change_tags_of_each(work, None, wanted, write_back=False)


async def spread_new_tags(work: Work, connection_id: int, tag_ids: Sequence[int]) -> None:
    """Tags of the library that we did not know when the relations were read."""
    if tag_ids:
        await _add(work, _pairs(await work.tx.fetch(HAVE, connection_id, list(tag_ids))))


async def _add(work: Work, pairs: Iterable[tuple[int, int]]) -> None:
    wanted: dict[int, tuple[list[int], list[int]]] = {}
    for customer_id, tag_id in sorted(pairs):
        wanted.setdefault(customer_id, ([], []))[0].append(tag_id)
    await change_tags_of_each(work, None, wanted, write_back=False)


def _pairs(rows: Iterable[Row]) -> set[tuple[int, int]]:
    return {(row["customer_id"], row["tag_id"]) for row in rows}
