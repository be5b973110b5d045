"""What running code is lent: built once by ``scrm.app``, handed on as an argument. And the unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scrm.blobs import Blobs
from scrm.bus import Bus
from scrm.clock import Clock
from scrm.config import Settings
from scrm.db import Database, Tx
from scrm.news import News
from scrm.vault import Vault

if TYPE_CHECKING:
    from scrm.connections import Connections


class Work:
    """One unit of work: its transaction, its moment, and the rings to publish once it is committed."""

    def __init__(self, tx: Tx, now: datetime) -> None:
        self.tx = tx
        self.now = now
        self.rings: dict[str, set[int]] = defaultdict(set)
        self.told: dict[str, list[Any]] = defaultdict(list)

    def ring(self, topic: str, *ids: int) -> None:
        """After the commit, tells everybody that these ids of ``topic`` changed. Topics: ``conversation``, ``inbound``,
        ``urgent``, ``greeting``, ``greeted``, ``outbox``, ``pull``, ``job``, ``account``, ``connection``, ``session`` (ended), ``notification`` (ids of
        agents), ``setting``, ``turn`` (somebody waits, or has room), ``agent`` (status), ``figures``, ``customer`` (anything
        about them changed), ``task`` (ids of agents whose tasks changed), ``relation`` (ids of connections), ``handover``."""
        self.rings[topic].update(ids)

    def tell(self, topic: str, thing: Any) -> None:
        """After the commit and before the rings, hands ``thing`` to whoever takes ``topic`` in this process (:mod:`scrm.news`)."""
        self.told[topic].append(thing)


@dataclass(slots=True)
class Services:
    settings: Settings
    db: Database
    bus: Bus
    blobs: Blobs
    clock: Clock
    vault: Vault
    connections: Connections
    news: News = field(default_factory=News)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Opens a unit of work: committed when the block ends, undone when it raises, rung after the commit."""
        async with self.db.transaction() as tx:
            work = Work(tx, self.clock.now())
            yield work
        await self.publish(work)

    async def publish(self, work: Work) -> None:
        """Tells and rings what a committed unit of work has to tell and to ring."""
        for topic, things in work.told.items():
            self.news.tell(topic, things)
        for topic, ids in work.rings.items():
            await self.bus.ring(topic, sorted(ids))
