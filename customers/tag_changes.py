"""Tagging from the page: what the asker may change is tagged, in one step that can be taken back."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

from pydantic import Field, model_validator

from customers.stage_moves import MOST, ChangeDone, changeable, done
from customers.tags import Tagged, change_tags
from scrm.errors import Conflict
from scrm.permissions import CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input

UNDO_TAGS = "customer.tags"
MOST_AT_ONCE = 50
OFFERED = """
select t.id from tag t join tag_group g on g.id = t.tag_group_id
where t.id = any($1::bigint[]) and t.archived_at is null and g.archived_at is null
"""
AS_LEFT = """
select u.id from customer u join unnest($1::bigint[], $2::text[], $3::text[]) w (id, added, removed) on w.id = u.id
where u.merged_into is null and u.tags @> w.added::bigint[] and not u.tags && w.removed::bigint[] order by u.id for update of u
"""


class TagsInput(Input):
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]
    add: Annotated[list[Id], Field(default_factory=list, max_length=MOST_AT_ONCE)]
    remove: Annotated[list[Id], Field(default_factory=list, max_length=MOST_AT_ONCE)]

    @model_validator(mode="after")
    def _something(self) -> TagsInput:
        if not (self.add or self.remove):
            raise ValueError("Name tags to add or to remove.")
        return self


async def tag_by_hand(work: Work, principal: Principal, body: TagsInput) -> tuple[ChangeDone, Step | None]:
    """Raises :class:`NotFound`, :class:`Unprocessable`."""
    ids = await changeable(work, principal, body.ids)
    changed = await change_tags(work, principal.agent_id, ids, body.add, body.remove)
    step = await remember_tags(work, principal, changed) if changed else None
    return done(body.ids, [one.customer_id for one in changed]), step


async def remember_tags(work: Work, principal: Principal, changed: list[Tagged]) -> Step:
    rows = [[one.customer_id, list(one.added), list(one.removed)] for one in changed]
    return await remember(work, principal, UNDO_TAGS, {"tagged": rows}, count=len(rows))


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """For each customer who still has what was added and not what was removed. Tags that were put away since do not come back."""
    allowed = set(await changeable(work, principal, [row[0] for row in data["tagged"]]))
    rows = [row for row in data["tagged"] if row[0] in allowed]
    left = await work.tx.fetch(
        AS_LEFT, [row[0] for row in rows], [_array(row[1]) for row in rows], [_array(row[2]) for row in rows]
    )
    still = {row["id"] for row in left}
    if not still:
        raise Conflict("Somebody changed these tags in the meantime.", code="changed_meanwhile")
    offered = {row["id"] for row in await work.tx.fetch(OFFERED, sorted({one for row in rows for one in row[2]}))}
    alike: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = defaultdict(list)
    for customer_id, added, removed in rows:
        if customer_id in still:
            alike[tuple(added), tuple(one for one in removed if one in offered)].append(customer_id)
    for (added, removed), ids in alike.items():
        await change_tags(work, principal.agent_id, ids, removed, added)
    return Undone(restored=len(still), skipped=len(data["tagged"]) - len(still))


def _array(ids: list[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


def undo_kinds() -> dict[str, Kind]:
    return {UNDO_TAGS: Kind(CUSTOMERS_WRITE, restore)}
