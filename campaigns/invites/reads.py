"""Lists of numbers as those read them who plan: counts by list, employee and day, and the numbers, masked for most."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from customers.cursors import after, cursor
from scrm.db import Row, Tx
from scrm.errors import NotFound
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.views import Id, Input, View

COUNTS = """
  count(*) filter (where state <> 'cancelled')::int as n, count(*) filter (where state = 'open')::int as open,
  count(*) filter (where state in ('sent', 'accepted'))::int as sent, count(*) filter (where state = 'accepted')::int as accepted,
  count(*) filter (where state = 'elsewhere')::int as elsewhere, count(*) filter (where state = 'not_found')::int as not_found,
  count(*) filter (where state = 'refused')::int as refused, count(*) filter (where state = 'wrong_number')::int as wrong_number,
  count(*) filter (where state = 'cancelled')::int as cancelled
"""
BATCH = f"""
select b.*, m.name as created_name, c.n as counted, c.open, c.sent, c.accepted, c.elsewhere, c.not_found, c.refused,
  c.wrong_number, c.cancelled
from invite_batch b left join agent m on m.id = b.created_by
cross join lateral (select {COUNTS} from invite where batch_id = b.id) c
"""  # noqa: S608 - made of constants
PAGE = f"""
{BATCH} where ($1::timestamptz is null or (b.created_at, b.id) < ($1, $2::bigint)) order by b.created_at desc, b.id desc limit $3
"""
BY_AGENT = f"""
select a.id as agent_id, a.name, c.* from (select agent_id, {COUNTS} from invite where batch_id = $1 group by agent_id) c
join agent a on a.id = c.agent_id order by a.id
"""  # noqa: S608
BY_DAY = f"select day, {COUNTS} from invite where batch_id = $1 group by day order by day limit 400"  # noqa: S608
NUMBERS = """
select i.id, i.phone, i.name, i.agent_id, i.day, i.state, i.copies, i.done_at, i.accepted_at from invite i
where i.batch_id = $1 and i.id > $2 and ($3::text is null or i.state = $3) and ($4::bigint is null or i.agent_id = $4)
order by i.id limit $5
"""


class Counts(View):
    """``sent``: those who were asked, accepted ones among them."""

    n: int
    open: int
    sent: int
    accepted: int
    elsewhere: int
    not_found: int
    refused: int
    wrong_number: int
    cancelled: int


class BatchView(View):
    id: int
    name: str
    greeting: str
    first_day: date
    per_day: int
    left_out: dict[str, int]
    created_name: str
    created_at: datetime
    ended_at: datetime | None
    counts: Counts


class BatchPage(View):
    batches: list[BatchView]
    next_cursor: str | None


class BatchQuery(Input):
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class OfAgent(View):
    agent_id: int
    name: str
    counts: Counts


class OfDay(View):
    day: date
    counts: Counts


class BatchDetail(View):
    batch: BatchView
    agents: list[OfAgent]
    days: list[OfDay]


class NumberView(View):
    id: int
    phone: str
    name: str
    agent_id: int
    day: date
    state: str
    copies: int
    done_at: datetime | None
    accepted_at: datetime | None


class NumberPage(View):
    numbers: list[NumberView]
    next_after: int | None


class NumberQuery(Input):
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    state: Annotated[str, Field(pattern=r"^[a-z_]{1,20}$")] | None = None
    agent_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


async def batches(tx: Tx, query: BatchQuery) -> BatchPage:
    at, last = after(query.cursor)
    rows = await tx.fetch(PAGE, at, last, query.limit + 1)
    shown = rows[: query.limit]
    more = cursor(shown[-1]["created_at"], shown[-1]["id"]) if len(rows) > query.limit else None
    return BatchPage(batches=[_batch(row) for row in shown], next_cursor=more)


async def detail(tx: Tx, batch_id: int) -> BatchDetail:
    row = await tx.fetchrow(f"{BATCH} where b.id = $1", batch_id)
    if row is None:
        raise NotFound("There is no such list.")
    return BatchDetail(
        batch=_batch(row),
        agents=[
            OfAgent(agent_id=one["agent_id"], name=one["name"], counts=_counts(one, one["n"]))
            for one in await tx.fetch(BY_AGENT, batch_id)
        ],
        days=[OfDay(day=one["day"], counts=_counts(one, one["n"])) for one in await tx.fetch(BY_DAY, batch_id)],
    )


async def numbers(tx: Tx, principal: Principal, batch_id: int, query: NumberQuery) -> NumberPage:
    if not await tx.fetchval("select true from invite_batch where id = $1", batch_id):
        raise NotFound("There is no such list.")
    rows = await tx.fetch(NUMBERS, batch_id, query.after, query.state, query.agent_id, query.limit + 1)
    shown = rows[: query.limit]
    full = principal.may(CUSTOMERS_PHONE)
    found = [NumberView(**{**row, "phone": row["phone"] if full else masked(row["phone"])}) for row in shown]
    return NumberPage(numbers=found, next_after=shown[-1]["id"] if len(rows) > query.limit else None)


def _batch(row: Row) -> BatchView:
    return BatchView(
        id=row["id"], name=row["name"], greeting=row["greeting"], first_day=row["first_day"], per_day=row["per_day"],
        left_out=row["left_out"], created_name=row["created_name"] or "", created_at=row["created_at"],
        ended_at=row["ended_at"], counts=_counts(row, row["counted"]),
    )  # fmt: skip


def _counts(row: Row, n: int) -> Counts:
    return Counts(n=n, **{name: row[name] for name in Counts.model_fields if name != "n"})
