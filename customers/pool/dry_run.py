"""What a rule would do today, without doing it."""

from __future__ import annotations

from datetime import datetime

from customers.pool.due import BASE
from customers.pool.rules import PoolRule
from customers.scope import SEEN, CustomerScope
from scrm.db import Tx
from scrm.permissions import Principal
from scrm.views import Id, Input, View

SAMPLE = 50
# Earlier rules whose stages fit have decided already; a rule that is new comes last.
TRIED = f"""
with tried as materialized (
  select u.id, u.name, u.owner_id, u.followed_at, {BASE} + $6::int * interval '1 day' as due
  from customer u
  where u.owner_id is not null and u.deleted_at is null and u.merged_into is null and {SEEN}
    and {BASE} + ($6::int - $7::int) * interval '1 day' <= $5
    and (cardinality($8::bigint[]) = 0 or u.stage_id = any($8)) and not u.tags && $9::bigint[]
    and not coalesce(u.value_fen >= $10::bigint, false)
    and not ($11::boolean and (u.readers <> '{{}}' or u.writers <> '{{}}'))
    and not exists (select from customer_rule r where r.kind = 'pool' and r.enabled and r.deleted_at is null
      and ($4::bigint is null or (r.position, r.id) < (select o.position, o.id from customer_rule o where o.id = $4))
      and (jsonb_array_length(coalesce(r.data->'stage_ids', '[]')) = 0 or r.data->'stage_ids' @> to_jsonb(u.stage_id)))
)
"""  # noqa: S608 - made of constants
COUNTS = f"""{TRIED}
select owner_id, count(*) filter (where due <= $5) as taken, count(*) filter (where due > $5) as warned
from tried group by owner_id order by 2 desc, 3 desc
"""  # noqa: S608
FIRST = (
    f"{TRIED} select id, name, owner_id, followed_at, due from tried where due <= $5 order by due, id limit {SAMPLE}"  # noqa: S608
)


class TryPoolInput(Input):
    """``rule_id``: in the place of this rule; absent: after all others."""

    rule: PoolRule
    rule_id: Id | None = None


class TriedOwner(View):
    owner_id: int
    taken: int
    warned: int


class TriedCustomer(View):
    id: int
    name: str
    owner_id: int
    followed_at: datetime | None
    due: datetime


class TriedView(View):
    """``taken``: overdue by this rule today (who was never warned is warned first). ``warned``: within the days of warning.
    ``first``: those who are overdue the longest."""

    taken: int
    warned: int
    owners: list[TriedOwner]
    first: list[TriedCustomer]


async def try_out(tx: Tx, principal: Principal, body: TryPoolInput, now: datetime) -> TriedView:
    rule = body.rule
    arguments = (
        *CustomerScope.of(principal).arguments, body.rule_id, now, rule.days, rule.warn_days, rule.stage_ids,
        rule.except_tag_ids, rule.except_value_fen, rule.except_shared,
    )  # fmt: skip
    owners = [TriedOwner(**row) for row in await tx.fetch(COUNTS, *arguments)]
    first = [TriedCustomer(**row) for row in await tx.fetch(FIRST, *arguments)]
    taken, warned = sum(one.taken for one in owners), sum(one.warned for one in owners)
    return TriedView(taken=taken, warned=warned, owners=owners, first=first)
