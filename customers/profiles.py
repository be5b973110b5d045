"""Asks platforms who people are, in batches: names, avatars, union ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from customers.resolve import resolve
from scrm.channel import KnowsContacts
from scrm.connections import Loaded
from scrm.errors import SendError
from scrm.normalise import LOCK_SPACE
from scrm.services import Services, Work

MOST_TRIES = 5

CLAIM = """
update contact set profile_due_at = $2::timestamptz + interval '1 minute' * power(2, profile_tries),
  profile_tries = profile_tries + 1
where id in (
  select id from contact where connection_id = $1 and profile_due_at <= $2 order by profile_due_at limit $3
  for update skip locked)
returning id, external_id, profile_tries
"""


class ProfileReader:
    """:meth:`round` asks for one batch of every connection that has people without a name."""

    def __init__(self, services: Services, renamed: Callable[[Work, Sequence[int]], Awaitable[None]]) -> None:
        """``renamed`` is told the contacts that have other names now: they stand in what upper layers show."""
        self._services = services
        self._renamed = renamed

    async def round(self) -> bool:
        more = False
        for loaded in self._services.connections.all():
            if not loaded.paused and isinstance(loaded.adapter, KnowsContacts):
                more = await self._one_batch(loaded, loaded.adapter) or more
        return more

    async def _one_batch(self, loaded: Loaded, adapter: KnowsContacts) -> bool:
        now = self._services.clock.now()
        rows = await self._services.db.fetch(CLAIM, loaded.id, now, adapter.profile_batch)
        if not rows:
            return False
        try:
            profiles = await adapter.profiles([row["external_id"] for row in rows])
        except SendError as error:
            await self._services.connections.note_error(
                loaded.id, error, attention=getattr(error, "needs_admin", False)
            )
            return False
        told = {profile.external_id for profile in profiles}
        async with self._services.work() as work:
            await work.tx.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, loaded.id)
            people = await resolve(work, loaded.id, profiles, ask_profiles=False)
            silent = [
                row["id"] for row in rows if row["external_id"] not in told and row["profile_tries"] >= MOST_TRIES
            ]
            done = [people[external_id].contact_id for external_id in told if external_id in people]
            await work.tx.execute(
                "update contact set profile_due_at = null where id = any($1::bigint[])", silent + done
            )
            await self._renamed(work, done)
        return len(rows) >= adapter.profile_batch
