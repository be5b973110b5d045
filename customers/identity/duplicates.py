"""The work list of customers who may be one, the likeliest first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from customers.scope import CHANGED, CustomerScope
from scrm.db import Row, Tx
from scrm.errors import NotFound, Unprocessable
from scrm.http import Reply, Request, Route
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_MERGE, CUSTOMERS_PHONE, Principal
from scrm.services import Work
from scrm.undo import Kind, Undone, remember, undoable
from scrm.views import MAX_ID, Input, View

DISMISSED = "duplicate.dismiss"
Why = Literal["phone", "name_company", "name_city"]

MAY = f"""
select from customer u where u.id = {{}} and u.merged_into is null and u.deleted_at is null and {CHANGED}
"""
PAGE = f"""
select d.id, d.reasons, d.score, d.found_at, d.low_id, d.high_id from duplicate d
where (d.score, d.id) < ($4, $5) and ($6::bigint is null or d.low_id = $6 or d.high_id = $6)
  and exists ({MAY.format("d.low_id")}) and exists ({MAY.format("d.high_id")})
  and not exists (select from customer_apart p where p.low_id = d.low_id and p.high_id = d.high_id)
order by d.score desc, d.id desc limit $7
"""  # noqa: S608 - made of constants
ONE = f"""
select d.* from duplicate d where d.id = $4 and exists ({MAY.format("d.low_id")}) and exists ({MAY.format("d.high_id")}) for update
"""  # noqa: S608
SIDES = """
select u.id, u.name, u.avatar, u.phone, u.company, u.city, u.owner_id, u.created_at, u.last_message_at from customer u
where u.id = any($1::bigint[])
"""
APART = "insert into customer_apart (low_id, high_id, by_id, at) values ($1, $2, $3, $4) on conflict do nothing"
AGAIN = """
insert into duplicate (low_id, high_id, reasons, score, found_at) values ($1, $2, $3, $4, $5) on conflict do nothing
"""


class DuplicateQuery(Input):
    """``customer_id``: only pairs with this one."""

    cursor: Annotated[str, Field(max_length=40, pattern=r"^\d{1,9}-\d{1,19}$")] | None = None
    customer_id: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class DuplicateSide(View):
    id: int
    name: str
    avatar: str
    phone: str
    company: str
    city: str
    owner_id: int | None
    created_at: datetime
    last_message_at: datetime | None


class DuplicateView(View):
    """Two customers who may be one, the one entered first before the other."""

    id: int
    sides: list[DuplicateSide]
    reasons: list[Why]
    score: int
    found_at: datetime


class DuplicatePage(View):
    duplicates: list[DuplicateView]
    next_cursor: str | None


async def duplicates(request: Request, query: DuplicateQuery) -> DuplicatePage:
    async with request.services.db.pool.acquire() as tx:
        return await duplicate_page(tx, request.principal, query)


async def duplicate_page(tx: Tx, principal: Principal, query: DuplicateQuery) -> DuplicatePage:
    score, before = _place(query.cursor)
    scope = CustomerScope.of(principal).arguments
    rows = await tx.fetch(PAGE, *scope, score, before, query.customer_id, query.limit + 1)
    kept = rows[: query.limit]
    ids = sorted({one for row in kept for one in (row["low_id"], row["high_id"])})
    sides = {row["id"]: _side(row, principal.may(CUSTOMERS_PHONE)) for row in await tx.fetch(SIDES, ids)}
    return DuplicatePage(
        duplicates=[
            DuplicateView(
                id=row["id"],
                sides=sorted((sides[row["low_id"]], sides[row["high_id"]]), key=lambda one: (one.created_at, one.id)),
                reasons=row["reasons"],
                score=row["score"],
                found_at=row["found_at"],
            )
            for row in kept
        ],
        next_cursor=f"{kept[-1]['score']}-{kept[-1]['id']}" if len(rows) > len(kept) else None,
    )


def _place(cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 2**31 - 1, MAX_ID
    score, last = (int(part) for part in cursor.split("-"))
    if last > MAX_ID:
        raise Unprocessable("This cursor is not valid.", fields={"cursor": "Begin without one."})
    return score, last


def _side(row: Row, whole: bool) -> DuplicateSide:
    values = {name: row[name] for name in DuplicateSide.model_fields}
    return DuplicateSide(**{**values, "phone": row["phone"] if whole else masked(row["phone"])})


async def dismiss(request: Request, duplicate_id: int) -> Reply[None]:
    """They are two: neither suggested again nor joined by themselves. Can be undone."""
    async with request.services.work() as work:
        scope = CustomerScope.of(request.principal).arguments
        row = await work.tx.fetchrow(ONE, *scope, duplicate_id)
        if row is None:
            raise NotFound("There is no such suggestion.")
        await work.tx.execute(APART, row["low_id"], row["high_id"], request.principal.agent_id, work.now)
        await work.tx.execute("delete from duplicate where id = $1", duplicate_id)
        data = {name: row[name] for name in ("low_id", "high_id", "reasons", "score")}
        step = await remember(work, request.principal, DISMISSED, data)
    return undoable(None, step, status=204)


async def _suggest_again(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    await work.tx.execute(
        "delete from customer_apart where low_id = $1 and high_id = $2", data["low_id"], data["high_id"]
    )
    await work.tx.execute(AGAIN, data["low_id"], data["high_id"], data["reasons"], data["score"], work.now)
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DISMISSED: Kind(CUSTOMERS_MERGE, _suggest_again)}


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/customer-duplicates", duplicates, CUSTOMERS_MERGE, "Customers who may be one"),
        Route(
            "POST", "/api/customer-duplicates/{duplicate_id}/dismiss", dismiss, CUSTOMERS_MERGE, "Say that two customers are two",
            status=204,
        ),
    ]  # fmt: skip
