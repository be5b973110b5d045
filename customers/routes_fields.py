"""Custom fields over HTTP."""

from __future__ import annotations

from customers import field_settings
from customers.field_settings import FieldInput, FieldList, NewField, field_view
from customers.fields import definitions
from scrm.db import Database, Tx
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_SETTINGS


async def fields(request: Request) -> FieldList:
    return await _all(request.services.db)


async def add(request: Request, body: NewField) -> Reply[FieldList]:
    async with request.services.work() as work:
        await field_settings.add_field(work, request.principal, body, address=request.address)
        return Reply(await _all(work.tx), status=201)


async def change(request: Request, field_id: int, body: FieldInput) -> FieldList:
    async with request.services.work() as work:
        await field_settings.change_field(work, request.principal, field_id, body, address=request.address)
        return await _all(work.tx)


async def _all(tx: Tx | Database) -> FieldList:
    return FieldList(fields=[field_view(field) for field in await definitions(tx)])


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/customer-fields", fields, CUSTOMERS_READ, "The company's own fields of customers, in order"),
        Route(
            "POST",
            "/api/customer-fields",
            add,
            CUSTOMERS_SETTINGS,
            "Add a field to customers",
            status=201,
            errors=(409,),
        ),
        Route(
            "PATCH",
            "/api/customer-fields/{field_id}",
            change,
            CUSTOMERS_SETTINGS,
            "Rename a field, change its choices or place, put it away or take it back",
            errors=(409,),
        ),
    ]
