"""The public pool as a list: what is in it, why and since when, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from customers.owner_acts import AllowanceView, allowance_view
from customers.pool.claim import allowance, cooling
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.masking import masked
from scrm.permissions import CUSTOMERS_PHONE, Principal
from scrm.views import Id, Input, View

COUNTED = 10_000
IN_POOL = "u.owner_id is null and u.pooled_at is not null and u.deleted_at is null and u.merged_into is null"
WANTED = """
($1::text is null or u.name ilike $1 or u.company ilike $1 or ($2 and u.phone like $1))
  and ($3::bigint is null or u.stage_id = $3) and ($4::bigint is null or exists (
    select from owner_history h where h.customer_id = u.id and h.from_id = $4 and h.to_id is null and h.at = u.pooled_at))
"""
PAGE = f"""
select u.id, u.name, u.avatar, u.phone, u.city, u.company, u.source, u.stage_id, u.tags, u.value_fen, u.pooled_at, u.pool_reason,
  u.followed_at, u.last_message_at, h.from_id as last_owner_id, coalesce(h.kind, '') as how
from customer u left join lateral (
  select o.from_id, o.kind from owner_history o where o.customer_id = u.id and o.to_id is null order by o.id desc limit 1) h on true
where {IN_POOL} and {WANTED} and ($5::timestamptz is null or (u.pooled_at, u.id) < ($5, $6::bigint))
order by u.pooled_at desc, u.id desc limit $7
"""  # noqa: S608 - made of constants
COUNT = f"select count(*) from (select from customer u where {IN_POOL} and {WANTED} limit {COUNTED + 1}) c"  # noqa: S608


class PoolQuery(Input):
    """``q``: a part of the name or the company. ``lost_by``: whose customer it was last."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    stage_id: Id | None = None
    lost_by: Id | None = None
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,17}-[0-9]{1,19}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PooledView(View):
    """``how``: the kind of change that brought it here (``dropped``, ``reclaimed`` …). ``cooling_until``: the asker had it and may
    claim it then."""

    id: int
    name: str
    avatar: str
    phone: str
    city: str
    company: str
    source: str
    stage_id: int | None
    tags: list[int]
    value_fen: int | None
    pooled_at: datetime
    pool_reason: str
    followed_at: datetime | None
    last_message_at: datetime | None
    last_owner_id: int | None
    how: str
    cooling_until: datetime | None


class PoolPage(View):
    """``count`` ends at 10,001: more is "more than 10,000"."""

    customers: list[PooledView]
    count: int
    next_cursor: str | None
    allowance: AllowanceView


async def pool_page(tx: Tx, principal: Principal, query: PoolQuery, now: datetime) -> PoolPage:
    """Everybody who reads customers sees the pool."""
    phones = principal.may(CUSTOMERS_PHONE)
    pattern = f"%{_escaped(query.q)}%" if query.q else None
    asked = (pattern, phones, query.stage_id, query.lost_by)
    rows = await tx.fetch(PAGE, *asked, *_position(query.cursor), query.limit + 1)
    shown = rows[: query.limit]
    allowed = await allowance(tx, principal.agent_id, now)
    cold = await cooling(tx, principal.agent_id, [row["id"] for row in shown], allowed.limits.cool_days, now)
    customers = [
        PooledView(
            **{name: value for name, value in row.items() if name not in ("phone", "tags")},
            phone=row["phone"] if phones else masked(row["phone"]),
            tags=list(row["tags"]),
            cooling_until=cold.get(row["id"]),
        )
        for row in shown
    ]
    return PoolPage(
        customers=customers,
        count=await tx.fetchval(COUNT, *asked),
        next_cursor=_cursor(shown[-1]["pooled_at"], shown[-1]["id"]) if len(rows) > query.limit else None,
        allowance=allowance_view(allowed),
    )


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _cursor(at: datetime, customer_id: int) -> str:
    passed = at - EPOCH
    return f"{(passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds}-{customer_id}"


def _position(cursor: str | None) -> tuple[datetime | None, int | None]:
    if cursor is None:
        return None, None
    moment, customer_id = (int(part) for part in cursor.split("-"))
    if customer_id >= 2**63:
        raise Unprocessable("This is no cursor of a page.", fields={"cursor": "Take it from the answer."})
    return datetime.fromtimestamp(moment // 1_000_000, UTC).replace(microsecond=moment % 1_000_000), customer_id


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
