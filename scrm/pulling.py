"""Channels that are read by cursor. A callback only rings; this module pulls.

The cursor moves in the same transaction as the rows it brought. A stream is taken with a lease, so one process pulls it at a
time and a killed one delays it by the lease at most. Rings that come while a stream is being pulled are counted, so none is
forgotten. Without any ring each stream is looked at every ``reconcile_seconds``: platforms lose callbacks.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from scrm.channel import Page, Pulls, Sentence
from scrm.connections import Loaded
from scrm.db import Row
from scrm.errors import RetryLater, SendError
from scrm.inbound import bounded_key
from scrm.metrics import PULLS
from scrm.services import Services, Work

log = logging.getLogger(__name__)

LONGEST_BACKOFF = 300.0

STUCK = Sentence(
    "平台反复返回同一页，稍后再取。", "The platform keeps returning the same page; it is asked again later."
)

CLAIM = """
with due as (
  select s.id from pull_stream s join connection c on c.id = s.connection_id
  where c.paused_at is null and (s.rings > s.answered or s.due_at <= $1)
    and (s.lease_until is null or s.lease_until < $1)
    and (s.failures = 0 or s.due_at <= $1)
  order by s.due_at limit 1
  for update of s skip locked
)
update pull_stream s set lease_until = $2, lease_token = $3 from due where s.id = due.id
returning s.*
"""


class Puller:
    """:meth:`round` pulls one stream to its end."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lease = services.settings.worker.lease_seconds

    async def round(self) -> bool:
        now = self._services.clock.now()
        token = uuid.uuid4()
        row = await self._services.db.fetchrow(CLAIM, now, now + timedelta(seconds=self._lease), token)
        if row is None:
            return False
        loaded = await self._services.connections.get(row["connection_id"])
        if not isinstance(loaded.adapter, Pulls):
            await self._services.db.execute("delete from pull_stream where id = $1", row["id"])
            return True
        try:
            await self._pull_to_the_end(loaded, loaded.adapter, row, token)
        except SendError as error:
            PULLS.labels("failed").inc()
            await self._back_off(row, token, error)
            await self._services.connections.note_error(
                loaded.id, error, attention=getattr(error, "needs_admin", False)
            )
        return True

    async def _pull_to_the_end(self, loaded: Loaded, adapter: Pulls, row: Row, token: uuid.UUID) -> None:
        cursor: str = row["cursor"]
        while True:
            page = await adapter.pull(row["stream"], cursor, row["token"])
            PULLS.labels("ok").inc()
            async with self._services.work() as work:
                if not await self._store(work, row, token, cursor, page):
                    log.warning("stream %s went to another process", row["stream"])
                    return
                if not page.has_more:
                    await self._finish(work, row, token)
                    return
            if page.cursor == cursor and not page.items:
                raise RetryLater("pull.stuck", STUCK, after=30)
            cursor = page.cursor

    async def _store(self, work: Work, row: Row, token: uuid.UUID, cursor: str, page: Page) -> bool:
        moved = await work.tx.execute(
            "update pull_stream set cursor = $4, lease_until = $5, pulled_at = $6 "
            "where id = $1 and lease_token = $2 and cursor = $3",
            row["id"],
            token,
            cursor,
            page.cursor,
            work.now + timedelta(seconds=self._lease),
            work.now,
        )
        if moved != "UPDATE 1":
            return False
        if page.items:
            await work.tx.execute(
                "insert into inbound_event (connection_id, source, dedupe_key, body) "
                "select $1, $2, w.key, w.body from unnest($3::text[], $4::bytea[]) w (key, body) "
                "on conflict (connection_id, dedupe_key) do nothing",
                row["connection_id"],
                row["stream"],
                [bounded_key(f"{row['stream']}:{item.dedupe_key}") for item in page.items],
                [item.body for item in page.items],
            )
            work.ring("inbound", row["connection_id"])
        return True

    async def _finish(self, work: Work, row: Row, token: uuid.UUID) -> None:
        """Answers the rings that were there when the pull began; later ones keep the stream due."""
        await work.tx.execute(
            "update pull_stream set answered = $3, due_at = $4, failures = 0, last_error = null, lease_until = null, "
            "lease_token = null where id = $1 and lease_token = $2",
            row["id"],
            token,
            row["rings"],
            work.now + timedelta(seconds=self._services.settings.worker.reconcile_seconds),
        )

    async def _back_off(self, row: Row, token: uuid.UUID, error: SendError) -> None:
        wait = min(2.0 ** min(row["failures"], 10), LONGEST_BACKOFF)
        if isinstance(error, RetryLater):
            wait = max(error.after, wait)
        await self._services.db.execute(
            "update pull_stream set failures = failures + 1, last_error = $3, due_at = $4, lease_until = null, "
            "lease_token = null where id = $1 and lease_token = $2",
            row["id"],
            token,
            str(error)[:500],
            self._services.clock.now() + timedelta(seconds=wait),
        )


class StreamFinder:
    """Asks every pulling connection for its streams, so that one whose every callback was lost is pulled as well. Runs at the
    start, when connections or accounts change, and now and then."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        for loaded in self._services.connections.all():
            if not loaded.paused and isinstance(loaded.adapter, Pulls):
                await self._ask(loaded, loaded.adapter)
        return False

    async def _ask(self, loaded: Loaded, adapter: Pulls) -> None:
        connections = self._services.connections
        try:
            names = await adapter.streams()
        except SendError as error:
            await connections.note_error(loaded.id, error, attention=getattr(error, "needs_admin", False))
            return
        await self._services.db.execute(
            "insert into pull_stream (connection_id, stream) select $1, unnest($2::text[]) "
            "on conflict (connection_id, stream) do nothing",
            loaded.id,
            sorted(names),
        )
        await self._services.bus.ring("pull", [loaded.id])
