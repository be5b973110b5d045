"""Files of received messages: fetched from the platform before it deletes them, kept by their content."""

from __future__ import annotations

from inbox.rows import lock_one, save
from scrm.blobs import sniff
from scrm.channel import FetchesMedia
from scrm.db import Row
from scrm.errors import Rejected, TooLarge
from scrm.jobs import Job
from scrm.services import Services, Work

LARGEST = 200 * 1024 * 1024

FIND = """
select f.*, m.conversation_id, a.connection_id from attachment f
join message m on m.id = f.message_id
join conversation v on v.id = m.conversation_id
join account a on a.id = v.account_id
where f.id = $1
"""


async def fetch_media(services: Services, job: Job) -> None:
    """Job ``fetch_media``. Raises ``RetryLater`` to be tried again."""
    row = await services.db.fetchrow(FIND, job.payload["attachment_id"])
    if row is None or row["state"] != "pending":
        return
    adapter = (await services.connections.get(row["connection_id"])).adapter
    if not isinstance(adapter, FetchesMedia):
        await _finish(
            services,
            row,
            "failed",
            reason={
                "code": "media.unsupported",
                "zh": "该平台不提供文件。",
                "en": "This platform does not give the file.",
            },
        )
        return
    try:
        sha256, size, head = await services.blobs.put(adapter.fetch(row["handle"]), limit=LARGEST)
    except Rejected as error:
        expired = row["expires_at"] is not None and services.clock.now() >= row["expires_at"]
        reason = {"code": error.code, "zh": error.reason.zh, "en": error.reason.en}
        await _finish(services, row, "expired" if expired else "failed", reason=reason)
        return
    except TooLarge as error:
        await _finish(
            services, row, "failed", reason={"code": "media.too_large", "zh": "文件过大。", "en": error.detail}
        )
        return
    async with services.work() as work:
        await keep_media(work, row["id"], sha256, size, head)


async def note_blob(work: Work, sha256: str, size: int, mime: str) -> None:
    await work.tx.execute(
        "insert into blob (sha256, size, mime) values ($1, $2, $3) on conflict (sha256) do nothing", sha256, size, mime
    )


async def finish_media(services: Services, attachment_id: int, state: str, *, reason: dict[str, str]) -> None:
    """A file that will never come. Harmless to repeat."""
    row = await services.db.fetchrow(FIND, attachment_id)
    if row is not None and row["state"] == "pending":
        await _finish(services, row, state, reason=reason)


async def keep_media(work: Work, attachment_id: int, sha256: str, size: int, head: bytes) -> None:
    """The bytes of a file lie in the blob store."""
    row = await work.tx.fetchrow(FIND, attachment_id)
    if row is None or row["state"] != "pending":
        return
    mime = sniff(head, row["name"], row["mime"])
    await note_blob(work, sha256, size, mime)
    await _write(work, row, "stored", sha256=sha256, size=size, mime=mime)


async def _finish(services: Services, row: Row, state: str, *, reason: dict[str, str]) -> None:
    async with services.work() as work:
        await _write(work, row, state, reason=reason)


async def _write(
    work: Work,
    row: Row,
    state: str,
    *,
    sha256: str | None = None,
    size: int | None = None,
    mime: str | None = None,
    reason: dict[str, str] | None = None,
) -> None:
    """The message changed as well: whoever looks at the conversation sees the file appear."""
    conversation = await lock_one(work, row["conversation_id"])
    if conversation is None:
        return
    await work.tx.execute(
        "update attachment set state = $2, sha256 = $3, size = coalesce($4, size), mime = coalesce($5, mime), reason = $6 "
        "where id = $1",
        row["id"],
        state,
        sha256,
        size,
        mime,
        reason,
    )
    await work.tx.execute(
        "update message set version = $2 where id = $1", row["message_id"], conversation.next_version()
    )
    await save(work, [conversation])
