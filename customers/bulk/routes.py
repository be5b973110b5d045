"""Acts on many customers over HTTP."""

from __future__ import annotations

from customers.bulk import act as acts
from customers.bulk.act import BinDone, BinInput, BulkAct, BulkOutcome, BulkPreview, PurgeInput
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_DELETE, CUSTOMERS_PURGE, CUSTOMERS_WRITE
from scrm.undo import undoable


async def preview(request: Request, body: BulkAct) -> BulkPreview:
    async with request.services.work() as work:
        return await acts.preview(work, request.principal, body)


async def bulk(request: Request, body: BulkAct) -> Reply[BulkOutcome]:
    async with request.services.work() as work:
        done, step = await acts.act(work, request.principal, body, address=request.address)
    return undoable(done, step)


async def restore(request: Request, body: BinInput) -> BinDone:
    async with request.services.work() as work:
        return await acts.restore_some(work, request.principal, body, address=request.address)


async def purge(request: Request, body: PurgeInput) -> BinDone:
    async with request.services.work() as work:
        return await acts.purge_some(work, request.principal, body, address=request.address)


def api_routes() -> list[Route]:
    return [
        Route(
            "POST",
            "/api/customers/bulk/preview",
            preview,
            CUSTOMERS_WRITE,
            "What one act would change of many customers",
        ),
        Route("POST", "/api/customers/bulk", bulk, CUSTOMERS_WRITE, "One act on many customers", errors=(404, 409)),
        Route("POST", "/api/customers/restore", restore, CUSTOMERS_DELETE, "Take customers out of the recycle bin"),
        Route(
            "POST",
            "/api/customers/purge",
            purge,
            CUSTOMERS_PURGE,
            "Erase customers of the recycle bin for good",
            errors=(409,),
        ),
    ]
