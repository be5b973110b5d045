"""Archives for those who look after the connections. Nothing here tells what was said."""

from __future__ import annotations

from audit.archive.keys import add_key
from audit.archive.reading import archive_of, archives_of, ring
from audit.archive.shapes import (
    ArchiveList,
    ArchiveRecordPage,
    ArchiveRecordView,
    ArchiveView,
    NewArchiveKey,
    RecordsQuery,
    RetriedView,
)
from audit.archive.status import archives
from scrm import trail
from scrm.errors import Unprocessable
from scrm.http import Request, Route
from scrm.permissions import CONNECTIONS_MANAGE, CONNECTIONS_READ
from scrm.views import MAX_ID

RECORD = "id, seq, message_id, state, reason, detail, key_version, kind, known, pulled_at, said_at, conversation_id"
NEWEST = f"select {RECORD} from archive_record where connection_id = $1 and seq < $2 order by seq desc limit $3"  # noqa: S608
WAITING = f"""
select {RECORD} from archive_record where connection_id = $1 and state = $4 and state <> 'done' and seq < $2 order by seq desc limit $3
"""  # noqa: S608
AGAIN = """
update archive_record set state = 'sealed', attempts = 0, retry_at = null where id in (
  select id from archive_record where connection_id = $1 and state <> 'done' order by id limit 10000 for update skip locked)
"""


async def list_archives(request: Request) -> ArchiveList:
    connections = request.services.connections
    found = [(one, archive) for one in connections.all() if (archive := archives_of(one)) is not None]
    async with request.services.db.transaction() as tx:
        return ArchiveList(archives=await archives(tx, found, request.services.clock.now()))


async def put_key(request: Request, connection_id: int, body: NewArchiveKey) -> ArchiveView:
    """Adds the private key of a version, or another one in place of one with which nothing was opened. What waits for it is opened."""
    loaded, archive = await archive_of(request.services, connection_id)
    async with request.services.work() as work:
        await add_key(request.services, work, request.principal, connection_id, body.version, body.private_key)
        return (await archives(work.tx, [(loaded, archive)], work.now))[0]


async def pull_now(request: Request, connection_id: int) -> None:
    """Asks the platform at once."""
    await archive_of(request.services, connection_id)
    async with request.services.work() as work:
        await ring(work, [connection_id])


async def open_again(request: Request, connection_id: int) -> RetriedView:
    """Tries once more what could not be opened, ten thousand records at a time."""
    await archive_of(request.services, connection_id)
    async with request.services.work() as work:
        count = int((await work.tx.execute(AGAIN, connection_id)).split()[-1])
        await trail.record(
            work, "archive.retried", agent_id=request.principal.agent_id, object_kind="connection", object_id=connection_id,
            address=request.address, detail={"count": count},
        )  # fmt: skip
        work.ring("archived", connection_id)
    return RetriedView(count=count)


async def list_records(request: Request, connection_id: int, query: RecordsQuery) -> ArchiveRecordPage:
    """Newest first; ``state`` done gives all."""
    await archive_of(request.services, connection_id)
    before = int(query.cursor) if query.cursor is not None else MAX_ID
    if before > MAX_ID:
        raise Unprocessable("This cursor cannot be used.", fields={"cursor": "Use the next_cursor of an earlier page."})
    db = request.services.db
    rows = (
        await db.fetch(WAITING, connection_id, before, query.limit + 1, query.state)
        if query.state in ("sealed", "failed")
        else await db.fetch(NEWEST, connection_id, before, query.limit + 1)
    )
    page = rows[: query.limit]
    cursor = str(page[-1]["seq"]) if len(rows) > query.limit else None
    return ArchiveRecordPage(records=[ArchiveRecordView(**row) for row in page], next_cursor=cursor)


def api_routes() -> list[Route]:
    of = "/api/archives/{connection_id}"
    return [
        Route("GET", "/api/archives", list_archives, CONNECTIONS_READ, "How reading the chat archives stands"),
        Route("POST", f"{of}/keys", put_key, CONNECTIONS_MANAGE, "Add a private key", errors=(409,)),
        Route("POST", f"{of}/pull", pull_now, CONNECTIONS_MANAGE, "Read an archive now", errors=(409,)),
        Route("POST", f"{of}/open", open_again, CONNECTIONS_MANAGE, "Try again to open what is sealed", errors=(409,)),
        Route("GET", f"{of}/records", list_records, CONNECTIONS_READ, "Records, without their words", errors=(409,)),
    ]
