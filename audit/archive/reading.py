"""Which archives there are, and who reads one at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from scrm.channel import Sentence
from scrm.channel_archive import Archives, ArchiveUnready
from scrm.connections import Loaded
from scrm.errors import Conflict, SendError
from scrm.services import Services, Work

LOOK = timedelta(seconds=60)
"""How often an archive is asked without a ring."""
UNREADY = timedelta(minutes=10)
LONGEST_PAUSE = 300.0

KNOW = "insert into archive (connection_id, due_at, created_at) select $1, $2, $2 on conflict do nothing"


def archives_of(loaded: Loaded) -> Archives | None:
    return loaded.adapter if isinstance(loaded.adapter, Archives) else None


async def archive_of(services: Services, connection_id: int) -> tuple[Loaded, Archives]:
    """Raises :class:`NotFound`, :class:`Conflict` for a platform without an archive."""
    loaded = await services.connections.get(connection_id)
    archive = archives_of(loaded)
    if archive is None:
        raise Conflict("This platform has no chat archive.", code="no_archive")
    return loaded, archive


async def know_archives(services: Services) -> None:
    """A row for every connection that has an archive."""
    wanted = [one.id for one in services.connections.all() if archives_of(one) is not None]
    known = {row["connection_id"] for row in await services.db.fetch("select connection_id from archive")}
    for connection_id in wanted:
        if connection_id not in known:
            await services.db.execute(KNOW, connection_id, services.clock.now())


def trouble_of(error: SendError | ArchiveUnready) -> Mapping[str, Any]:
    return _reason(error.code, error.reason)


def _reason(code: str, sentence: Sentence) -> Mapping[str, Any]:
    return {"code": code, "zh": sentence.zh, "en": sentence.en}


async def ring(work: Work, connection_ids: list[int]) -> None:
    """The platform said that something is there."""
    await work.tx.execute(
        "update archive set due_at = $2 where connection_id = any($1::bigint[])", connection_ids, work.now
    )
    work.ring("archive", *connection_ids)
