"""Rules at work: new messages are looked at in the order of their ids, behind a place that no writer is before any more.

What was read, what was found and how far the reader is are one unit of work: killed on any line, it begins again as if nothing had been
done, and the same find is written once. The way of a message into the inbox is not touched.
"""

from __future__ import annotations

from audit.following import next_stretch
from audit.rules.book import Shelf
from audit.rules.said import MESSAGES, find_hits
from audit.rules.writing import write_hits
from scrm.db import RETRYABLE
from scrm.services import Services

NAME = "audit_rules"
AT_ONCE = 2000


class Watcher:
    """:meth:`round` looks at the next messages. True: there are more."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shelf = Shelf()

    async def round(self) -> bool:
        try:
            async with self._services.work() as work:
                stretch = await next_stretch(work, NAME, "message", at_once=AT_ONCE, from_now=True)
                if stretch is None:
                    return False
                book = await self._shelf.book(work.tx)
                if book.rules:
                    messages = await work.tx.fetch(MESSAGES, stretch.after, stretch.until)
                    await write_hits(work, await find_hits(work.tx, book, messages))
        except RETRYABLE:
            return True
        return stretch.full
