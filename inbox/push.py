"""What happens in the inbox, told to the browsers that may see it.

A ring says which conversations changed. All that rang within a few milliseconds is read in two to four statements, each conversation is
serialised once (twice where something was recalled), and browsers with the same scope get the same bytes. Rings can be lost: a
look at the newest messages every few seconds finds what nobody rang for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from aiohttp import web

from inbox import at_hand
from inbox.counts import load_tallies
from inbox.queries import Pushed, changed_since, one_moment, one_moment_planned_once
from inbox.shapes import for_reader
from inbox.views import ConversationPush, CountsPush
from scrm.answering import to_json
from scrm.clock import monotonic
from scrm.db import LOST
from scrm.live import Hub, Socket, count_pushes, frame
from scrm.permissions import INBOX_READ, Scope
from scrm.services import Services
from scrm.tasks import end

log = logging.getLogger(__name__)

APART_SECONDS = 0.004
"""While much is told, rings gather so long."""
MUCH = 5
"""Conversations told at a time; fewer are not worth a rest."""
AT_ONCE = 200
COUNTS_SECONDS = 0.5
LOOK_SECONDS = 5.0
LOOK_BACK = 2000
"""Message ids are given out in one order and committed in another: a look starts this far behind the newest one seen."""
REMEMBERED = 50_000

NEWEST_ID = "select coalesce(max(id), 0) from message"
RECENT = "select id, conversation_id from message where id > $1"
VERSIONS = "select id, version from conversation where id = any($1::bigint[])"
OUTSIDE = """
select c.id, a.team_id, c.assignee_id, c.collaborators
from conversation c join account a on a.id = c.account_id
where c.status <> 'closed' and (c.assignee_id = any($1::bigint[])
  or (c.collaborators <> '{}' and c.collaborators && $1::bigint[]))
limit 20000
"""
"""Conversations that somebody may see only because they are assigned to them or help."""


READERS: tuple[tuple[bool, bool], ...] = ((False, False), (False, True), (True, False), (True, True))
"""Who may read what was recalled, and who phone numbers."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the browsers were told of a conversation last; ``version`` None: nothing, only who could see it is known."""

    version: int | None
    team_id: int | None
    assignee_id: int | None
    collaborators: tuple[int, ...] = ()

    @classmethod
    def of(cls, pushed: Pushed) -> Told:
        conversation = pushed.conversation
        return cls(conversation.version, pushed.team_id, conversation.assignee_id, tuple(conversation.collaborator_ids))

    def to(self, scope: Scope) -> bool:
        return scope.covers(self.team_id, self.assignee_id, self.collaborators)


@dataclass(frozen=True, slots=True)
class Frames:
    """One pushed conversation, framed as each kind of reader sees it: by whether they may read what was recalled, and phone
    numbers."""

    now: Told
    before: Told | None
    framed: Mapping[tuple[bool, bool], bytes]
    gone: bytes

    def to(self, scope: Scope) -> bytes:
        """What somebody with this scope is sent: the change, that it is no longer theirs, or nothing."""
        if self.now.to(scope):
            return self.framed[scope.recalled, scope.phones]
        if self.before is not None and self.before.to(scope):
            return self.gone
        return b""


class Pusher:
    """Runs as long as the server does: ``app.cleanup_ctx.append(Pusher(services, app[HUB]).running)``."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._changed: set[int] = set()
        self._told: OrderedDict[int, Told] = OrderedDict()
        self._at_hand: dict[int, Pushed] = {}
        """What this process wrote itself, until it is told."""
        self._look_at_all = False
        self._newest: int | None = None
        self._recent: set[int] = set()
        self._resting_until = 0.0
        self._wake = asyncio.Event()
        self._readers = asyncio.Event()
        self._recount = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unlisten: list[Callable[[], None]] = []

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        await self.start()
        yield
        await self.stop()

    async def start(self) -> None:
        bus = self._services.bus
        self._unlisten = [
            bus.listen("conversation", self._rang),
            bus.listen("account", lambda _: self._recount.set()),
            bus.listen("notification", lambda _: self._recount.set()),
            self._services.news.take(at_hand.TOPIC, self._take),
        ]
        self._hub.on_change += [self._recount.set, self._readers.set]
        self._tasks = [
            asyncio.create_task(self._forever(self._push), name="inbox-push"),
            asyncio.create_task(self._forever(self._count), name="inbox-counts"),
            asyncio.create_task(self._forever(self._look), name="inbox-look"),
            asyncio.create_task(self._forever(self._remember), name="inbox-remember"),
        ]

    async def stop(self) -> None:
        for unlisten in self._unlisten:
            unlisten()
        for heard in (self._recount.set, self._readers.set):
            self._hub.on_change.remove(heard)
        await end(self._tasks)
        self._tasks = []

    async def _forever(self, once: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await once()
            except LOST as error:
                log.warning("the database is away, pushes wait: %s", type(error).__name__)
                await asyncio.sleep(1)
            except Exception:
                log.exception("a push failed")
                await asyncio.sleep(1)

    # ------------------------------------------------------------------ conversations

    def _take(self, news: Sequence[Pushed]) -> None:
        for one in news:
            before = self._at_hand.get(one.conversation.id)
            if before is not None and before.conversation.version == one.from_version:
                one = replace(one, messages=[*before.messages, *one.messages], from_version=before.from_version)
            self._at_hand[one.conversation.id] = one

    def _rang(self, ids: Sequence[int]) -> None:
        if not ids:
            self._look_at_all = True
        self._changed.update(ids)
        self._wake.set()

    async def _push(self) -> None:
        await self._wake.wait()
        await asyncio.sleep(max(self._resting_until - monotonic(), 0))
        began = monotonic()
        much = len(self._changed) > MUCH
        self._wake.clear()
        if self._look_at_all:
            self._look_at_all = False
            self._told.clear()
            self._at_hand.clear()
            self._hub.resync()
            self._recount.set()
        while self._changed:
            batch = [self._changed.pop() for _ in range(min(AT_ONCE, len(self._changed)))]
            try:
                await self._tell(batch)
            except BaseException:
                self._changed.update(batch)
                self._wake.set()
                raise
            self._recount.set()
        if much:
            self._resting_until = began + APART_SECONDS

    async def _tell(self, ids: Sequence[int]) -> None:
        readers = _by_scope(self._hub)
        if not readers:
            # Nobody listens; whoever comes fetches first.
            for one in ids:
                self._told.pop(one, None)
                self._at_hand.pop(one, None)
            return
        in_hand = [one for one in map(self._next_at_hand, ids) if one is not None]
        self._send(readers, [self._frames(pushed) for pushed in in_hand])
        done = {pushed.conversation.id for pushed in in_hand}
        wants = [(one, self._told[one].version if one in self._told else None) for one in ids if one not in done]
        if not wants:
            return
        async with one_moment_planned_once(self._services.db) as tx:
            found = await changed_since(tx, wants, self._services.connections.capabilities)
            # What was read is true already: nobody waits for the end of a transaction that only reads.
            self._send(readers, [self._frames(pushed) for pushed in found if self._is_news(pushed)])

    def _next_at_hand(self, conversation_id: int) -> Pushed | None:
        """What is in hand, if it goes on from what the browsers were told last."""
        pushed = self._at_hand.pop(conversation_id, None)
        told = self._told.get(conversation_id)
        if pushed is None or told is None or told.version != pushed.from_version:
            return None
        return pushed

    def _send(self, readers: dict[Scope, list[Socket]], frames: Sequence[Frames]) -> None:
        for scope, sockets in readers.items():
            parts = [part for one in frames if (part := one.to(scope))]
            if parts:
                joined = b"".join(parts)
                for socket in sockets:
                    socket.send(joined)
                count_pushes(len(parts) * len(sockets))

    def _is_news(self, pushed: Pushed) -> bool:
        return self._told.get(pushed.conversation.id) != Told.of(pushed)

    def _note(self, conversation_id: int, told: Told) -> None:
        self._told[conversation_id] = told
        self._told.move_to_end(conversation_id)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def _remember(self) -> None:
        """When somebody connects: what they see by assignment only, to be able to say that it is no longer theirs."""
        await self._readers.wait()
        self._readers.clear()
        narrow = {scope.agent_id for scope in _by_scope(self._hub) if not scope.everything}
        if narrow:
            for row in await self._services.db.fetch(OUTSIDE, list(narrow)):
                if row["id"] not in self._told:
                    # Not its version: a change that was read here may still have to be told.
                    told = Told(None, row["team_id"], row["assignee_id"], tuple(row["collaborators"]))
                    self._note(row["id"], told)
        await asyncio.sleep(COUNTS_SECONDS)

    def _frames(self, pushed: Pushed) -> Frames:
        conversation = pushed.conversation
        before = self._told.get(conversation.id)
        now = Told.of(pushed)
        self._note(conversation.id, now)
        messages = list(pushed.messages)
        push = ConversationPush(
            conversation=conversation, messages=messages, events=list(pushed.events), from_version=pushed.from_version
        )
        full = frame(to_json(push))
        framed = dict.fromkeys(READERS, full)
        for reader in READERS:
            recalled, phones = reader
            shown = [for_reader(message, recalled=recalled, phones=phones) for message in messages]
            if any(seen is not whole for seen, whole in zip(shown, messages, strict=True)):
                framed[reader] = frame(to_json(push.model_copy(update={"messages": shown})))
        gone = frame(orjson.dumps({"type": "gone", "conversation_id": conversation.id}))
        return Frames(now, before, framed, gone)

    # ------------------------------------------------------------------ counts

    async def _count(self) -> None:
        await self._recount.wait()
        self._recount.clear()
        began = monotonic()
        readers = _by_scope(self._hub)
        if readers:
            try:
                async with one_moment(self._services.db) as tx:
                    tallies = await load_tallies(tx)
            except BaseException:
                self._recount.set()
                raise
            for scope, sockets in readers.items():
                framed = frame(to_json(CountsPush(counts=tallies.view(scope))))
                for socket in sockets:
                    if socket.pushed.get("counts") != framed and not socket.slow:
                        socket.pushed["counts"] = framed
                        socket.send(framed)
        await asyncio.sleep(max(COUNTS_SECONDS - (monotonic() - began), 0))

    # ------------------------------------------------------------------ what nobody rang for

    async def _look(self) -> None:
        db = self._services.db
        newest: int = await db.fetchval(NEWEST_ID)
        rows = await db.fetch(RECENT, max((newest if self._newest is None else self._newest) - LOOK_BACK, 0))
        fresh = {row["conversation_id"] for row in rows if row["id"] not in self._recent}
        first, self._newest = self._newest is None, newest
        self._recent = {row["id"] for row in rows}
        if fresh and not first and _by_scope(self._hub):
            versions = await db.fetch(VERSIONS, list(fresh))
            told = self._told
            missed = [
                row["id"]
                for row in versions
                if row["id"] not in told or (told[row["id"]].version or 0) < row["version"]
            ]
            if missed:
                self._rang(missed)
            self._recount.set()
        await asyncio.sleep(LOOK_SECONDS)


def _by_scope(hub: Hub) -> dict[Scope, list[Socket]]:
    """Sockets of agents who read the inbox, those with the same scope together."""
    readers: dict[Scope, list[Socket]] = {}
    scopes: dict[int, Scope] = {}
    for socket in hub.sockets:
        principal = socket.principal
        scope = scopes.get(id(principal))
        if scope is None:
            if not principal.may(INBOX_READ):
                continue
            scope = scopes[id(principal)] = Scope.of(principal)
        readers.setdefault(scope, []).append(socket)
    return readers
