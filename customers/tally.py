"""How many customers there are by tag, stage and owner: written as differences by triggers, added up here."""

from __future__ import annotations

from scrm.jobs import Job
from scrm.services import Services

FOLD_CUSTOMERS = "fold_customers"
FOLD = """
with gone as (delete from customer_tally returning tag_id, stage_id, owner_id, n, value_fen)
insert into customer_tally (tag_id, stage_id, owner_id, n, value_fen)
select tag_id, stage_id, owner_id, sum(n), sum(value_fen) from gone group by 1, 2, 3 having sum(n) <> 0 or sum(value_fen) <> 0
"""


async def fold_customers(services: Services, job: Job) -> None:
    """Readers see the same sums before and after: it is one statement, and rows written meanwhile are not touched."""
    await services.db.execute(FOLD)
