"""Merging, splitting, their log, and taking back."""

from __future__ import annotations

from customers.identity.acts import merge_by_hand, split_by_hand, undo_by_hand, unit
from customers.identity.log import merge_log, preview
from customers.identity.merge import ContactsMoved
from customers.identity.views import (
    CustomerMergeInput,
    MergeDone,
    MergeLog,
    MergePreview,
    PreviewInput,
    SplitDone,
    SplitInput,
)
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_MERGE, CUSTOMERS_READ
from scrm.undo import undoable


async def look(request: Request, body: PreviewInput) -> MergePreview:
    async with request.services.db.pool.acquire() as tx:
        return await preview(tx, request.principal, body.ids)


async def log(request: Request, customer_id: int) -> MergeLog:
    async with request.services.db.pool.acquire() as tx:
        return await merge_log(tx, request.principal, customer_id)


def api_routes(contacts_moved: ContactsMoved) -> list[Route]:
    async def merge(request: Request, body: CustomerMergeInput) -> Reply[MergeDone]:
        into, step = await unit(
            request.services,
            lambda work: merge_by_hand(work, request.principal, body, contacts_moved, request.address),
        )
        return undoable(MergeDone(customer_id=into), step)

    async def split(request: Request, customer_id: int, body: SplitInput) -> Reply[SplitDone]:
        kept, other, step = await unit(
            request.services,
            lambda work: split_by_hand(work, request.principal, customer_id, body, contacts_moved, request.address),
        )
        return undoable(SplitDone(customer_id=kept, other_id=other), step)

    async def undo(request: Request, merge_id: int) -> MergeDone:
        kept = await unit(
            request.services,
            lambda work: undo_by_hand(work, request.principal, merge_id, contacts_moved, request.address),
        )
        return MergeDone(customer_id=kept)

    one = "/api/customers/{customer_id}"
    return [
        Route("POST", "/api/customers/merge/preview", look, CUSTOMERS_MERGE, "What merging customers would do", errors=(404, 409)),
        Route("POST", "/api/customers/merge", merge, CUSTOMERS_MERGE, "Make one customer of several", errors=(404, 409)),
        Route("POST", f"{one}/split", split, CUSTOMERS_MERGE, "Make two customers of one", errors=(409,)),
        Route("GET", f"{one}/merges", log, CUSTOMERS_READ, "What was merged into a customer and split from it"),
        Route("POST", "/api/customer-merges/{merge_id}/undo", undo, CUSTOMERS_MERGE, "Take back a merge or a split", errors=(409,)),
    ]  # fmt: skip
