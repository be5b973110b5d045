"""Tags that employees gave on a platform, on their customers. The rule:

- A tag that appears on a relation appears on the customer.
- A tag that disappears from a relation disappears from the customer, unless another active relation of theirs still has it.
- A relation that ends takes nothing: what was known of the customer stays.

What changes is the difference between two readings of one relation, so our own writing, read back, changes nothing.
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


async def spread_tags(work: Work, connection_id: int, taken: Sequence[Taken]) -> None:
    """From relations, as they were read, to their customers."""
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
    wanted: dict[int, tuple[list[int], list[int]]] = {}
    for customer_id, tag_id in sorted(_pairs(await work.tx.fetch(HAVE, connection_id, list(tag_ids)))):
        wanted.setdefault(customer_id, ([], []))[0].append(tag_id)
    await change_tags_of_each(work, None, wanted, write_back=False)


def _pairs(rows: Iterable[Row]) -> set[tuple[int, int]]:
    return {(row["customer_id"], row["tag_id"]) for row in rows}
