"""One act on many customers, and what it would do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from customers.bulk import bin as recycle_bin
from customers.bulk import fields
from customers.bulk.fields import Values
from customers.bulk.target import MOST, Target, targets
from customers.owner_acts import OwnerInput, set_owner
from customers.stage_moves import MoveInput, move_by_hand
from customers.tag_changes import MOST_AT_ONCE, TagsInput, tag_by_hand
from scrm.db import Row
from scrm.errors import Forbidden
from scrm.permissions import CUSTOMERS_DELETE, Principal
from scrm.services import Work
from scrm.undo import Step
from scrm.views import Id, Input, View

SHOWN = 8
"""Different values that a preview names."""

NOW_THERE = {
    "stage": "select stage_id::text as value, count(*) as n from customer where id = any($1::bigint[]) group by 1",
    "owner": "select owner_id::text as value, count(*) as n from customer where id = any($1::bigint[]) group by 1",
    "tags": "select t::text as value, count(*) as n from customer, unnest(tags) t where id = any($1::bigint[]) group by 1",
}


class BulkAct(Input):
    """``tags`` takes ``add`` and ``remove``; ``stage`` a ``stage_id`` (null: none); ``owner`` an ``owner_id`` (null: into the public
    pool); ``fields`` takes ``values``; ``delete`` puts into the recycle bin."""

    target: Target
    act: Literal["tags", "stage", "owner", "fields", "delete"]
    add: Annotated[list[Id], Field(default_factory=list, max_length=MOST_AT_ONCE)]
    remove: Annotated[list[Id], Field(default_factory=list, max_length=MOST_AT_ONCE)]
    stage_id: Id | None = None
    owner_id: Id | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    values: Values | None = None

    @model_validator(mode="after")
    def _complete(self) -> BulkAct:
        if self.act == "tags" and not (self.add or self.remove):
            raise ValueError("Name tags to add or to remove.")
        if self.act == "fields" and self.values is None:
            raise ValueError("Give values to write.")
        return self


class BulkOutcome(View):
    """``refused``: customers that the asker may not change; ``same``: those that were so already."""

    changed: int
    same: int
    refused: int


class Before(View):
    """``value``: an id (or null: none); for fields the value as it is written."""

    value: str | None
    customers: int


class BulkPreview(View):
    """``before``: what the customers have now, the most frequent first; ``more``: other values that are not named."""

    customers: int
    refused: int
    before: list[Before]
    more: int


class BinInput(Input):
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]


class PurgeInput(BinInput):
    """``confirm``: how many customers, typed by hand."""

    confirm: Annotated[str, Field(max_length=20)]


class BinDone(View):
    changed: int


async def preview(work: Work, principal: Principal, body: BulkAct) -> BulkPreview:
    _check(principal, body)
    ids, refused = await targets(work, principal, body.target)
    found = await _now_there(work, ids, body)
    shown = sorted(found, key=lambda row: (-row["n"], row["value"] or ""))
    return BulkPreview(
        customers=len(ids),
        refused=refused,
        before=[Before(value=row["value"], customers=row["n"]) for row in shown[:SHOWN]],
        more=max(len(shown) - SHOWN, 0),
    )


async def _now_there(work: Work, ids: list[int], body: BulkAct) -> list[Row]:
    if body.act == "fields" and body.values is not None:
        # One field at a time has something to compare; of several only the number is told.
        given = [*(body.values.model_fields_set - {"fields"}), *(f"fields.{key}" for key in body.values.fields)]
        if len(given) != 1:
            return []
        name = given[0]
        own = "fields ->> $2" if name.startswith("fields.") else "to_jsonb(customer) ->> $2"
        return await work.tx.fetch(
            f"select nullif({own}, '') as value, count(*) as n from customer where id = any($1::bigint[]) group by 1",  # noqa: S608
            ids,
            name.removeprefix("fields."),
        )
    return await work.tx.fetch(NOW_THERE[body.act], ids) if body.act in NOW_THERE else []


async def act(work: Work, principal: Principal, body: BulkAct, *, address: str) -> tuple[BulkOutcome, Step | None]:
    """Raises :class:`Forbidden`, :class:`Unprocessable`."""
    _check(principal, body)
    ids, refused = await targets(work, principal, body.target)
    if not ids:
        return BulkOutcome(changed=0, same=0, refused=refused), None
    changed, step, more_refused = await _act(work, principal, ids, body, address)
    return BulkOutcome(changed=changed, same=len(ids) - changed - more_refused, refused=refused + more_refused), step


async def _act(
    work: Work, principal: Principal, ids: list[int], body: BulkAct, address: str
) -> tuple[int, Step | None, int]:
    if body.act == "delete":
        return *await recycle_bin.delete(work, principal, ids, address=address), 0
    if body.act == "fields" and body.values is not None:
        return *await fields.write(work, principal, ids, body.values), 0
    if body.act == "owner":
        wanted = OwnerInput.model_construct(ids=ids, to_id=body.owner_id, reason=body.reason)
        done, step = await set_owner(work, principal, wanted, address=address)
        return step.count if step else 0, step, sum(not one.done for one in done.results)
    # Their own routes take fewer at once; here the target has its limit.
    if body.act == "stage":
        move = MoveInput.model_construct(ids=ids, stage_id=body.stage_id, reason=body.reason)
        moved, step = await move_by_hand(work, principal, move)
    else:
        tags = TagsInput.model_construct(ids=ids, add=body.add, remove=body.remove)
        moved, step = await tag_by_hand(work, principal, tags)
    return len(moved.changed), step, 0


def _check(principal: Principal, body: BulkAct) -> None:
    if body.act == "delete" and not principal.may(CUSTOMERS_DELETE):
        raise Forbidden("You may not delete customers.")


async def restore_some(work: Work, principal: Principal, body: BinInput, *, address: str) -> BinDone:
    ids, _ = await targets(work, principal, Target(ids=body.ids, except_ids=[]), deleted=True)
    return BinDone(changed=await recycle_bin.restore(work, principal, ids, address=address))


async def purge_some(work: Work, principal: Principal, body: PurgeInput, *, address: str) -> BinDone:
    return BinDone(changed=await recycle_bin.purge(work, principal, body.ids, body.confirm, address=address))
