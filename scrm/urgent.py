"""A look at urgent events before their turn.

Some events allow something for seconds only: the greeting of a new contact. They must not wait behind what else came in, and the
normaliser works each connection's events in their order, a batch at a time, under a lock. So the intake notes urgent events in a
table of their own (in the commit that stores them), and this loop takes them from there: it parses them, hands them to the handlers
that only do the urgent part, and forgets the note, in one transaction. It touches no row that the normaliser writes, so neither waits
for the other; the events themselves stay where they are and are understood in their turn.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from scrm.db import LOST, RETRYABLE, Row
from scrm.errors import NotFound
from scrm.normalise import Batch, Handler, Item, parse_row
from scrm.services import Services, Work

log = logging.getLogger(__name__)

AT_ONCE = 50
# Newest notes first would be unjust, oldest first could wait behind hopeless ones: each look takes the oldest, and all are quick.
TAKE = """
with taken as (
  delete from urgent_event u using (
    select inbound_event_id from urgent_event order by inbound_event_id limit $1 for update skip locked
  ) t where u.inbound_event_id = t.inbound_event_id returning u.inbound_event_id, u.connection_id
)
select e.id, t.connection_id, e.source, e.body, e.received_at from taken t join inbound_event e on e.id = t.inbound_event_id
order by e.id
"""


class Urgent:
    """:meth:`round` looks at what is urgent. Any number of processes may: a note is taken by one of them, and taken again when that
    one dies."""

    def __init__(self, services: Services, handlers: Sequence[Handler]) -> None:
        self._services = services
        self._handlers = handlers

    async def round(self) -> bool:
        async with self._services.work() as work:
            rows = await work.tx.fetch(TAKE, AT_ONCE)
            by_connection: dict[int, list[Row]] = defaultdict(list)
            for row in rows:
                by_connection[row["connection_id"]].append(row)
            for connection_id, some in by_connection.items():
                await self._hand_over(work, connection_id, some)
        return len(rows) == AT_ONCE

    async def _hand_over(self, work: Work, connection_id: int, rows: Sequence[Row]) -> None:
        """What breaks here is told in its turn, by the normaliser; the others must not wait for it."""
        try:
            connection = await self._services.connections.get(connection_id)
        except NotFound:
            return
        for row in rows:
            parsed = parse_row(connection, row["id"], row["source"], row["body"], row["received_at"])
            items = [Item(row["id"], ordinal, row["received_at"], event) for ordinal, event in enumerate(parsed.events)]
            try:
                async with work.tx.transaction():
                    for handler in self._handlers:
                        await handler(work, Batch(connection, items))
            except (*LOST, *RETRYABLE):
                raise
            except Exception:
                log.exception("urgent event %s could not be looked at", row["id"])
