"""Which days have to be added up again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scrm.db import Tx
from scrm.services import Work

# All moments of a customer that count on some day: when they were made, moved, and left us.
_MOMENTS = """
select distinct date_trunc('hour', at) as hour from (
  select created_at as at from customer where id = any($1::bigint[])
  union all select at from stage_history where customer_id = any($1::bigint[])
  union all select l.ended_at from contact k join contact_link l on l.contact_id = k.id
    where k.customer_id = any($1::bigint[]) and l.ended_at is not null
) moments
"""
NOTE = f"insert into report_due (hour) {_MOMENTS}"
TOUCHED = "select array(select distinct customer_id from customer_touch)"


async def waiting_hours(tx: Tx) -> set[datetime]:
    """Hours of days that will be added up anew: those noted, and those of customers whom nobody has looked at since they changed."""
    touched = await tx.fetchval(TOUCHED)
    rows = [*await tx.fetch("select distinct hour from report_due"), *await tx.fetch(_MOMENTS, touched)]
    return {row["hour"] for row in rows}


async def note_due(work: Work, customer_ids: Sequence[int]) -> None:
    if customer_ids:
        await work.tx.execute(NOTE, list(customer_ids))
