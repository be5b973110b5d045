"""Lines of the trail for what is only read. Reading a chat is the most frequent request there is: it must not wait for a write, so
openings and searches gather in memory and are written a moment later, all in one statement. An orderly stop writes what is left; a
process that is killed may take the last seconds with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from audit.chats.looks import AGAIN_AFTER
from inbox.others import OPENED, SEARCHED, Opened, Searched
from scrm.db import LOST
from scrm.metrics import TRAIL_LATE
from scrm.services import Services
from scrm.tasks import end

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
TYPING = timedelta(seconds=8)
"""Words that grow letter by letter are one search: the last one counts."""
MOST_KNOWN = 100_000

LOOKED = """
with seen as (
  select distinct on (w.agent_id, w.conversation_id) w.* from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[])
    w (agent_id, conversation_id, at, address)
  join conversation c on c.id = w.conversation_id join account a on a.id = c.account_id
  where c.assignee_id is not null or not exists (select from agent_identity i
    where i.agent_id = w.agent_id and i.connection_id = a.connection_id and i.external_id = a.external_id)
  order by w.agent_id, w.conversation_id, w.at
), fresh as (
  insert into audit_look as l (agent_id, conversation_id, looked_at) select agent_id, conversation_id, at from seen
  on conflict (agent_id, conversation_id) do update set looked_at = excluded.looked_at where l.looked_at <= excluded.looked_at - $5::interval
  returning l.agent_id, l.conversation_id
)
insert into audit_event (at, agent_id, action, object_kind, object_id, address)
select s.at, s.agent_id, 'conversation.viewed', 'conversation', s.conversation_id, s.address
from fresh join seen s using (agent_id, conversation_id) order by s.at
"""
SOUGHT = """
insert into audit_event (at, agent_id, action, address, detail)
select at, agent_id, 'message.searched', address, jsonb_build_object('q', words)
from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[]) w (agent_id, at, address, words) order by at
"""


class TrailKeeper:
    """Runs as long as the server does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[tuple[int, int], datetime] = {}
        self._opened: dict[tuple[int, int], Opened] = {}
        self._typing: dict[int, Searched] = {}
        self._sought: list[Searched] = []

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        news = self._services.news
        unlisten = [news.take(OPENED, self.open), news.take(SEARCHED, self.search)]
        task = asyncio.create_task(self._run(), name="trail-keeper")
        yield
        for stop in unlisten:
            stop()
        await end([task])
        try:
            await self.write(everything=True)
        except LOST as error:
            TRAIL_LATE.inc(len(self._opened) + len(self._sought))
            log.error("%d views could not be written to the trail: %s", len(self._opened), error)

    def open(self, openings: Sequence[Any]) -> None:
        for one in openings:
            key = (one.agent_id, one.conversation_id)
            last = self._known.get(key)
            if (last is None or one.at - last >= AGAIN_AFTER) and key not in self._opened:
                self._opened[key] = one

    def search(self, searches: Sequence[Any]) -> None:
        for one in searches:
            before = self._typing.pop(one.agent_id, None)
            if before is not None and not _goes_on(before, one):
                self._sought.append(before)
            self._typing[one.agent_id] = one

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.write()
            except LOST as error:
                log.warning("the trail waits for the database: %s", error)
            except Exception:
                log.exception("views could not be written to the trail; they are kept")

    async def write(self, *, everything: bool = False) -> None:
        """What fails is kept, and written the next time."""
        now = self._services.clock.now()
        for agent_id, words in tuple(self._typing.items()):
            if everything or now - words.at >= TYPING:
                self._sought.append(self._typing.pop(agent_id))
        opened, sought = tuple(self._opened.items()), tuple(self._sought)
        if not opened and not sought:
            return
        async with self._services.work() as work:
            if opened:
                looks = [one for _, one in opened]
                await work.tx.execute(
                    LOOKED, [one.agent_id for one in looks], [one.conversation_id for one in looks],
                    [one.at for one in looks], [one.address for one in looks], AGAIN_AFTER,
                )  # fmt: skip
            if sought:
                await work.tx.execute(
                    SOUGHT, [one.agent_id for one in sought], [one.at for one in sought], [one.address for one in sought],
                    [one.words for one in sought],
                )  # fmt: skip
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        for key, one in opened:
            self._known[key] = one.at
            self._opened.pop(key, None)
        del self._sought[: len(sought)]


def _goes_on(before: Searched, now: Searched) -> bool:
    """Still typing: one is the beginning of the other."""
    return now.at - before.at < TYPING and (now.words.startswith(before.words) or before.words.startswith(now.words))
