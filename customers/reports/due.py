"""Which days have to be added up again."""

from __future__ import annotations

from collections.abc import Sequence

from scrm.services import Work

# All moments of a customer that count on some day: when they were made, moved, and left us.
NOTE = """
insert into report_due (hour)
select distinct date_trunc('hour', at) from (
  select created_at as at from customer where id = any($1::bigint[])
  union all select at from stage_history where customer_id = any($1::bigint[])
  union all select l.ended_at from contact k join contact_link l on l.contact_id = k.id
    where k.customer_id = any($1::bigint[]) and l.ended_at is not null
) moments
"""


async def note_due(work: Work, customer_ids: Sequence[int]) -> None:
    if customer_ids:
        await work.tx.execute(NOTE, list(customer_ids))
