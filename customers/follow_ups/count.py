"""What is summed up of follow-ups on the customer's row: when somebody last followed up, and so when they fall back into the pool."""

from __future__ import annotations

from collections.abc import Iterable

from customers.pool.due import recompute
from scrm.services import Work

RECOUNT = """
update customer u set followed_at = (
  select f.at from follow_up f where f.customer_id = u.id and f.deleted_at is null order by f.at desc limit 1)
where u.id = any($1::bigint[])
"""


async def recount(work: Work, customer_ids: Iterable[int]) -> None:
    """For customers that this unit of work holds (``customers.changeable``)."""
    wanted = sorted(set(customer_ids))
    if wanted:
        await work.tx.execute(RECOUNT, wanted)
        await recompute(work, wanted)
        work.ring("customer", *wanted)
