"""When customers fall back into the pool: ``customer.reclaim_at``, kept exact by recomputing it whenever a follow-up, an owner, a
stage, a tag, the value, the sharing or a rule changes. Whoever changes one of them calls :func:`recompute` in the same unit of work.

``warn_at`` is when the owner is to be told, ``warned_at`` when that was done. Nobody is taken away within the days of warning: where
a customer is overdue already (a rule is new), the days run from the warning.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrm.services import Work

# The first rule whose stages fit decides; its exceptions spare a customer for good. `followed_at` and the like may be null.
FITTING = """
select r.id, (r.data->>'days')::int as days, coalesce((r.data->>'warn_days')::int, 0) as warn_days,
  u.tags && array(select jsonb_array_elements_text(r.data->'except_tag_ids')::bigint)
    or coalesce(u.value_fen >= (r.data->>'except_value_fen')::bigint, false)
    or (coalesce((r.data->>'except_shared')::boolean, false) and (u.readers <> '{}' or u.writers <> '{}')) as spared
from customer_rule r
where r.kind = 'pool' and r.enabled and r.deleted_at is null
  and (jsonb_array_length(coalesce(r.data->'stage_ids', '[]')) = 0 or r.data->'stage_ids' @> to_jsonb(u.stage_id))
order by r.position, r.id limit 1
"""
BASE = "greatest(u.followed_at, u.owned_at, u.stage_at, u.created_at)"
RECOMPUTE = f"""
with judged as materialized (
  select u.id, case when not r.spared then r.id end as rule_id, r.warn_days * interval '1 day' as warning,
    {BASE} + r.days * interval '1 day' as due, u.warned_at
  from customer u left join lateral ({FITTING}) r
    on u.owner_id is not null and u.deleted_at is null and u.merged_into is null
  where u.id = any($1::bigint[])
), planned as (
  select id, rule_id, warning,
    case when warning > interval '0' and due - warning <= $2 then warned_at end as warned_at,
    case when warning = interval '0' then due
      when due - warning > $2 then due
      when warned_at is not null then greatest(due, warned_at + warning)
      else greatest(due, $2::timestamptz + warning) end as reclaim_at
  from judged
), wanted as (
  select id, case when rule_id is not null then reclaim_at end as reclaim_at, rule_id,
    case when rule_id is not null then warned_at end as warned_at,
    case when rule_id is not null and warning > interval '0' and warned_at is null then reclaim_at - warning end as warn_at
  from planned
)
update customer u set reclaim_at = w.reclaim_at, reclaim_rule_id = w.rule_id, warned_at = w.warned_at, warn_at = w.warn_at
from wanted w where u.id = w.id
  and (u.reclaim_at, u.reclaim_rule_id, u.warned_at, u.warn_at) is distinct from (w.reclaim_at, w.rule_id, w.warned_at, w.warn_at)
"""  # noqa: S608 - made of constants


async def recompute(work: Work, customer_ids: Sequence[int]) -> None:
    """Set-based; touches only customers whose dates change. The caller has changed (and so locked) them in this unit of work, or
    locks them first."""
    if customer_ids:
        await work.tx.execute(RECOMPUTE, sorted(set(customer_ids)), work.now)
