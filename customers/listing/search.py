"""One page of the list, for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from pydantic import Field

from customers import filtering
from customers.filtering import Group
from customers.listing.counting import FoundCount, count
from customers.listing.cursor import LONGEST, decode, encode
from customers.listing.pages import Found, page, seen_of
from customers.listing.rows import CustomerRow, rows_of
from customers.listing.sorts import MOST, NEWEST, Sort, orders
from scrm.db import Database, Tx
from scrm.errors import Forbidden
from scrm.permissions import CUSTOMERS_DELETE, Principal
from scrm.views import Input, View


class CountQuery(Input):
    """``deleted``: in the recycle bin, for who may delete."""

    filter: Annotated[Group, Field(default_factory=lambda: filtering.EVERYBODY)]
    deleted: bool = False


class SearchQuery(CountQuery):
    """``cursor``: after the customer it names; with ``back``: before it, and without a cursor: the last ones of all."""

    sort: Annotated[list[Sort], Field(default_factory=list, max_length=MOST)]
    cursor: Annotated[str, Field(max_length=LONGEST)] | None = None
    back: bool = False
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class CustomerPage(View):
    customers: list[CustomerRow]
    next_cursor: str | None
    previous_cursor: str | None


@asynccontextmanager
async def planned_anew(db: Database) -> AsyncIterator[Tx]:
    """Reads of one moment. Each filter is planned for its own values: a plan for all values would be wrong for most."""
    async with db.pool.acquire() as connection:
        await connection.execute(
            "begin isolation level repeatable read read only; set local plan_cache_mode = force_custom_plan"
        )
        try:
            yield connection
        finally:
            await connection.execute("commit")


async def search(db: Database, principal: Principal, query: SearchQuery, now: datetime) -> CustomerPage:
    """Customers that change while somebody pages move to where they have been or will come to; what stays appears once."""
    _check(principal, query)
    sorts = query.sort or [NEWEST]
    async with planned_anew(db) as tx:
        asking = await filtering.asking(tx, principal, now)
        ordered = await orders(tx, sorts, asking.fields)
        at = decode(query.cursor, sorts) if query.cursor is not None else None
        found = await page(
            tx, query.filter, asking, ordered, at, back=query.back, limit=query.limit, deleted=query.deleted
        )
        more = len(found) > query.limit
        found = _cut(found, query)
        before, after = (more, at is not None) if query.back else (at is not None, more)
        seen = await seen_of(tx, asking, [one.id for one in found])
        rows = await rows_of(tx, principal, asking, [one.id for one in found if one.id in seen])
    return CustomerPage(
        customers=rows,
        next_cursor=encode(found[-1].place, sorts) if after and found else None,
        previous_cursor=encode(found[0].place, sorts) if before and found else None,
    )


def _cut(found: list[Found], query: SearchQuery) -> list[Found]:
    """The one row more, which only says that there are more, stands at the far end."""
    if len(found) <= query.limit:
        return found
    return found[1:] if query.back else found[: query.limit]


async def counted(db: Database, principal: Principal, query: CountQuery, now: datetime) -> FoundCount:
    _check(principal, query)
    async with db.pool.acquire() as tx:
        asking = await filtering.asking(tx, principal, now)
    return (await count(db, query.filter, asking, deleted=query.deleted)).view()


def _check(principal: Principal, query: CountQuery) -> None:
    if query.deleted and not principal.may(CUSTOMERS_DELETE):
        raise Forbidden("Only who may delete customers sees the recycle bin.")
