"""The sample company's chat archive: employees' own chats, read through the stand-in for the vendor's library. Once, near the end."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from audit.archive.keys import add_key
from audit.archive.reading import archives_of, know_archives
from scrm.auth import principal_of
from scrm.config import Settings
from scrm.demo_campaigns import PERSON
from scrm.services import Services
from simulator.company import archive as chats
from simulator.company.stage import Stage
from simulator.wecom.finance.build import NoCompiler, library

LONGEST_SECONDS = 60.0
READ = """
select caught_up_at is not null and exists (select from archive_record where connection_id = $1)
  and not exists (select from archive_record where connection_id = $1 and state = 'sealed') from archive where connection_id = $1
"""


def with_library(settings: Settings, folder: Path) -> Settings:
    """With the stand-in, where it can be compiled; without it the archive says that the library is missing."""
    if settings.archive.library:
        return settings
    try:
        path = str(library(folder))
    except (NoCompiler, OSError):
        return settings
    return settings.model_copy(update={"archive": settings.archive.model_copy(update={"library": path})})


async def record(services: Services, stage: Stage) -> None:
    """Does nothing where chats were recorded already, or nothing can open them."""
    if not services.settings.archive.library or await services.db.fetchval("select exists (select from archive_key)"):
        return
    connection = next((one for one in services.connections.all() if archives_of(one) is not None), None)
    person = await services.db.fetchrow(PERSON, "admin")
    if connection is None or person is None:
        return
    private = chats.record(stage.wecom, services.clock.now().timestamp())
    async with services.work() as work:
        await add_key(services, work, principal_of(person), connection.id, 1, private)
    # Bills were perhaps asked for before there were any.
    await services.db.execute(
        "update payment_bills set due_at = $1, read_until = null, trouble = null, trouble_since = null, failures = 0",
        services.clock.now(),
    )
    await know_archives(services)
    await services.db.execute("update archive set due_at = $1", services.clock.now())
    await services.bus.ring("archive", [connection.id])
    await services.db.execute("update archive_people set due_at = $1, read_at = null", services.clock.now())
    await services.bus.ring("consent", [connection.id])
    await _read(services, connection.id)


async def _read(services: Services, connection_id: int) -> None:
    """Until everything that was recorded stands in its conversation: who looks at the company finds it whole. Not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SECONDS):
            while not await services.db.fetchval(READ, connection_id):  # noqa: ASYNC110 - the database tells, nobody rings
                await asyncio.sleep(0.1)
