"""Several processes of the service as seen by the database: each has its own pool, bus, clock and names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from scrm.app import providers
from scrm.blobs import Blobs
from scrm.bus import MemoryBus
from scrm.cache import MemoryCache
from scrm.clock import Clock, SystemClock
from scrm.config import Settings
from scrm.connections import Connections
from scrm.db import Database
from scrm.services import Services
from scrm.vault import Vault


@asynccontextmanager
async def machine(settings: Settings, folder: Path, clock: Clock | None = None) -> AsyncIterator[Services]:
    """Nothing runs in it by itself: the test says who does what, and when."""
    url = settings.database.url
    assert url is not None
    clock = clock or SystemClock()
    db = await Database.open(url.get_secret_value(), size=6)
    vault, bus = Vault.open(settings), MemoryBus()
    connections = Connections(providers(), db=db, vault=vault, bus=bus, clock=clock, cache=MemoryCache())
    await connections.start()
    try:
        yield Services(settings, db, bus, Blobs.in_folder(folder / "blobs"), clock, vault, connections)
    finally:
        await connections.close()
        await db.close()


async def until(check: Callable[[], Any], seconds: float = 15.0) -> None:
    """Waits for something in this process to become true."""
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.005)
