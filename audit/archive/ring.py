"""A platform's word that its archive has something new."""

from __future__ import annotations

from audit.archive.reading import archives_of, ring
from scrm.channel import Occurrence
from scrm.normalise import Batch
from scrm.services import Work

RANG = "archive.rang"


async def heed(work: Work, batch: Batch) -> None:
    """A handler of the normaliser."""
    if archives_of(batch.connection) is None:
        return
    if any(isinstance(item.event, Occurrence) and item.event.name == RANG for item in batch.items):
        await ring(work, [batch.connection.id])
