"""From notices to cards: what somebody wants as a card, and has not seen on the page, becomes one card for all that is new.

One person is gathered for by one process at a time (an advisory lock), and a notice is marked in the transaction that makes its card,
so it goes out once. A person gets at most one card a minute and :data:`MOST_A_DAY` a day, far below what the platforms take (theirs is
30 a minute, beyond which they drop without a word); what comes meanwhile waits and is bundled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox.cards.send import SEND_CARD
from inbox.cards.wishes import CardWish
from inbox.cards.words import path, title_and_text
from inbox.notifications import NotificationQuery, NotificationView, notification_page
from inbox.preferences import PreferencesView, load_preferences
from scrm import jobs
from scrm.auth import principal_of
from scrm.channel_contacts import NotifiesPeople
from scrm.company import FACTS
from scrm.connections import Connections
from scrm.db import Row, Tx
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.sessions import WHO

LOCK_SPACE = 7_226_041
AT_ONCE = 100
"""Notices that are looked at together; the page of the notice centre is as long."""
SETTLE = timedelta(seconds=2)
"""What comes together is one card."""
APART = timedelta(minutes=1)
MOST_A_DAY = 200
PRESENT = timedelta(seconds=60)
"""An open page says so every twenty seconds."""
PATIENCE = timedelta(minutes=2)
"""How long a notice waits for somebody who has the page open: gone meanwhile, they get a card; still there, they have seen it."""

WHO_WAITS = """
select distinct agent_id from notification where card = 'new' order by 1 limit 500
"""
NEW = """
select id, kind, created_at, read_at from notification where agent_id = $1 and card = 'new' order by id desc limit $2
"""
PERSON = f"""
select {WHO}, a.seen_at, a.disabled_at is not null as disabled from agent a join role r on r.key = a.role where a.id = $1
"""  # noqa: S608 - made of constants
LINKS = "select connection_id, external_id from agent_identity where agent_id = $1 order by used_at desc nulls last, id desc"
MARK = """
update notification set card = w.card, card_id = w.card_id
from unnest($1::bigint[], $2::text[], $3::bigint[]) w (id, card, card_id) where notification.id = w.id and notification.card = 'new'
"""
ALL_NONE = "update notification set card = 'none' where agent_id = $1 and card = 'new'"
RECENT = "select count(*) as n, max(created_at) as last from notice_card where agent_id = $1 and created_at > $2"
MAKE = """
insert into notice_card (agent_id, connection_id, external_id, title, text, url, notices, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning id
"""


@dataclass(frozen=True, slots=True)
class Link:
    """Where somebody is reached."""

    connection_id: int
    external_id: str


def link_of(rows: Sequence[Row], connections: Connections) -> Link | None:
    """The one of an agent's identities that can be told something."""
    for row in rows:
        loaded = connections.held(row["connection_id"])
        if loaded is None or loaded.paused:
            continue
        if isinstance(loaded.adapter, NotifiesPeople) and loaded.adapter.notifies:
            return Link(row["connection_id"], row["external_id"])
    return None


class Gatherer:
    """:meth:`round` looks at everybody who has new notices."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        for row in await self._services.db.fetch(WHO_WAITS):
            async with self._services.work() as work:
                if await work.tx.fetchval("select pg_try_advisory_xact_lock($1, $2)", LOCK_SPACE, row["agent_id"]):
                    await self._of_one(work, row["agent_id"])
        return False

    async def _of_one(self, work: Work, agent_id: int) -> None:
        person = await work.tx.fetchrow(PERSON, agent_id)
        link = link_of(await work.tx.fetch(LINKS, agent_id), self._services.connections)
        base = self._services.settings.server.public_url
        if person is None or person["disabled"] or link is None or not base:
            await work.tx.execute(ALL_NONE, agent_id)
            return
        preferences = await load_preferences(work.tx, agent_id)
        rows = await work.tx.fetch(NEW, agent_id, AT_ONCE)
        fates = {row["id"]: fate(row, preferences.card_of(row["kind"]), person["seen_at"], work.now) for row in rows}
        settled = {row_id: one for row_id, one in fates.items() if one not in ("due", "wait")}
        await work.tx.execute(MARK, list(settled), list(settled.values()), [None] * len(settled))
        due = [row for row in rows if fates[row["id"]] == "due"]
        if due and await self._may_send(work, agent_id, preferences, due):
            await self._make(work, principal_of(person), link, base, [row["id"] for row in due])

    async def _may_send(self, work: Work, agent_id: int, preferences: PreferencesView, due: Sequence[Row]) -> bool:
        if min(row["created_at"] for row in due) > work.now - SETTLE:
            return False
        if preferences.quiet_until is not None and preferences.quiet_until > work.now:
            return False
        here = work.now.astimezone((await FACTS.load(work.tx)).clock)
        if preferences.quiet_hours is not None and preferences.quiet_hours.cover(here):
            return False
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        recent = await work.tx.fetchrow(RECENT, agent_id, min(midnight, work.now - APART))
        if recent is None or recent["last"] is None:
            return True
        today = await work.tx.fetchrow(RECENT, agent_id, midnight)
        return bool(recent["last"] <= work.now - APART and (today is None or today["n"] < MOST_A_DAY))

    async def _make(self, work: Work, principal: Principal, link: Link, base: str, ids: Sequence[int]) -> None:
        notices = await _as_seen(work.tx, principal, ids)
        names = await _names(work.tx, notices)
        title, text = title_and_text(notices, names, principal.language)
        card_id = await work.tx.fetchval(
            MAKE, principal.agent_id, link.connection_id, link.external_id, title, text, base + path(notices), len(notices),
            work.now,
        )  # fmt: skip
        await work.tx.execute(MARK, list(ids), ["carded"] * len(ids), [card_id] * len(ids))
        await jobs.put(work, SEND_CARD, [str(card_id)], [{"card_id": card_id}])


def fate(row: Row, wish: CardWish, seen_at: datetime | None, now: datetime) -> str:
    """``due``, ``wait``, or why there is no card."""
    if row["read_at"] is not None:
        return "read"
    if wish == "off":
        return "off"
    if wish == "always" or seen_at is None or seen_at < now - PRESENT:
        return "due"
    return "wait" if row["created_at"] > now - PATIENCE else "seen"


async def _as_seen(tx: Tx, principal: Principal, ids: Sequence[int]) -> list[NotificationView]:
    """As the notice centre shows them to their owner, newest first."""
    page = await notification_page(tx, principal, NotificationQuery(before=max(ids) + 1, limit=AT_ONCE))
    wanted = set(ids)
    return [one for one in page.notifications if one.id in wanted]


async def _names(tx: Tx, notices: Sequence[NotificationView]) -> dict[int, str]:
    wanted = [one.by_agent_id for one in notices if one.by_agent_id is not None]
    rows = await tx.fetch("select id, name from agent where id = any($1::bigint[])", wanted)
    return {row["id"]: row["name"] for row in rows}
