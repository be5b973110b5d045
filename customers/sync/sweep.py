"""A comparison of everything, step by step and page by page: the directory, every relation, the list of groups. What was not read,
and should have been, is looked at one by one, so nothing is declared over because a page shifted.

Each page moves ``sync_run.place`` in the transaction of its rows. A run is taken with a lease; a killed process delays it by that at
most, and the next one goes on behind the last page. Memory holds one page.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from customers.sync.directory import SHRUNK_CODE
from customers.sync.due import ring
from customers.sync.groups import note_owner_states, unseen
from customers.sync.looks import read_directory
from customers.sync.readings import clean, next_number
from customers.sync.take import Renamed, ended_line, take_reading
from customers.timeline import tell
from scrm.channel_contacts import (
    KeepsTags,
    KnowsGroups,
    KnowsRelations,
    RelationPage,
    TransfersRelations,
    Unassigned,
)
from scrm.connections import Loaded
from scrm.db import RETRYABLE, Row
from scrm.errors import Rejected, RetryLater, SendError
from scrm.metrics import SYNC_RUNS
from scrm.services import Services, Work

LEASE = timedelta(seconds=120)
WRITES = 5

CLAIM = """
update sync_run s set lease_until = $2, lease_token = $3, updated_at = $1 from (
  select r.id from sync_run r join connection c on c.id = r.connection_id
  where r.state = 'running' and r.due_at <= $1 and (r.lease_until is null or r.lease_until < $1) and c.paused_at is null
  order by r.due_at limit 1 for update of r skip locked
) w where s.id = w.id returning s.*
"""
MOVE = """
update sync_run set step = $3, place = $4, counts = $5, lease_until = $6, updated_at = $7, error = null, tries = 0
where id = $1 and lease_token = $2 and state = 'running'
"""
FINISH = """
update sync_run set state = $3, error = $4, finished_at = $5, updated_at = $5, lease_until = null
where id = $1 and lease_token = $2
"""
WAIT = """
update sync_run set error = $3, tries = tries + 1, due_at = $4, updated_at = $5, lease_until = null where id = $1 and lease_token = $2
"""
MISSING = """
select distinct k.external_id from contact_link l join account a on a.id = l.account_id join contact k on k.id = l.contact_id
where a.connection_id = $1 and a.external_id = any($2::text[]) and l.state = 'active' and l.read_no < $3
"""


# The customers of somebody who left are told by a list of their own: who is not on it any more has been handed over, or is gone.
WAITS = """
update contact_link l set read_no = $4, ended_at = case when l.state in ('gone', 'transferred') then null else l.ended_at end,
  state = case when l.state in ('gone', 'transferred') then 'active' else l.state end
from unnest($2::text[], $3::text[]) w (account, contact), account a, contact k
where a.connection_id = $1 and a.external_id = w.account and k.connection_id = $1 and k.external_id = w.contact
  and l.account_id = a.id and l.contact_id = k.id and l.read_no < $4
"""
TAKEN = """
update contact_link l set ended_at = $3, updated_at = $3, wish = null, state = case when exists (
    select from contact_link o where o.contact_id = l.contact_id and o.id <> l.id and o.state = 'active' and o.added_at >= m.left_at)
  then 'transferred' else 'gone' end
from account a, contact k, directory_member m
where a.id = l.account_id and k.id = l.contact_id and a.connection_id = $1 and m.connection_id = $1 and m.external_id = a.external_id
  and m.left_at is not null and l.state = 'active' and l.read_no < $2
  and not exists (select from handover_item h where h.kind = 'relation' and h.connection_id = $1 and h.external_id = k.external_id
    and h.from_external = a.external_id and h.state in ('asking', 'uncertain', 'waiting'))
returning l.id, l.contact_id, l.account_id, l.state, k.customer_id
"""


# Who no longer serves customers (disabled, banned) is not listed, and may have them all the same.
OTHERS = """
select a.external_id from account a join directory_member m on m.connection_id = a.connection_id and m.external_id = a.external_id
where a.connection_id = $1 and m.left_at is null and not a.external_id = any($2::text[])
  and exists (select from contact_link l where l.account_id = a.id and l.state = 'active') order by 1
"""


class Lost(Exception):
    """The run went to another process."""


class Sweep:
    """:meth:`round` takes one run as far as it goes."""

    def __init__(self, services: Services, renamed: Renamed) -> None:
        self._services = services
        self._renamed = renamed

    async def round(self) -> bool:
        now, token = self._services.clock.now(), uuid.uuid4()
        row = await self._services.db.fetchrow(CLAIM, now, now + LEASE, token)
        if row is None:
            return False
        loaded = await self._services.connections.get(row["connection_id"])
        run = _Run(self._services, loaded, row, token, self._renamed)
        try:
            await run.go()
        except Lost:
            pass
        except SendError as error:
            await run.failed(error)
        return True


class _Run:
    def __init__(self, services: Services, loaded: Loaded, row: Row, token: uuid.UUID, renamed: Renamed) -> None:
        self._services = services
        self._loaded = loaded
        self._id: int = row["id"]
        self._first_no: int = row["first_no"]
        self._tries: int = row["tries"]
        self._token = token
        self._renamed = renamed
        self._step: str = row["step"]
        self._place: dict[str, Any] = dict(row["place"])
        self._counts: dict[str, int] = dict(row["counts"])

    async def go(self) -> None:
        steps: Mapping[str, Callable[[], Awaitable[None]]] = {
            "directory": self._directory,
            "relations": self._relations,
            "groups": self._groups,
            "missing": self._missing,
            "waiting": self._waiting,
        }
        while self._step in steps:
            await steps[self._step]()
        await self._services.db.execute(FINISH, self._id, self._token, "done", None, self._services.clock.now())
        SYNC_RUNS.labels("done").inc()
        await self._services.bus.ring("relation", [self._loaded.id])

    async def failed(self, error: SendError) -> None:
        """A platform that is away or throttles is asked again later; one that refuses ends the run."""
        services, now = self._services, self._services.clock.now()
        told = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        if isinstance(error, Rejected):
            await services.db.execute(FINISH, self._id, self._token, "failed", told, now)
            SYNC_RUNS.labels("failed").inc()
        else:
            wait = max(error.after if isinstance(error, RetryLater) else 0.0, min(2.0**self._tries, 300.0))
            await services.db.execute(WAIT, self._id, self._token, told, now + timedelta(seconds=wait), now)
        await services.connections.note_error(self._loaded.id, error, attention=error.code == SHRUNK_CODE)
        await services.bus.ring("relation", [self._loaded.id])

    # ------------------------------------------------------------------ steps

    async def _directory(self) -> None:
        """And the library of tags, which is a look of its own."""
        people = await read_directory(self._services, self._loaded)

        async def write(work: Work) -> None:
            if isinstance(self._loaded.adapter, KeepsTags):
                await ring(work, self._loaded.id, "tags")

        await self._move(write, "relations", {}, people=people)

    async def _relations(self) -> None:
        adapter = self._loaded.adapter
        if not isinstance(adapter, KnowsRelations):
            await self._move(_nothing, "groups", {})
            return
        if "accounts" not in self._place:
            accounts = [ref.external_id for ref in await adapter.relation_accounts()]
            accounts += [row["external_id"] for row in await self._services.db.fetch(OTHERS, self._loaded.id, accounts)]
            await self._move(
                _nothing, "relations", {"accounts": accounts, "at": 0, "cursor": ""}, accounts=len(accounts)
            )
        batch = adapter.relation_accounts_batch
        while self._place["at"] < len(self._place["accounts"]):
            at, cursor = self._place["at"], self._place["cursor"]
            alone = self._place.get("alone_until", 0) > at
            wanted = self._place["accounts"][at : at + (1 if alone else batch)]
            number = await next_number(self._services.db)
            try:
                page = await adapter.relations(wanted, cursor)
            except Rejected as error:
                await self._refused(error, at, len(wanted))
                continue
            await self._take_page(number, page, at, len(wanted))
        await self._move(
            _nothing, "groups", {"accounts": self._place["accounts"], "skipped": self._place.get("skipped", [])}
        )

    async def _take_page(self, number: int, page: RelationPage, at: int, width: int) -> None:
        async def write(work: Work) -> None:
            await take_reading(work, self._loaded.id, number, page.persons, page.relations, renamed=self._renamed)

        place = {**self._place, "cursor": page.cursor, "at": at if page.cursor else at + width}
        await self._move(write, "relations", place, relations=len(page.relations))

    async def _refused(self, error: Rejected, at: int, width: int) -> None:
        """One member of a batch may be unknown by now: each alone, and who is refused alone is left out."""
        if error.needs_admin:
            raise error
        if width > 1:
            await self._move(_nothing, "relations", {**self._place, "cursor": "", "alone_until": at + width})
            return
        skipped = [*self._place.get("skipped", []), self._place["accounts"][at]]
        if len(skipped) == len(self._place["accounts"]):
            raise error
        await self._move(
            _nothing, "relations", {**self._place, "cursor": "", "at": at + 1, "skipped": skipped}, skipped=1
        )

    async def _groups(self) -> None:
        adapter = self._loaded.adapter
        while isinstance(adapter, KnowsGroups):
            page = await adapter.group_ids(self._place.get("group_cursor", ""))
            ids = [(clean(external_id), state) for external_id, state in page.ids]

            async def write(work: Work, ids: list[tuple[str, str]] = ids) -> None:
                await ring(work, self._loaded.id, "group", sorted(one for one, _ in ids))
                await note_owner_states(work, self._loaded.id, ids)

            await self._move(write, "groups", {**self._place, "group_cursor": page.cursor}, groups=len(ids))
            if not page.cursor:
                break
        await self._move(_nothing, "missing", self._place)

    async def _missing(self) -> None:
        swept = [
            clean(one) for one in self._place.get("accounts", []) if one not in set(self._place.get("skipped", []))
        ]

        async def write(work: Work) -> None:
            rows = await work.tx.fetch(MISSING, self._loaded.id, swept, self._first_no)
            await ring(work, self._loaded.id, "contact", sorted(row["external_id"] for row in rows))
            self._counts["missing"] = len(rows)
            if isinstance(self._loaded.adapter, KnowsGroups):
                await ring(work, self._loaded.id, "group", await unseen(work, self._loaded.id, self._first_no))

        await self._move(write, "waiting", {})

    async def _waiting(self) -> None:
        adapter = self._loaded.adapter
        if not isinstance(adapter, TransfersRelations):
            await self._move(_nothing, "end", {})
            return
        cursor: str = self._place.get("cursor", "")
        while True:
            number = await next_number(self._services.db)
            waiting, cursor = await adapter.unassigned(cursor)

            async def see(work: Work, number: int = number, waiting: Sequence[Unassigned] = waiting) -> None:
                accounts, contacts = (
                    [clean(one.account_id) for one in waiting],
                    [clean(one.contact_id) for one in waiting],
                )
                await work.tx.execute(WAITS, self._loaded.id, accounts, contacts, number)

            await self._move(see, "waiting", {"cursor": cursor}, waiting=len(waiting))
            if not cursor:
                break

        async def end(work: Work) -> None:
            rows = await work.tx.fetch(TAKEN, self._loaded.id, self._first_no, work.now)
            await tell(work, [ended_line(dict(row)) for row in rows])

        await self._move(end, "end", {})

    async def _move(
        self, write: Callable[[Work], Awaitable[None]], step: str, place: dict[str, Any], **counted: int
    ) -> None:
        """Writes, and goes to another place, in one unit of work. Raises :class:`Lost`."""
        counts = {**self._counts, **{name: self._counts.get(name, 0) + n for name, n in counted.items()}}
        for attempt in range(1, WRITES + 1):
            try:
                async with self._services.work() as work:
                    await write(work)
                    counts = {**self._counts, **counts}
                    moved = await work.tx.execute(
                        MOVE, self._id, self._token, step, place, counts, work.now + LEASE, work.now
                    )
                    if moved != "UPDATE 1":
                        raise Lost
                    work.ring("relation", self._loaded.id)
                break
            except RETRYABLE:
                if attempt == WRITES:
                    raise
                await asyncio.sleep(0.02 * attempt)
        self._step, self._place, self._counts = step, place, counts


async def _nothing(work: Work) -> None:
    """There is nothing to write."""
