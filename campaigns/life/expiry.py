"""Words taken from the library may be sent until their last day, by the company's clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from scrm.company import FACTS
from scrm.db import Row
from scrm.services import Work

LAST_DAY = "select expires_on from campaign_content where id = $1"


async def end_of_words(work: Work, row: Row) -> datetime | None:
    """The first moment at which what this campaign says may no longer be sent; None: it may always."""
    if row["saved_id"] is None:
        return None
    last = await work.tx.fetchval(LAST_DAY, row["saved_id"])
    if last is None:
        return None
    return datetime.combine(last + timedelta(days=1), time(), (await FACTS.load(work.tx)).clock)
