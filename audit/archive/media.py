"""Files of archived chats: fetched in the platform's parts, each kept with the place of the next one, so that nothing is fetched twice
whatever dies; checked against the record's checksum; long before the platform throws them away."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

from audit.archive.reading import archives_of
from inbox.media import LARGEST, finish_media, keep_media
from scrm.channel_archive import Archives, ArchiveUnready, MediaPart
from scrm.db import Row
from scrm.errors import NotFound, Rejected, RetryLater, SendError, TooLarge
from scrm.metrics import ARCHIVE_RECORDS
from scrm.services import Services

LONGEST_PAUSE = 1800.0
DOUBTS = 3
"""Checksums may be told wrong or late at first: a whole file that does not match is fetched anew so often, then it is kept as it came
and said to be unchecked."""

CLAIM = """
with due as (
  select m.attachment_id from archive_media m join connection c on c.id = m.connection_id
  where c.paused_at is null and m.due_at <= $1 and (m.lease_until is null or m.lease_until < $1)
  order by m.due_at limit 1 for update of m skip locked
)
update archive_media m set lease_until = $2, lease_token = $3, attempts = attempts + 1 from due
where m.attachment_id = due.attachment_id
returning m.*, (select handle from attachment f where f.id = m.attachment_id) as handle
"""
KEEP_PART = """
with held as (
  update archive_media set parts = $3 + 1, next_index = $4, lease_until = $6 where attachment_id = $1 and lease_token = $2 and parts = $3
  returning attachment_id
)
insert into archive_media_part (attachment_id, n, data) select attachment_id, $3, $5 from held returning n
"""
PART = "select data from archive_media_part where attachment_id = $1 and n = $2"
FORGET = "delete from archive_media where attachment_id = $1 and lease_token = $2"
ANEW = "delete from archive_media_part where attachment_id = $1"
LATER = """
update archive_media set due_at = $3, last_error = $4, lease_until = null, lease_token = null,
  parts = case when $5 then 0 else parts end, next_index = case when $5 then '' else next_index end
where attachment_id = $1 and lease_token = $2
"""


class Mismatch(Exception):
    """The whole file is another one than its record says."""


class MediaKeeper:
    """:meth:`round` brings one file home."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lease = timedelta(seconds=services.settings.worker.lease_seconds + 60)

    async def round(self) -> bool:
        now, token = self._services.clock.now(), uuid.uuid4()
        row = await self._services.db.fetchrow(CLAIM, now, now + self._lease, token)
        if row is None:
            return False
        try:
            archive = archives_of(await self._services.connections.get(row["connection_id"]))
            if archive is not None and row["handle"] is not None:
                await self._fetch(archive, row, token)
        except Rejected as error:
            await self._given_up(row, token, error)
        except Mismatch:
            await self._later(row, token, "the checksum differs", anew=True)
        except TooLarge as error:
            await self._never(row, token, "failed", "media.too_large", "文件过大。", error.detail)
        except (NotFound, ArchiveUnready, SendError) as error:
            await self._later(row, token, str(error), after=error.after if isinstance(error, RetryLater) else 0.0)
        return True

    async def _fetch(self, archive: Archives, row: Row, token: uuid.UUID) -> None:
        parts, index, last = row["parts"], row["next_index"], row["parts"] > 0 and row["next_index"] == ""
        while not last:
            part = await archive.archived_media(row["handle"], index)
            if not await self._keep(row, token, parts, part):
                return  # Somebody else has it.
            parts, index, last = parts + 1, part.index, part.last
        await self._put_together(row, token, parts)

    async def _keep(self, row: Row, token: uuid.UUID, n: int, part: MediaPart) -> bool:
        """An empty next index of a kept part means that the file is complete."""
        until = self._services.clock.now() + self._lease
        next_index = "" if part.last else part.index
        kept = await self._services.db.fetchval(KEEP_PART, row["attachment_id"], token, n, next_index, part.data, until)
        return kept is not None

    async def _put_together(self, row: Row, token: uuid.UUID, parts: int) -> None:
        check = hashlib.md5(usedforsecurity=False)

        async def whole() -> AsyncIterator[bytes]:
            for n in range(parts):
                data: bytes = await self._services.db.fetchval(PART, row["attachment_id"], n)
                check.update(data)
                yield data

        sha256, size, head = await self._services.blobs.put(whole(), limit=LARGEST)
        if row["md5"] and check.hexdigest() != row["md5"] and row["attempts"] < DOUBTS:
            raise Mismatch
        async with self._services.work() as work:
            if await work.tx.execute(FORGET, row["attachment_id"], token) == "DELETE 1":
                await keep_media(work, row["attachment_id"], sha256, size, head)
        ARCHIVE_RECORDS.labels("file").inc()

    async def _given_up(self, row: Row, token: uuid.UUID, error: Rejected) -> None:
        """Only time is final: a refusal may have been of the company's settings."""
        if error.code in ("expired", "bad_file") or self._services.clock.now() >= row["expires_at"]:
            state = "expired" if error.code == "expired" else "failed"
            await self._never(row, token, state, error.code, error.reason.zh, error.reason.en)
        else:
            await self._later(row, token, error.code)

    async def _never(self, row: Row, token: uuid.UUID, state: str, code: str, zh: str, en: str) -> None:
        reason = {"code": code, "zh": zh, "en": en}
        await finish_media(self._services, row["attachment_id"], state, reason=reason)
        await self._services.db.execute(FORGET, row["attachment_id"], token)
        ARCHIVE_RECORDS.labels(f"file_{state}").inc()

    async def _later(self, row: Row, token: uuid.UUID, why: str, *, after: float = 0.0, anew: bool = False) -> None:
        wait = max(after, min(2.0 ** min(row["attempts"], 12), LONGEST_PAUSE))
        due = self._services.clock.now() + timedelta(seconds=wait)
        async with self._services.db.transaction() as tx:
            if anew:
                await tx.execute(ANEW, row["attachment_id"])
            await tx.execute(LATER, row["attachment_id"], token, due, why[:500], anew)
