"""Who is looking at a conversation, and who is writing: told to the others who look at it, across all processes.

None of this has a row: it is said over the bus and forgotten. Each process keeps the seats (one per browser tab) of all processes;
a process that is not heard for a while takes its seats with it, as a tab does that says nothing more about typing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from scrm.clock import monotonic
from scrm.db import LOST
from scrm.live import Hub, Socket, frame
from scrm.permissions import INBOX_READ, INBOX_REPLY, Scope
from scrm.services import Services
from scrm.tasks import end

log = logging.getLogger(__name__)

TOPIC = "presence"
BEAT_SECONDS = 8.0
GONE_SECONDS = 25.0
TYPING_SECONDS = 6.0
LOOK_SECONDS = 1.0
MODES = frozenset({"", "reply", "note"})

PLACES = """
select c.id, a.team_id, c.assignee_id, c.collaborators from conversation c join account a on a.id = c.account_id
where c.id = any($1::bigint[])
"""


@dataclass(slots=True)
class Seat:
    """A tab of somebody who answers here, before a conversation."""

    conversation_id: int
    agent_id: int
    typing: str
    typing_at: float


class Presence:
    """Runs as long as the server does, beside the pusher."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._name = secrets.token_hex(6)
        self._seats: dict[tuple[str, int], Seat] = {}
        self._alive: dict[str, float] = {}
        self._watching: dict[Socket, int] = {}
        """Of this process: who is told, because they look and may."""
        self._wanted: dict[Socket, tuple[int | None, str]] = {}
        self._touched: set[int] = set()
        self._doubtful: set[int] = set()
        self._asked = True
        self._beat_at = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unlisten: list[Callable[[], None]] = []

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        bus, hub = self._services.bus, self._hub
        self._unlisten = [bus.hear(TOPIC, self._heard), bus.listen("conversation", self._changed)]
        hub.on_said |= {"viewing": self._viewing, "typing": self._typing}
        hub.on_closed.append(self._left)
        hub.on_change.append(self._doubt_all)
        self._task = asyncio.create_task(self._run(), name="inbox-presence")
        await bus.say(TOPIC, {"p": self._name, "ask": True})
        yield
        await end([self._task])
        for unlisten in self._unlisten:
            unlisten()
        hub.on_change.remove(self._doubt_all)
        hub.on_closed.remove(self._left)
        await bus.say(TOPIC, {"p": self._name, "bye": True})

    # ------------------------------------------------------------------ what browsers say

    def _viewing(self, socket: Socket, said: Mapping[str, Any]) -> None:
        conversation_id = said.get("conversation_id")
        if conversation_id is None or _is_id(conversation_id):
            self._want(socket, conversation_id, "")

    def _typing(self, socket: Socket, said: Mapping[str, Any]) -> None:
        conversation_id, mode = said.get("conversation_id"), said.get("mode")
        if _is_id(conversation_id) and isinstance(mode, str) and mode in MODES:
            self._want(socket, conversation_id, mode)

    def _left(self, socket: Socket) -> None:
        self._want(socket, None, "")

    def _want(self, socket: Socket, conversation_id: int | None, mode: str) -> None:
        self._wanted[socket] = conversation_id, mode
        self._wake.set()

    # ------------------------------------------------------------------ what processes say

    def _heard(self, said: Mapping[str, Any]) -> None:
        process = str(said.get("p", ""))
        self._alive[process] = monotonic()
        if said.get("ask"):
            self._asked = True
        elif said.get("bye"):
            self._forget(process)
        elif "seats" in said:
            self._replace(process, {row[0]: row[1:] for row in said["seats"]})
        elif "tab" in said:
            self._seat((process, said["tab"]), said["seat"])
        self._wake.set()

    def _replace(self, process: str, seats: Mapping[int, Sequence[Any]]) -> None:
        for key in [key for key in self._seats if key[0] == process and key[1] not in seats]:
            self._seat(key, None)
        for tab, seat in seats.items():
            self._seat((process, tab), seat, again=True)

    def _seat(self, key: tuple[str, int], seat: Sequence[Any] | None, *, again: bool = False) -> None:
        held = self._seats.get(key)
        if held is not None:
            self._touched.add(held.conversation_id)
        if seat is None:
            self._seats.pop(key, None)
            return
        conversation_id, agent_id, typing = seat
        # A beat repeats what was said; only news prolongs the typing.
        same = again and held is not None and held.conversation_id == conversation_id
        typing_at = held.typing_at if same and held is not None else monotonic()
        self._seats[key] = Seat(conversation_id, agent_id, typing, typing_at)
        self._touched.add(conversation_id)

    def _forget(self, process: str) -> None:
        self._replace(process, {})
        self._alive.pop(process, None)

    # ------------------------------------------------------------------ what becomes of it

    def _changed(self, ids: Sequence[int]) -> None:
        watched = set(self._watching.values())
        doubtful = watched if not ids else watched.intersection(ids)
        if doubtful:
            self._doubtful |= doubtful
            self._wake.set()

    def _doubt_all(self) -> None:
        self._changed(())

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._round()
            except LOST as error:
                log.warning("the database is away, nobody new is seen looking: %s", type(error).__name__)
                await asyncio.sleep(1)
            except Exception:
                log.exception("who looks at what could not be told")
                await asyncio.sleep(1)

    async def _round(self) -> None:
        if self._doubtful:
            await self._look_again()
        while self._wanted:
            await self._take()
        await self._beat()
        self._expire()
        self._tell()

    async def _look_again(self) -> None:
        """Who may not see a conversation any more is told nothing more of it."""
        doubtful, self._doubtful = self._doubtful, set()
        try:
            places = await self._places(doubtful)
        except BaseException:
            self._doubtful |= doubtful
            raise
        for socket, conversation_id in list(self._watching.items()):
            if conversation_id in doubtful and not _may(socket, places.get(conversation_id)):
                await self._sit(socket, None, "")

    async def _take(self) -> None:
        wanted, self._wanted = self._wanted, {}
        fresh = {one for socket, (one, _) in wanted.items() if one is not None and self._watching.get(socket) != one}
        try:
            places = await self._places(fresh) if fresh else {}
        except BaseException:
            self._wanted = {**wanted, **self._wanted}
            raise
        for socket, (conversation_id, mode) in wanted.items():
            allowed = conversation_id not in fresh or _may(socket, places.get(conversation_id or 0))
            gone = socket.closed.is_set()
            await self._sit(socket, conversation_id if allowed and not gone else None, mode)

    async def _places(self, ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
        return {row["id"]: dict(row) for row in await self._services.db.fetch(PLACES, list(ids))}

    async def _sit(self, socket: Socket, conversation_id: int | None, mode: str) -> None:
        before = self._watching.get(socket)
        if conversation_id is None:
            self._watching.pop(socket, None)
            socket.pushed.pop("viewers", None)
        elif conversation_id != before:
            self._watching[socket] = conversation_id
            socket.pushed.pop("viewers", None)
            self._touched.add(conversation_id)
        # Who looks on without answering (an auditor) is told and not shown: nobody has taken notice of the customer.
        seat = None
        if conversation_id is not None and socket.principal.may(INBOX_REPLY):
            seat = [conversation_id, socket.principal.agent_id, mode]
        if seat is not None or (self._name, socket.number) in self._seats:
            await self._services.bus.say(TOPIC, {"p": self._name, "tab": socket.number, "seat": seat})

    async def _beat(self) -> None:
        now = monotonic()
        if not self._asked and now - self._beat_at < BEAT_SECONDS:
            return
        self._asked, self._beat_at = False, now
        own = [
            [tab, seat.conversation_id, seat.agent_id, seat.typing]
            for (process, tab), seat in self._seats.items()
            if process == self._name
        ]
        await self._services.bus.say(TOPIC, {"p": self._name, "seats": own})
        self._doubtful |= set(self._watching.values())

    def _expire(self) -> None:
        now = monotonic()
        for process in [one for one, at in self._alive.items() if now - at > GONE_SECONDS]:
            self._forget(process)
        for seat in self._seats.values():
            if seat.typing and now - seat.typing_at > TYPING_SECONDS:
                seat.typing = ""
                self._touched.add(seat.conversation_id)

    def _tell(self) -> None:
        touched, self._touched = self._touched, set()
        watchers = [(socket, one) for socket, one in self._watching.items() if one in touched]
        if not watchers:
            return
        present: dict[int, dict[int, str]] = {}
        for seat in self._seats.values():
            if seat.conversation_id in touched:
                here = present.setdefault(seat.conversation_id, {})
                here[seat.agent_id] = seat.typing or here.get(seat.agent_id, "")
        for socket, conversation_id in watchers:
            framed = _frame(conversation_id, present.get(conversation_id, {}), socket.principal.agent_id)
            if socket.pushed.get("viewers") != framed and not socket.slow:
                socket.pushed["viewers"] = framed
                socket.send(framed)


def _frame(conversation_id: int, present: Mapping[int, str], own_id: int) -> bytes:
    viewers = [
        {"agent_id": agent_id, "typing": typing} for agent_id, typing in sorted(present.items()) if agent_id != own_id
    ]
    return frame(orjson.dumps({"type": "viewers", "conversation_id": conversation_id, "viewers": viewers}))


def _may(socket: Socket, place: Mapping[str, Any] | None) -> bool:
    principal = socket.principal
    if place is None or not principal.may(INBOX_READ):
        return False
    return Scope.of(principal).covers(place["team_id"], place["assignee_id"], tuple(place["collaborators"]))


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
