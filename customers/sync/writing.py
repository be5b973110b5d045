"""Writes wishes (:mod:`customers.sync.wishes`) on their platforms: one at a time for a relation, the newest only.

Writing what is so already is harmless, so whatever happened to a write (a kill, a time-out) it is simply done again. A throttled
platform is asked later; a refusal ends the wish and is shown beside the relation, and what is really there is read once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from customers.sync.due import ring
from scrm.channel import Sentence
from scrm.channel_contacts import KeepsTags, RelationChange, WritesRelations
from scrm.connections import Loaded
from scrm.db import RETRYABLE, Row
from scrm.errors import Rejected, RetryLater, SendError
from scrm.metrics import SYNC_WRITES
from scrm.services import Services, Work

AT_ONCE = 40
SIDE_BY_SIDE = 4
LEASE = timedelta(seconds=90)
ADMIN_WAIT = 600.0
TAG_WAIT = timedelta(seconds=5)
MOST_TAG_WAITS = 12
LONGEST_WAIT = 600.0
WRITES = 5
NO_TAG = Sentence("平台上没有这个标签。", "The platform has no such tag.")

# A paused connection's wishes stay as they are; relations that ended have none.
CLAIM = """
update contact_link l set wish_due_at = $2 from (
  select l.id from contact_link l where l.wish is not null and l.wish_due_at <= $1
    and exists (select from account a join connection c on c.id = a.connection_id where a.id = l.account_id and c.paused_at is null)
  order by l.wish_due_at limit $3 for update skip locked
) w, contact k, account a where l.id = w.id and k.id = l.contact_id and a.id = l.account_id
returning l.id, l.wish, l.wish_no, l.wish_tries, l.state, k.external_id as contact, a.external_id as account, a.connection_id
"""
TAGS = """
select t.id, l.external_id, t.archived_at is null as offered from tag t left join tag_link l on l.tag_id = t.id and l.connection_id = $1
where t.id = any($2::bigint[])
"""
WRITTEN = """
update contact_link set remark = coalesce($3::jsonb->>'remark', remark), description = coalesce($3::jsonb->>'description', description),
  company = coalesce($3::jsonb->>'company', company),
  phones = case when $3::jsonb ? 'phones' then array(select jsonb_array_elements_text($3::jsonb->'phones')) else phones end,
  tags = array(select t from (select unnest(tags) union select unnest($4::text[])) s (t) where t <> all($5::text[]) order by t),
  read_no = nextval('reading_no'), updated_at = $6::timestamptz,
  wish = case when wish_no = $2 then null else wish end, wish_due_at = case when wish_no = $2 then null else $6::timestamptz end,
  wish_tries = 0
where id = $1
"""
LATER = """
update contact_link set wish_tries = wish_tries + 1, wish_due_at = $2, wish_error = coalesce($3, wish_error) where id = $1
"""
REFUSED = """
update contact_link set wish = null, wish_due_at = null, wish_tries = 0, wish_error = $3 where id = $1 and wish_no = $2
returning id
"""
NOT_HERE = "update contact_link set wish = null, wish_due_at = null where id = $1 and wish_no = $2"


class Writer:
    """:meth:`round` writes a batch."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        now = self._services.clock.now()
        rows = await self._services.db.fetch(CLAIM, now, now + LEASE, AT_ONCE)
        if not rows:
            return False
        gate = asyncio.Semaphore(SIDE_BY_SIDE)
        slow: dict[int, RetryLater] = {}

        async def write(row: Row) -> None:
            async with gate:
                loaded = await self._services.connections.get(row["connection_id"])
                try:
                    if loaded.id in slow:
                        raise slow[loaded.id]
                    await self._write(loaded, row)
                except RetryLater as error:
                    slow[loaded.id] = error
                    await self._later(row, error, error.after)
                except Rejected as error:
                    await self._refused(loaded, row, error)
                except SendError as error:
                    await self._later(row, error, 0.0)

        await asyncio.gather(*[write(row) for row in rows])
        return len(rows) == AT_ONCE

    async def _write(self, loaded: Loaded, row: Row) -> None:
        adapter, wish = loaded.adapter, row["wish"]
        if row["state"] not in ("active", "deleted_by_contact") or not isinstance(adapter, WritesRelations):
            await self._services.db.execute(NOT_HERE, row["id"], row["wish_no"])
            return
        names = await self._names(loaded, row)
        if names is None:
            return
        add, remove = names
        words = {key: wish[key] for key in ("remark", "description", "company", "phones") if key in wish}
        if words:
            await adapter.describe(row["account"], row["contact"], _change(words))
        if add or remove:
            await adapter.mark(row["account"], row["contact"], add, remove)
        SYNC_WRITES.labels("ok").inc()

        async def note(work: Work) -> None:
            await work.tx.execute(WRITTEN, row["id"], row["wish_no"], words, add, remove, work.now)
            work.ring("relation", loaded.id)

        await self._in_work(note)

    async def _names(self, loaded: Loaded, row: Row) -> tuple[list[str], list[str]] | None:
        """What our tags are called there. None: one of them is on its way there; the wish waits. Raises :class:`Rejected` for one
        that does not get there."""
        wanted, unwanted = row["wish"].get("add", []), row["wish"].get("remove", [])
        if not wanted and not unwanted:
            return [], []
        rows = await self._services.db.fetch(TAGS, loaded.id, [*wanted, *unwanted])
        names = {one["id"]: one["external_id"] for one in rows if one["external_id"] is not None}
        lacking = [one["id"] for one in rows if one["offered"] and one["id"] in wanted and one["id"] not in names]
        if lacking and isinstance(loaded.adapter, KeepsTags):
            if row["wish_tries"] >= MOST_TAG_WAITS:
                raise Rejected("tag.unknown", NO_TAG)
            async with self._services.work() as work:
                await ring(work, loaded.id, "tags")
                await work.tx.execute(LATER, row["id"], work.now + TAG_WAIT, None)
            return None
        return [names[one] for one in wanted if one in names], [names[one] for one in unwanted if one in names]

    async def _later(self, row: Row, error: SendError, after: float) -> None:
        SYNC_WRITES.labels("later").inc()
        wait = max(after, min(2.0 ** row["wish_tries"], LONGEST_WAIT))
        due_at = self._services.clock.now() + timedelta(seconds=wait)
        await self._services.db.execute(LATER, row["id"], due_at, None)
        await self._services.connections.note_error(row["connection_id"], error)

    async def _refused(self, loaded: Loaded, row: Row, error: Rejected) -> None:
        """Where a person must mend the connection, the wish waits for that."""
        SYNC_WRITES.labels("refused").inc()
        told = {
            "code": error.code,
            "zh": error.reason.zh,
            "en": error.reason.en,
            "at": self._services.clock.now().isoformat(),
        }
        if error.needs_admin:
            due_at = self._services.clock.now() + timedelta(seconds=ADMIN_WAIT)
            await self._services.db.execute(LATER, row["id"], due_at, told)
            await self._services.connections.note_error(loaded.id, error, attention=True)
            return

        async def note(work: Work) -> None:
            if await work.tx.fetchval(REFUSED, row["id"], row["wish_no"], told):
                await ring(work, loaded.id, "contact", [row["contact"]])

        await self._in_work(note)

    async def _in_work(self, note: Any) -> None:
        for attempt in range(1, WRITES + 1):
            try:
                async with self._services.work() as work:
                    await note(work)
                return
            except RETRYABLE:
                if attempt == WRITES:
                    raise
                await asyncio.sleep(0.02 * attempt)


def _change(words: dict[str, Any]) -> RelationChange:
    phones: Sequence[str] | None = words.get("phones")
    return RelationChange(
        remark=words.get("remark"),
        description=words.get("description"),
        company=words.get("company"),
        phones=None if phones is None else tuple(phones),
    )
