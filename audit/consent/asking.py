"""Asking a platform whose chats it archives and who agreed to that: few calls at a time, each answer kept until the next day."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit.archive.placing import INSIDE
from audit.archive.reading import UNREADY, archives_of, trouble_of
from scrm.channel_archive import Agreement, ArchiveUnready, KnowsConsent
from scrm.connections import Loaded
from scrm.db import Row
from scrm.errors import NotFound, RetryLater, SendError
from scrm.services import Services

LIST_EVERY = timedelta(hours=1)
ASK_EVERY = timedelta(days=1)
CALLS = 10
"""In one round. With a round every half minute a company of any size leaves the platform's quota to others."""
BETWEEN_ROUNDS = timedelta(seconds=30)
LOOK = timedelta(minutes=10)
LONGEST_PAUSE = 3600.0

KNOW = "insert into archive_people (connection_id, channel, due_at) values ($1, $2, $3) on conflict do nothing"
CLAIM = """
with due as (
  select p.connection_id from archive_people p join connection c on c.id = p.connection_id
  where c.paused_at is null and p.due_at <= $1 and (p.lease_until is null or p.lease_until < $1)
  order by p.due_at limit 1 for update of p skip locked
)
update archive_people p set lease_until = $2, lease_token = $3 from due where p.connection_id = due.connection_id returning p.*
"""
FINISH = """
update archive_people set due_at = $3, lease_until = null, lease_token = null, failures = 0, trouble = null, trouble_since = null
where connection_id = $1 and lease_token = $2
"""
BACK_OFF = """
update archive_people set due_at = $3, lease_until = null, lease_token = null, failures = failures + 1, trouble = $4,
  trouble_since = coalesce(trouble_since, $5) where connection_id = $1 and lease_token = $2
"""
PERMIT = """
insert into archive_permit as p (connection_id, external_id, since) select $1, w, $3 from unnest($2::text[]) w order by w
on conflict (connection_id, external_id) do update set until = null, since = case when p.until is null then p.since else $3 end
where p.until is not null
"""
NO_MORE = "update archive_permit set until = $3 where connection_id = $1 and until is null and not external_id = any($2::text[])"
READ = "update archive_people set read_at = $2 where connection_id = $1"
# Chats of two of archived employees: with everybody on their lists, written or not (who refused writes nothing that is archived).
PAIRS = """
insert into archive_consent (account_id, contact_id, connection_id, due_at)
select w.account_id, w.contact_id, $1, $3 from (
  select l.account_id, l.contact_id from contact_link l join account a on a.id = l.account_id
  where a.connection_id = $1 and a.channel = $2 and l.state = 'active'
  union select c.account_id, c.contact_id from conversation c join account a on a.id = c.account_id
  where a.connection_id = $1 and a.channel = $2 and c.group_key = '' and c.contact_id is not null
) w where exists (select from account a join archive_permit p on p.connection_id = $1 and p.external_id = a.external_id and p.until is null
    where a.id = w.account_id)
  and not exists (select from archive_consent x where x.account_id = w.account_id and x.contact_id = w.contact_id)
order by w.account_id, w.contact_id on conflict do nothing
"""
ROOMS = f"""
insert into archive_room (connection_id, group_key, due_at)
select distinct $1::bigint, c.group_key, $3::timestamptz from conversation c join account a on a.id = c.account_id
where a.connection_id = $1 and a.channel = $2 and c.group_key <> '' and not starts_with(c.group_key, '{INSIDE}')
  and not exists (select from archive_room x where x.connection_id = $1 and x.group_key = c.group_key)
order by 2 on conflict do nothing
"""  # noqa: S608 - made of constants
DUE_PAIRS = """
select x.account_id, x.contact_id, a.external_id as member, k.external_id as contact from archive_consent x
join account a on a.id = x.account_id join contact k on k.id = x.contact_id
where x.connection_id = $1 and x.due_at <= $2 order by x.due_at, x.account_id, x.contact_id limit $3
"""
DUE_ROOMS = (
    "select group_key from archive_room where connection_id = $1 and due_at <= $2 order by due_at, group_key limit $3"
)
ANSWERED = """
update archive_consent x set asked_at = $4, due_at = $5, state = coalesce(w.state, x.state),
  changed_at = case when w.state is null then x.changed_at else w.changed_at end
from unnest($1::bigint[], $2::bigint[], $6::text[], $7::timestamptz[]) w (account_id, contact_id, state, changed_at)
where x.account_id = w.account_id and x.contact_id = w.contact_id and x.connection_id = $3
"""
ROOM_ANSWERED = "update archive_room set asked_at = $3, due_at = $4 where connection_id = $1 and group_key = $2"
IN_ROOM = """
insert into archive_room_consent as r (connection_id, group_key, external_id, state, changed_at)
select $1, $2, w.external_id, w.state, w.changed_at from unnest($3::text[], $4::text[], $5::timestamptz[]) w (external_id, state, changed_at)
order by w.external_id
on conflict (connection_id, group_key, external_id) do update set state = excluded.state, changed_at = excluded.changed_at
where (r.state, r.changed_at) is distinct from (excluded.state, excluded.changed_at)
"""


class ConsentReader:
    """:meth:`round` asks a little of one connection; one process at a time has it, by its lease."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lease = timedelta(seconds=max(services.settings.worker.lease_seconds, 60.0) + 120)

    async def round(self) -> bool:
        await self._know()
        now, token = self._services.clock.now(), uuid.uuid4()
        row = await self._services.db.fetchrow(CLAIM, now, now + self._lease, token)
        if row is None:
            return False
        connection_id: int = row["connection_id"]
        try:
            loaded = await self._services.connections.get(connection_id)
            adapter = loaded.adapter
            more = isinstance(adapter, KnowsConsent) and await self._ask(row, loaded, adapter)
        except ArchiveUnready as unready:
            await self._back_off(row, token, unready, UNREADY)
        except NotFound:
            await self._finish(connection_id, token, UNREADY)
        except SendError as error:
            wait = min(2.0 ** min(row["failures"] + 3, 12), LONGEST_PAUSE)
            if isinstance(error, RetryLater):
                wait = max(wait, error.after)
            await self._back_off(row, token, error, timedelta(seconds=wait))
        else:
            await self._finish(connection_id, token, BETWEEN_ROUNDS if more else LOOK)
        return True

    async def _know(self) -> None:
        for one in self._services.connections.all():
            archive = archives_of(one)
            if archive is not None and isinstance(one.adapter, KnowsConsent):
                await self._services.db.execute(KNOW, one.id, archive.archive_channel, self._services.clock.now())

    async def _ask(self, row: Row, loaded: Loaded, adapter: KnowsConsent) -> bool:
        """Whether there is more to ask at once."""
        calls = CALLS
        if row["read_at"] is None or self._services.clock.now() - row["read_at"] >= LIST_EVERY:
            await self._read_list(loaded, row["channel"], await adapter.archived_members())
            calls -= 1
        now = self._services.clock.now()
        while calls > 0:
            pairs = await self._services.db.fetch(DUE_PAIRS, loaded.id, now, adapter.consent_batch)
            if not pairs:
                break
            told = await adapter.agreements([(one["member"], one["contact"]) for one in pairs])
            await self._keep_pairs(loaded.id, pairs, told)
            calls -= 1
        rooms = await self._services.db.fetch(DUE_ROOMS, loaded.id, now, calls) if calls > 0 else []
        for room in rooms:
            await self._keep_room(loaded.id, room["group_key"], await adapter.room_agreements(room["group_key"]))
        return calls <= len(rooms)

    async def _read_list(self, loaded: Loaded, channel: str, members: Sequence[str]) -> None:
        async with self._services.work() as work:
            await work.tx.execute(PERMIT, loaded.id, list(members), work.now)
            await work.tx.execute(NO_MORE, loaded.id, list(members), work.now)
            await work.tx.execute(PAIRS, loaded.id, channel, work.now)
            await work.tx.execute(ROOMS, loaded.id, channel, work.now)
            await work.tx.execute(READ, loaded.id, work.now)

    async def _keep_pairs(self, connection_id: int, pairs: Sequence[Row], told: Sequence[Agreement]) -> None:
        """What was asked and not answered stays as it was, and is asked again tomorrow."""
        answers = {(one.member, one.contact): one for one in told}
        found = [answers.get((pair["member"], pair["contact"])) for pair in pairs]
        now = self._services.clock.now()
        await self._services.db.execute(
            ANSWERED,
            [pair["account_id"] for pair in pairs],
            [pair["contact_id"] for pair in pairs],
            connection_id,
            now,
            now + ASK_EVERY,
            [one.state if one is not None else None for one in found],
            [one.at if one is not None else None for one in found],
        )

    async def _keep_room(self, connection_id: int, room: str, told: Sequence[Agreement]) -> None:
        people = {one.contact: one for one in told}
        states = [one.state for one in people.values()]
        async with self._services.work() as work:
            await work.tx.execute(
                IN_ROOM, connection_id, room, list(people), states, [one.at for one in people.values()]
            )
            await work.tx.execute(ROOM_ANSWERED, connection_id, room, work.now, work.now + ASK_EVERY)

    async def _finish(self, connection_id: int, token: uuid.UUID, wait: timedelta) -> None:
        await self._services.db.execute(FINISH, connection_id, token, self._services.clock.now() + wait)

    async def _back_off(self, row: Row, token: uuid.UUID, error: SendError | ArchiveUnready, wait: timedelta) -> None:
        now: datetime = self._services.clock.now()
        await self._services.db.execute(BACK_OFF, row["connection_id"], token, now + wait, trouble_of(error), now)
