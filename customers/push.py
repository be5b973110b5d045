"""Tells browsers that something about a customer in their sight changed. Only which one: what changed they ask for, as anybody must.

A browser says which customers it shows; a ring for one of them is told to those who may see it now. A ring that is lost is made up for
when the browser connects again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from customers.scope import SEEN, CustomerScope
from scrm.db import LOST
from scrm.live import Hub, Socket, count_pushes, frame
from scrm.permissions import CUSTOMERS_READ
from scrm.services import Services
from scrm.tasks import end
from scrm.views import MAX_ID

log = logging.getLogger(__name__)

MOST_WATCHED = 200
APART_SECONDS = 0.15
"""Rings gather this long: a bulk act rings for many, and a page reads anew at each."""
SEES = f"select u.id from customer u where u.id = any($4::bigint[]) and {SEEN}"  # noqa: S608 - made of constants


class CustomerPusher:
    """Runs as long as the server does."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._watched: dict[Socket, frozenset[int]] = {}
        self._rung: set[int] = set()
        self._everything = False
        self._wake = asyncio.Event()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        unlisten = self._services.bus.listen("customer", self._rang)
        self._hub.on_said["customers"] = self._watches
        self._hub.on_closed.append(self._closed)
        task = asyncio.create_task(self._run(), name="customer-push")
        yield
        unlisten()
        await end([task])

    def _watches(self, socket: Socket, said: Mapping[str, Any]) -> None:
        ids = said.get("ids")
        if not isinstance(ids, list):
            return
        known = [one for one in ids[:MOST_WATCHED] if type(one) is int and 0 < one <= MAX_ID]
        self._watched[socket] = frozenset(known)

    def _closed(self, socket: Socket) -> None:
        self._watched.pop(socket, None)

    def _rang(self, ids: Sequence[int]) -> None:
        self._everything |= not ids
        self._rung.update(ids)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            rung, everything = self._rung, self._everything
            self._rung, self._everything = set(), False
            try:
                await self._tell(None if everything else rung)
            except LOST as error:
                log.warning("the database is away, news of customers wait: %s", type(error).__name__)
                await asyncio.sleep(1)
                self._rung |= rung
                self._everything |= everything
                self._wake.set()
            except Exception:
                log.exception("news of customers could not be told")
            await asyncio.sleep(APART_SECONDS)

    async def _tell(self, rung: set[int] | None) -> None:
        """None: for all that are watched. Sockets with one scope are asked about together."""
        groups: dict[CustomerScope, dict[Socket, frozenset[int]]] = defaultdict(dict)
        for socket, watched in self._watched.items():
            wanted = watched if rung is None else watched & rung
            if wanted and socket.principal.may(CUSTOMERS_READ):
                groups[CustomerScope.of(socket.principal)][socket] = frozenset(wanted)
        for scope, sockets in groups.items():
            ids = sorted(frozenset[int]().union(*sockets.values()))
            seen = {row["id"] for row in await self._services.db.fetch(SEES, *scope.arguments, ids)}
            framed = {one: frame(orjson.dumps({"type": "customer", "customer_id": one})) for one in seen}
            for socket, wanted in sockets.items():
                if told := sorted(wanted & seen):
                    socket.send(b"".join(framed[one] for one in told))
                    count_pushes(len(told))
