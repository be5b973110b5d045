"""Files of greetings are brought to the platform long before they are needed, and again before it forgets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from customers.greetings.begin import as_json
from customers.greetings.content import Content, outgoing
from scrm import jobs
from scrm.channel_contacts import GreetsNewContacts
from scrm.connections import Loaded
from scrm.errors import Rejected, SendError
from scrm.jobs import Job
from scrm.services import Services, Work

PREPARE = "prepare_greeting"
PREPARE_ALL = "prepare_greetings"
EVERY = 3600
"""Seconds. Platforms keep uploads for days; what is still there is not uploaded again."""

ONE = """
select w.id, w.version, w.content, w.off, c.connection_id from welcome w left join contact_code c on c.id = w.contact_code_id
where w.id = $1 and w.enabled and c.archived_at is null
"""
WITH_FILES = """
select w.id, w.version from welcome w left join contact_code c on c.id = w.contact_code_id
where w.enabled and c.archived_at is null and (w.content || coalesce(w.off, '{}'))::text like '%sha256%'
"""
DONE = "update welcome set prepared_at = $2, prepare_error = $3 where id = $1 and version = $4"


async def prepare_soon(work: Work, welcome_id: int, version: int) -> None:
    await jobs.put(work, PREPARE, [f"{welcome_id}:{version}"], [{"welcome_id": welcome_id}])


async def prepare_all(services: Services, job: Job) -> None:
    """Once an hour, for all that have files."""
    async with services.work() as work:
        rows = await work.tx.fetch(WITH_FILES)
        keys = [f"{row['id']}:{row['version']}:{job.dedupe_key}" for row in rows]
        await jobs.put(work, PREPARE, keys, [{"welcome_id": row["id"]} for row in rows])


async def prepare(services: Services, job: Job) -> None:
    """On every connection where this greeting may be used. What a platform refuses is shown where the greeting is written."""
    row = await services.db.fetchrow(ONE, job.payload["welcome_id"])
    if row is None:
        return
    contents = [Content.model_validate(said) for said in (row["content"], row["off"]) if said]
    error: dict[str, Any] | None = None
    later: SendError | None = None
    for loaded in _greeting_connections(services.connections.all(), row["connection_id"]):
        try:
            await _bring(services, loaded, contents)
        except Rejected as refused:
            error = as_json(refused.code, refused.reason)
        except SendError as trouble:
            error, later = as_json(trouble.code, trouble.reason), trouble
    prepared_at = None if error else services.clock.now()
    await services.db.execute(DONE, row["id"], prepared_at, error, row["version"])
    if later is not None:
        raise later


async def _bring(services: Services, loaded: Loaded, contents: Sequence[Content]) -> None:
    if not isinstance(loaded.adapter, GreetsNewContacts):
        return
    for content in contents:
        if any(part.file is not None for part in content.parts):
            await loaded.adapter.prepare_greeting(outgoing(content, services.blobs))


def _greeting_connections(connections: Sequence[Loaded], only: int | None) -> list[Loaded]:
    return [
        loaded
        for loaded in connections
        if not loaded.paused and isinstance(loaded.adapter, GreetsNewContacts) and only in (None, loaded.id)
    ]
