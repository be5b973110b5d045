"""A single date that passes while its campaign waits for a second person does not pass silently: both sides are told, once."""

from __future__ import annotations

from datetime import datetime

from campaigns.life.telling import approvers, tell_missed
from scrm.services import Services

PASSED = """
select * from campaign where state = 'waiting' and deleted_at is null and schedule ->> 'mode' = 'at'
  and (schedule ->> 'at')::timestamptz between $1::timestamptz - interval '1 day' and $1 order by id limit 200
"""
WAITED = {
    "code": "waiting",
    "zh": "到点时还在等待审批。",
    "en": "It still waited for approval at this time.",
}


async def tell_of_waiting(services: Services) -> bool:
    async with services.work() as work:
        for row in await work.tx.fetch(PASSED, work.now):
            due_at = datetime.fromisoformat(row["schedule"]["at"])
            also = await approvers(work, but=row["submitted_by"])
            await tell_missed(work, row, due_at, WAITED, 1, also=also)
    return False
