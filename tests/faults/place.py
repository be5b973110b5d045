"""Where webhooks come in and nothing else happens but what a test does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from inbox.receive import receive
from inbox.shortest import Shortest
from scrm.at_once import AtOnce
from scrm.channel import Verified
from scrm.db import Database
from scrm.inbound import Intake
from scrm.normalise import Handler, Normaliser
from scrm.services import Services
from tests.company import Company
from tests.faults.posting import douyin_body

STATES = "select dedupe_key, state, attempts, handled_at is not null as handled from inbound_event order by id"
SAID = "select text from message order by id"


@dataclass
class Place:
    """An intake with a normaliser that works only when it is told to."""

    services: Services
    connection_id: int
    intake: Intake
    normaliser: Normaliser
    rung: list[int]
    planned_once: Database
    """The connection of the shortest way."""
    shortest: Shortest | None

    async def store(self, *keys: str, body: bytes | None = None) -> None:
        async with asyncio.timeout(20):
            await asyncio.gather(
                *(self.intake.store(self.connection_id, Verified(body or douyin_body(), key)) for key in keys)
            )

    async def states(self) -> list[tuple[str, str, int, bool]]:
        return [tuple(row) for row in await self.services.db.fetch(STATES)]

    async def said(self) -> list[str]:
        return [row["text"] for row in await self.services.db.fetch(SAID)]


@asynccontextmanager
async def place_of(
    idle: Company, handlers: Sequence[Handler] = (receive,), *, others: Sequence[Handler] | None = ()
) -> AsyncIterator[Place]:
    """``others``: the handlers that the shortest way asks; None: there is no such way."""
    services = idle.services
    await services.db.execute("delete from inbound_event")  # of setting up the company
    normaliser = Normaliser(services, handlers)
    planned_once = await Database.open(services.db.url, size=1, planned_once=True)
    shortest = None if others is None else Shortest(services, planned_once, others)
    intake = Intake(services.db, services.bus, at_once=AtOnce(services, normaliser, shortest))
    rung: list[int] = []
    stop_listening = services.bus.listen("inbound", rung.extend)
    intake.start()
    try:
        yield Place(services, idle.douyin_id, intake, normaliser, rung, planned_once, shortest)
    finally:
        await intake.stop()
        await planned_once.close()
        stop_listening()


def body(n: int, text: str, who: str = "周航", kind: str = "text", **content: Any) -> bytes:
    said = {
        "conversation_short_id": f"@conversation-{who}", "server_message_id": f"@said-{who}-{n}", "conversation_type": 1,
        "create_time": 1_763_700_000_000 + n, "message_type": kind, "text": text, "source": "", "user_infos": [], **content,
    }  # fmt: skip
    return douyin_body(content=said, from_user_id=who)
