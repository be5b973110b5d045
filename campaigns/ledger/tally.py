"""The counts of the ledger, which triggers write as differences, added up now and then. Readers see the same sums before and after."""

from __future__ import annotations

from scrm.db import RETRYABLE
from scrm.services import Services

ENOUGH = 500
"""Rows that come between two foldings."""
FOLD = """
with gone as (delete from delivery_tally returning run_id, account_id, way, state, reason, n, read, replied, followed)
insert into delivery_tally (run_id, account_id, way, state, reason, n, read, replied, followed)
select run_id, account_id, way, state, reason, sum(n), sum(read), sum(replied), sum(followed) from gone group by 1, 2, 3, 4, 5
having sum(n) <> 0 or sum(read) <> 0 or sum(replied) <> 0 or sum(followed) <> 0
"""
ROWS = "select count(*) from delivery_tally"


class Tally:
    """A loop's memory of how many rows were left the last time."""

    def __init__(self, services: Services) -> None:
        self._db = services.db
        self._left = 0

    async def fold(self) -> bool:
        if await self._db.fetchval(ROWS) < self._left + ENOUGH:
            return False
        try:
            await self._db.execute(FOLD)
        except RETRYABLE:
            return False
        self._left = await self._db.fetchval(ROWS)
        return False
