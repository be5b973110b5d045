"""Opening sealed records and writing down what they say. The envelopes are stored already: nothing here can lose one, and whatever fails
is tried again when its cause is gone."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.archive.keys import private_keys
from audit.archive.placing import Place, group_key, place_of, said
from audit.archive.reading import archives_of
from inbox.archived import Said, write_down
from scrm.channel_archive import ArchivedMessage, Archives, ArchiveUnready, Envelope, Opened
from scrm.connections import Loaded
from scrm.db import LOST, RETRYABLE, Row
from scrm.errors import NotFound, SendError
from scrm.metrics import ARCHIVE_RECORDS
from scrm.services import Services, Work
from scrm.tasks import end

log = logging.getLogger(__name__)

BATCH = 400
BATCHES = 20
"""Of one round, under one lease."""
MOST_ATTEMPTS = 5
"""Of what may pass by itself; then a person is asked."""
PAUSE = timedelta(seconds=30)

CLAIM = """
with due as (
  select a.connection_id from archive a join connection c on c.id = a.connection_id
  where c.paused_at is null and (a.opening_until is null or a.opening_until < $1) and exists (
    select from archive_record r where r.connection_id = a.connection_id and r.state = 'sealed' and (r.retry_at is null or r.retry_at <= $1))
  order by a.connection_id limit 1 for update of a skip locked
)
update archive a set opening_until = $2, opening_token = $3 from due where a.connection_id = due.connection_id returning a.connection_id
"""
NEXT = """
select id, seq, message_id, key_version, sealed_key, sealed_message, pulled_at, attempts, record from archive_record
where connection_id = $1 and state = 'sealed' and (retry_at is null or retry_at <= $2) and id > $4 order by id limit $3
"""
HELD = "select true from archive where connection_id = $1 and opening_token = $2 for update"
RELEASE = "update archive set opening_until = $3, opening_token = null where connection_id = $1 and opening_token = $2"
DONE = """
update archive_record r set state = 'done', reason = '', detail = '', record = w.record, kind = w.kind, known = w.known,
  said_at = w.said_at, conversation_id = w.conversation_id, opened_at = $8, attempts = r.attempts + 1, retry_at = null
from unnest($1::bigint[], $2::bytea[], $3::text[], $4::boolean[], $5::timestamptz[], $6::bigint[])
  w (id, record, kind, known, said_at, conversation_id)
where r.id = w.id and r.connection_id = $7 and r.state = 'sealed'
"""
SHUT = """
update archive_record r set state = w.state, reason = w.reason, detail = w.detail, record = coalesce(w.record, r.record),
  retry_at = w.retry_at, attempts = r.attempts + 1
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
  w (id, state, reason, detail, record, retry_at)
where r.id = w.id and r.state = 'sealed'
"""
HOMES = """
select distinct on (c.group_key) c.group_key, a.external_id from conversation c join account a on a.id = c.account_id
where a.connection_id = $1 and a.channel = $2 and c.group_key = any($3::text[]) order by c.group_key, c.id
"""
NAMES = """
select external_id, name from account where connection_id = $1 and channel = $2 and external_id = any($3::text[])
union all select external_id, name from contact where connection_id = $1 and external_id = any($3::text[]) and name <> ''
"""
MEDIA = """
insert into archive_media (attachment_id, connection_id, md5, due_at, expires_at)
select f.id, $1, coalesce(f.handle -> 'archive' ->> 'md5', ''), $2, coalesce(f.expires_at, $2::timestamptz + interval '5 days')
from attachment f join message m on m.id = f.message_id join conversation c on c.id = m.conversation_id
join account a on a.id = c.account_id and a.connection_id = $1
where f.state = 'pending' and f.handle ? 'archive' and not exists (select from archive_media x where x.attachment_id = f.id)
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Read:
    """An opened record with what it says."""

    row: Row
    record: bytes
    message: ArchivedMessage

    @property
    def at(self) -> datetime:
        return self.message.at or self.row["pulled_at"]


class Opener:
    """:meth:`round` opens some batches of one archive; one process at a time has it, by a lease. While one batch is written the next one is
    opened, which costs another processor about as much."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        now, token = self._services.clock.now(), uuid.uuid4()
        until = now + timedelta(seconds=self._services.settings.worker.lease_seconds + 60)
        row = await self._services.db.fetchrow(CLAIM, now, until, token)
        if row is None:
            return False
        connection_id: int = row["connection_id"]
        rest_until: datetime | None = None
        try:
            loaded = await self._services.connections.get(connection_id)
            archive = archives_of(loaded)
            return archive is not None and await self._batches(loaded, archive, token)
        except (NotFound, ArchiveUnready, SendError):
            # Whoever pulls says what is wrong. The archive as a whole waits: it may be millions of records.
            rest_until = self._services.clock.now() + PAUSE
            return False
        finally:
            await self._services.db.execute(RELEASE, connection_id, token, rest_until)

    async def _batches(self, loaded: Loaded, archive: Archives, token: uuid.UUID) -> bool:
        """Whether there was anything to open."""
        rows, opened = await self._opened(loaded, archive, after=0)
        worked = bool(rows)
        for _ in range(BATCHES):
            if not rows:
                break
            ahead = asyncio.create_task(self._opened(loaded, archive, after=rows[-1]["id"]))
            try:
                await self._batch(loaded, archive, token, rows, opened)
                rows, opened = await ahead
            finally:
                await end([ahead])
        return worked

    async def _opened(self, loaded: Loaded, archive: Archives, after: int) -> tuple[list[Row], Sequence[Opened]]:
        rows = await self._services.db.fetch(NEXT, loaded.id, self._services.clock.now(), BATCH, after)
        if not rows:
            return [], []
        keys = await private_keys(self._services, self._services.db, loaded.id, {row["key_version"] for row in rows})
        return rows, await archive.open_envelopes([_envelope(row) for row in rows], keys)

    async def _batch(
        self, loaded: Loaded, archive: Archives, token: uuid.UUID, rows: list[Row], opened: Sequence[Opened]
    ) -> None:
        read, shut = _understood(archive, rows, opened, self._services.clock.now())
        try:
            await self._write(loaded, archive, token, read, shut)
        except (*RETRYABLE, *LOST):
            raise
        except Exception:
            log.exception("a batch of the archive of connection %s cannot be written", loaded.id)
            await self._one_by_one(loaded, archive, token, read, shut)

    async def _one_by_one(
        self, loaded: Loaded, archive: Archives, token: uuid.UUID, read: Sequence[Read], shut: Sequence[Shut]
    ) -> None:
        """What the database refuses is found and put aside; the others are written."""
        await self._write(loaded, archive, token, [], shut)
        for one in read:
            try:
                await self._write(loaded, archive, token, [one], [])
            except (*RETRYABLE, *LOST):
                raise
            except Exception as error:
                poison = Shut(
                    one.row["id"], "failed", "unwritable", f"{type(error).__name__}: {error}"[:500], one.record, None
                )
                await self._write(loaded, archive, token, [], [poison])

    async def _write(
        self, loaded: Loaded, archive: Archives, token: uuid.UUID, read: Sequence[Read], shut: Sequence[Shut]
    ) -> None:
        async with self._services.work() as work:
            if not await work.tx.fetchval(HELD, loaded.id, token):
                log.warning("opening the archive of connection %s went to another process", loaded.id)
                return
            if read:
                await _write_down(work, loaded, archive, read)
            if shut:
                await _put_back(work, shut)
        ARCHIVE_RECORDS.labels("opened").inc(len(read))
        for one in shut:
            ARCHIVE_RECORDS.labels(one.reason).inc()


@dataclass(frozen=True, slots=True)
class Shut:
    """A record that says nothing yet, and why."""

    id: int
    state: str
    reason: str
    detail: str
    record: bytes | None
    retry_at: datetime | None


def _envelope(row: Row) -> Envelope:
    return Envelope(row["seq"], row["message_id"], row["key_version"], row["sealed_key"], row["sealed_message"])


def _understood(
    archive: Archives, rows: Sequence[Row], opened: Sequence[Opened], now: datetime
) -> tuple[list[Read], list[Shut]]:
    read: list[Read] = []
    shut: list[Shut] = []
    for row, one in zip(rows, opened, strict=True):
        if one.record is None:
            shut.append(_shut(row, one, now))
            continue
        try:
            read.append(Read(row, one.record, archive.understand(one.record)))
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"[:500]
            shut.append(Shut(row["id"], "failed", "unreadable", detail, one.record, None))
    return read, shut


def _shut(row: Row, one: Opened, now: datetime) -> Shut:
    """A missing key is waited for; what may pass is tried a few times; the rest needs a person or another key."""
    passing = one.code in ("later", "crash") and row["attempts"] + 1 < MOST_ATTEMPTS
    retry_at = now + PAUSE * (2 ** row["attempts"]) if passing else None
    return Shut(row["id"], "sealed" if passing else "failed", one.code, one.detail[:500], None, retry_at)


async def _write_down(work: Work, loaded: Loaded, archive: Archives, read: Sequence[Read]) -> None:
    channel = archive.archive_channel
    people = {who for one in read for who in (one.message.sender, *one.message.receivers)}
    names = {row["external_id"]: row["name"] for row in await work.tx.fetch(NAMES, loaded.id, channel, sorted(people))}
    homes = await _homes(work, loaded.id, channel, read)
    places: list[Place | None] = []
    for one in read:
        place = place_of(one.message, homes, names)
        if place is not None and place.group:
            homes.setdefault(place.group, place.account)
        places.append(place)
    words: dict[int, Said] = {}
    for n, (one, place) in enumerate(zip(read, places, strict=True)):
        event = said(one.message, place, channel, one.at, names, archive.archive_keeps) if place is not None else None
        if event is not None:
            words[n] = event
    where: Mapping[int, int | None] = {}
    if words:
        where = dict(zip(words, await write_down(work, loaded, list(words.values())), strict=True))
        if any(one.message.media for one in read):
            await work.tx.execute(MEDIA, loaded.id, work.now)
            work.ring("archived_media")
    await work.tx.execute(
        DONE,
        [one.row["id"] for one in read],
        [one.record for one in read],
        [one.message.platform_kind[:100] for one in read],
        [one.message.known for one in read],
        [one.at for one in read],
        [where.get(n) for n in range(len(read))],
        loaded.id,
        work.now,
    )


async def _homes(work: Work, connection_id: int, channel: str, read: Sequence[Read]) -> dict[str, str]:
    keys = sorted({key for one in read if (key := group_key(one.message))})
    if not keys:
        return {}
    rows = await work.tx.fetch(HOMES, connection_id, channel, keys)
    return {row["group_key"]: row["external_id"] for row in rows}


async def _put_back(work: Work, shut: Sequence[Shut]) -> None:
    await work.tx.execute(
        SHUT,
        [one.id for one in shut],
        [one.state for one in shut],
        [one.reason for one in shut],
        [one.detail for one in shut],
        [one.record for one in shut],
        [one.retry_at for one in shut],
    )
