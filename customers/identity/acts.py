"""Merging, splitting and taking back, as people ask for it: who may, how often it is tried, and how it is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from customers.identity.merge import ContactsMoved, Merge, merge
from customers.identity.split import Split, split
from customers.identity.undo import undo
from customers.identity.views import CustomerMergeInput, SplitInput
from customers.queries import row_to_change
from scrm.db import RETRYABLE
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CUSTOMERS_MERGE, Principal
from scrm.services import Services, Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember

T = TypeVar("T")
TRIES = 5
MERGED, SPLIT = "customer.merge", "customer.split"


async def unit(services: Services, act: Callable[[Work], Awaitable[T]]) -> T:
    """One unit of work, again when it met another one: merges hold many locks."""
    for attempt in range(1, TRIES + 1):
        try:
            async with services.work() as work:
                return await act(work)
        except RETRYABLE:
            if attempt == TRIES:
                raise
            await asyncio.sleep(0.01 * attempt)
    raise AssertionError("unreachable")


async def merge_by_hand(
    work: Work, principal: Principal, what: CustomerMergeInput, contacts_moved: ContactsMoved, address: str
) -> tuple[int, Step | None]:
    """Asked twice, it is as they want it. Raises :class:`NotFound`, :class:`Forbidden`, :class:`Conflict`."""
    rows = [await row_to_change(work.tx, principal, one) for one in dict.fromkeys([what.into, *what.ids])]
    ids = list(dict.fromkeys(row["id"] for row in rows))
    into = rows[0]["id"]
    if len(ids) == 1:
        return into, None
    if any(row["id"] not in (what.into, *what.ids) for row in rows):
        raise Conflict("One of these customers has been merged meanwhile. Look again.", code="changed_meanwhile")
    others = tuple(one for one in ids if one != into)
    asked = Merge(into, others, principal.agent_id, "merged", what.choices, what.reason)
    log_id = await merge(work, asked, contacts_moved)
    await record(
        work, "customer.merged", agent_id=principal.agent_id, object_kind="customer", object_id=into, address=address,
        detail={"from": list(others), "merge_id": log_id},
    )  # fmt: skip
    return into, await remember(work, principal, MERGED, {"merge_id": log_id})


async def split_by_hand(
    work: Work, principal: Principal, customer_id: int, what: SplitInput, contacts_moved: ContactsMoved, address: str
) -> tuple[int, int, Step]:
    """The customer, the other one, and how to undo it."""
    row = await row_to_change(work.tx, principal, customer_id)
    chosen = {
        "phone_number": what.phone_ids, "follow_up": what.follow_up_ids, "task": what.task_ids, "customer_file": what.file_ids,
    }  # fmt: skip
    if not what.contact_ids and not any(chosen.values()):
        raise Unprocessable("Choose what goes.", fields={"contact_ids": "Choose at least one thing."})
    asked = Split(row["id"], tuple(what.contact_ids), chosen, what.to_id, what.name, principal.agent_id, what.reason)
    other, log_id = await split(work, asked, contacts_moved)
    await record(
        work, "customer.split", agent_id=principal.agent_id, object_kind="customer", object_id=row["id"], address=address,
        detail={"other": other, "merge_id": log_id},
    )  # fmt: skip
    return row["id"], other, await remember(work, principal, SPLIT, {"merge_id": log_id})


async def undo_by_hand(
    work: Work, principal: Principal, log_id: int, contacts_moved: ContactsMoved, address: str = ""
) -> int:
    row = await work.tx.fetchrow("select kind, into_id, from_ids from customer_merge where id = $1", log_id)
    if row is None:
        raise NotFound("There is no such merge.")
    await row_to_change(work.tx, principal, row["into_id"])
    kept = await undo(work, log_id, principal.agent_id, contacts_moved)
    await record(
        work, "customer.merge_undone", agent_id=principal.agent_id, object_kind="customer", object_id=kept, address=address,
        detail={"merge_id": log_id},
    )  # fmt: skip
    return kept


def undo_kinds(contacts_moved: ContactsMoved) -> Mapping[str, Kind]:
    async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
        await undo_by_hand(work, principal, data["merge_id"], contacts_moved)
        return Undone()

    return {kind: Kind(CUSTOMERS_MERGE, restore) for kind in (MERGED, SPLIT)}
