"""Pulling sealed records: a page and the cursor behind it are stored in one transaction, before anybody tries to read them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit.archive.reading import LONGEST_PAUSE, LOOK, UNREADY, archives_of, know_archives, trouble_of
from scrm.channel_archive import Archives, ArchiveUnready, Envelope
from scrm.db import Row
from scrm.errors import NotFound, RetryLater, SendError
from scrm.metrics import ARCHIVE_RECORDS
from scrm.services import Services, Work

log = logging.getLogger(__name__)

CLAIM = """
with due as (
  select a.connection_id from archive a join connection c on c.id = a.connection_id
  where c.paused_at is null and a.due_at <= $1 and (a.lease_until is null or a.lease_until < $1)
  order by a.due_at limit 1 for update of a skip locked
)
update archive a set lease_until = $2, lease_token = $3 from due where a.connection_id = due.connection_id returning a.*
"""
MOVE = """
update archive set cursor = $4, lease_until = $5, pulled_at = $6, trouble = null, trouble_since = null, failures = 0
where connection_id = $1 and lease_token = $2 and cursor = $3
"""
STORE = """
insert into archive_record (connection_id, seq, message_id, key_version, sealed_key, sealed_message, pulled_at)
select $1, w.seq, w.message_id, w.key_version, w.sealed_key, w.sealed_message, $7
from unnest($2::bigint[], $3::text[], $4::int[], $5::text[], $6::text[]) w (seq, message_id, key_version, sealed_key, sealed_message)
on conflict (connection_id, seq) do nothing
"""
# One stretch an hour: a row for every page would be as many as there are quiet minutes.
STRETCH = """
update archive_range set last_seq = $2, n = n + $3, ended_at = $4 where id = (
  select id from archive_range where connection_id = $1 order by id desc limit 1
) and last_seq = $5 and began_at > $4::timestamptz - interval '1 hour' and $6::timestamptz is null
"""
NEW_STRETCH = """
insert into archive_range (connection_id, after_seq, last_seq, n, began_at, ended_at, lost_since) values ($1, $2, $3, $4, $5, $5, $6)
"""
FINISH = """
update archive set due_at = $3, caught_up_at = $4, pulled_at = $4, lease_until = null, lease_token = null, trouble = null,
  trouble_since = null, failures = 0 where connection_id = $1 and lease_token = $2
"""
BACK_OFF = """
update archive set failures = failures + 1, due_at = $3, lease_until = null, lease_token = null, trouble = $4,
  trouble_since = coalesce(trouble_since, $5) where connection_id = $1 and lease_token = $2
"""
FORGET = "update archive set due_at = $3, lease_until = null, lease_token = null where connection_id = $1 and lease_token = $2"


class ArchivePuller:
    """:meth:`round` reads one archive to its end. Any number of processes; one at a time has an archive, by its lease."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lease = timedelta(seconds=max(services.settings.worker.lease_seconds, 60.0))

    async def round(self) -> bool:
        await know_archives(self._services)
        now, token = self._services.clock.now(), uuid.uuid4()
        row = await self._services.db.fetchrow(CLAIM, now, now + self._lease, token)
        if row is None:
            return False
        connection_id: int = row["connection_id"]
        try:
            archive = archives_of(await self._services.connections.get(connection_id))
        except NotFound:
            archive = None
        if archive is None:
            await self._services.db.execute(FORGET, connection_id, token, now + UNREADY)
            return True
        try:
            await self._to_the_end(row, archive, token)
        except ArchiveUnready as unready:
            await self._pause(row, token, unready, UNREADY)
        except SendError as error:
            wait = min(2.0 ** min(row["failures"], 10), LONGEST_PAUSE)
            if isinstance(error, RetryLater):
                wait = max(wait, error.after)
            await self._pause(row, token, error, timedelta(seconds=wait))
        return True

    async def _to_the_end(self, row: Row, archive: Archives, token: uuid.UUID) -> None:
        cursor: int = row["cursor"]
        lost_since = self._lost_since(row, archive)
        while envelopes := await archive.archived_after(cursor, archive.archive_page):
            async with self._services.work() as work:
                if not await self._store(work, row["connection_id"], token, cursor, envelopes, lost_since):
                    log.warning("the archive of connection %s went to another process", row["connection_id"])
                    return
            ARCHIVE_RECORDS.labels("pulled").inc(len(envelopes))
            cursor, lost_since = max(one.seq for one in envelopes), None
        now = self._services.clock.now()
        await self._services.db.execute(FINISH, row["connection_id"], token, now + LOOK, now)

    def _lost_since(self, row: Row, archive: Archives) -> datetime | None:
        """Nobody read to the end for longer than the platform keeps anything: what it threw away meanwhile is not known to us."""
        caught_up: datetime | None = row["caught_up_at"]
        if caught_up is None or self._services.clock.now() - caught_up <= archive.archive_keeps:
            return None
        return caught_up

    async def _store(
        self,
        work: Work,
        connection_id: int,
        token: uuid.UUID,
        cursor: int,
        envelopes: Sequence[Envelope],
        lost_since: datetime | None,
    ) -> bool:
        last = max(one.seq for one in envelopes)
        moved = await work.tx.execute(MOVE, connection_id, token, cursor, last, work.now + self._lease, work.now)
        if moved != "UPDATE 1":
            return False
        await work.tx.execute(
            STORE,
            connection_id,
            [one.seq for one in envelopes],
            [one.message_id for one in envelopes],
            [one.key_version for one in envelopes],
            [one.sealed_key for one in envelopes],
            [one.sealed_message for one in envelopes],
            work.now,
        )
        n = len(envelopes)
        if await work.tx.execute(STRETCH, connection_id, last, n, work.now, cursor, lost_since) != "UPDATE 1":
            await work.tx.execute(NEW_STRETCH, connection_id, cursor, last, n, work.now, lost_since)
        work.ring("archived", connection_id)
        return True

    async def _pause(self, row: Row, token: uuid.UUID, error: SendError | ArchiveUnready, wait: timedelta) -> None:
        now = self._services.clock.now()
        await self._services.db.execute(BACK_OFF, row["connection_id"], token, now + wait, trouble_of(error), now)
