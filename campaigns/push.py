"""Tells browsers that a campaign in their sight moved. Only which one: how far it is they ask for, which costs the same at any size.

A browser says which campaigns it shows. A campaign on its way rings for each chunk: rings gather, and a lost one is made up for by the
page, which looks by itself now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from scrm.live import Hub, Socket, count_pushes, frame
from scrm.permissions import CAMPAIGNS_READ
from scrm.services import Services
from scrm.tasks import end
from scrm.views import MAX_ID

MOST_WATCHED = 100
APART_SECONDS = 0.7


class CampaignPusher:
    """Runs as long as the server does."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._watched: dict[Socket, frozenset[int]] = {}
        self._rung: set[int] = set()
        self._everything = False
        self._wake = asyncio.Event()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        unlisten = self._services.bus.listen("campaign", self._rang)
        self._hub.on_said["campaigns"] = self._watches
        self._hub.on_closed.append(self._closed)
        task = asyncio.create_task(self._run(), name="campaign-push")
        yield
        unlisten()
        await end([task])

    def _watches(self, socket: Socket, said: Mapping[str, Any]) -> None:
        ids = said.get("ids")
        if isinstance(ids, list):
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
            self._tell(None if everything else rung)
            await asyncio.sleep(APART_SECONDS)

    def _tell(self, rung: set[int] | None) -> None:
        """None: of all that are watched."""
        for socket, watched in list(self._watched.items()):
            told = sorted(watched if rung is None else watched & rung)
            if told and socket.principal.may(CAMPAIGNS_READ):
                socket.send(b"".join(frame(orjson.dumps({"type": "campaign", "campaign_id": one})) for one in told))
                count_pushes(len(told))
