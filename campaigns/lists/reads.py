"""Lists as they are read: how many were found, and which lines were not."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from customers.cursors import after, cursor
from scrm.db import Database, Tx
from scrm.errors import NotFound
from scrm.masking import NUMBER, masked
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.spelling import patterns
from scrm.views import Input, View

FIRST = 50
SHOWN = """
select l.id, l.name, l.n, l.unknown, l.twice, l.created_at, l.created_by, a.name as by_name from campaign_list l
left join agent a on a.id = l.created_by where l.deleted_at is null
"""
ONE = f"{SHOWN} and l.id = $1"
LIST = f"""
{SHOWN} and not exists (select from unnest($1::text[]) w where lower(l.name) not like '%' || w || '%')
  and ($2::timestamptz is null or (l.created_at, l.id) < ($2, $3::bigint))
order by l.created_at desc, l.id desc limit $4
"""
MISSING = "select number, text from campaign_list_missing where list_id = $1 and number > $2 order by number limit $3"


class ListRow(View):
    """``n`` customers; ``unknown`` lines that named nobody whom the uploader saw; ``twice``: lines that named somebody again."""

    id: int
    name: str
    n: int
    unknown: int
    twice: int
    created_at: datetime
    created_by: int | None
    by_name: str | None


class ListPage(View):
    """The newest first."""

    lists: list[ListRow]
    cursor: str | None


class MissingLine(View):
    number: int
    text: str


class ListDetail(ListRow):
    """``missing``: the first fifty lines that named nobody; phone numbers masked for those who may not read them.
    Kept for thirty days."""

    missing: list[MissingLine]


class ListQuery(Input):
    text: Annotated[str, Field(max_length=100)] = ""
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


async def page(tx: Tx, query: ListQuery) -> ListPage:
    rows = await tx.fetch(LIST, patterns(query.text), *after(query.cursor), query.limit + 1)
    shown = [ListRow(**dict(row)) for row in rows[: query.limit]]
    return ListPage(lists=shown, cursor=cursor(shown[-1].created_at, shown[-1].id) if len(rows) > query.limit else None)


async def one(tx: Tx, principal: Principal, list_id: int) -> ListDetail:
    """Raises :class:`NotFound`."""
    row = await tx.fetchrow(ONE, list_id)
    if row is None:
        raise NotFound("There is no such list.")
    return ListDetail(**dict(row), missing=await missing(tx, principal, list_id, 0, FIRST))


async def missing(tx: Tx | Database, principal: Principal, list_id: int, last: int, limit: int) -> list[MissingLine]:
    rows = await tx.fetch(MISSING, list_id, last, limit)
    full = principal.may(CUSTOMERS_PHONE)
    return [
        MissingLine(number=row["number"], text=row["text"] if full else without_phones(row["text"])) for row in rows
    ]


def without_phones(text: str) -> str:
    return NUMBER.sub(lambda found: masked(found[0]), text)
