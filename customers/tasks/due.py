"""What is summed up of tasks on the customer's row: when the next one is due."""

from __future__ import annotations

from collections.abc import Iterable

from scrm.services import Work

RECOMPUTE = """
update customer u set next_due_at = (
  select t.due_at from task t where t.customer_id = u.id and t.state = 'open' order by t.due_at limit 1)
where u.id = any($1::bigint[])
"""


async def recompute_due(work: Work, customer_ids: Iterable[int | None]) -> None:
    """For customers whose tasks changed in this unit of work, which holds them (``customers.changeable``)."""
    wanted = sorted({one for one in customer_ids if one is not None})
    if wanted:
        await work.tx.execute(RECOMPUTE, wanted)
        work.ring("customer", *wanted)
