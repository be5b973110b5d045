"""What we want to be written on a platform, kept on the relation until it is there (:mod:`customers.sync.writing` writes it).

A relation has one wish: later ones are merged into it, so what leaves is always the newest. It holds ``remark``, ``description``,
``company``, ``phones`` (absent: stays) and the ids of our tags in ``add`` and ``remove``. ``wish_no`` counts changes of it: a write
that ends clears the wish only if nobody wished anything new meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from customers.sync.due import ring_everywhere
from scrm.services import Work

if TYPE_CHECKING:
    from customers.tags import Tagged

WISH_TAGS = """
update contact_link l set wish = coalesce(l.wish, '{}') || jsonb_build_object(
    'add', to_jsonb(array(select t from (select jsonb_array_elements_text(l.wish->'add')::bigint
      union select unnest(w.added)) s (t) where t <> all(w.removed) order by t)),
    'remove', to_jsonb(array(select t from (select jsonb_array_elements_text(l.wish->'remove')::bigint
      union select unnest(w.removed)) s (t) where t <> all(w.added) order by t))),
  wish_no = l.wish_no + 1, wish_tries = 0, wish_due_at = $2, wish_error = null
from jsonb_to_recordset($1) w (customer_id bigint, added bigint[], removed bigint[]), contact k
where k.customer_id = w.customer_id and l.contact_id = k.id and l.state = 'active'
  and exists (select from tag_link t where t.connection_id = k.connection_id)
returning k.connection_id
"""
WISH_WORDS = """
update contact_link l set wish = coalesce(l.wish, '{}') || $2::jsonb, wish_no = l.wish_no + 1, wish_tries = 0, wish_due_at = $3,
  wish_error = null where l.id = $1 and l.state = 'active' returning l.contact_id
"""


async def wish_tags(work: Work, changed: Sequence[Tagged]) -> None:
    """Tags that were given or taken here are given or taken on every active relation of the customers, on platforms that have our
    tags. Called by ``customers.tags`` for every change that did not come from there."""
    wanted = [
        {"customer_id": one.customer_id, "added": list(one.added), "removed": list(one.removed)}
        for one in changed
        if one.added or one.removed
    ]
    if not wanted:
        return
    rows = await work.tx.fetch(WISH_TAGS, wanted, work.now)
    if rows:
        work.ring("relation", *{row["connection_id"] for row in rows})


async def wish_words(work: Work, link_id: int, words: Mapping[str, Any]) -> bool:
    """``remark``, ``description``, ``company``, ``phones`` of one active relation. False: it is no longer active."""
    found = await work.tx.fetchval(WISH_WORDS, link_id, dict(words), work.now)
    if found is not None:
        work.ring("relation")
    return found is not None


async def library_changed(work: Work) -> None:
    """Groups or tags were made, renamed, ordered or put away here: platforms are compared and told. Called by whoever changes them."""
    await ring_everywhere(work, "tags")
