"""Files: a rep uploads one to send it, and everybody who sees a message gets its files, bytes that strangers chose.

Nothing of a stranger is ever run on our origin: types that a browser could run are handed out as plain bytes to save, the rest
under a policy that allows nothing; and what a type claims is never guessed at by the browser.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader
from aiohttp.http_exceptions import HttpProcessingError

from inbox.queries import SEEN
from inbox.shapes import ATTACHMENT, attachment_view
from inbox.views import AttachmentView
from scrm.blobs import sniff
from scrm.db import Row, Tx
from scrm.errors import BadRequest, NotFound, TooLarge, Unprocessable
from scrm.handing_out import hand_out, safe_name
from scrm.http import Raw, Reply, Request
from scrm.permissions import INBOX_RECALLED, Principal, Scope
from scrm.picture_size import ENOUGH, picture_size
from scrm.reading import UnsupportedType
from scrm.views import Input

log = logging.getLogger(__name__)

MOST_FIELDS = 5
ROOM_FOR_HEADERS = 64 << 10
INSERT_BLOB = "insert into blob (sha256, size, mime, stored_at) values ($1, $2, $3, $4) on conflict (sha256) do nothing"
INSERT = """
insert into attachment (kind, state, sha256, name, mime, size, uploaded_by, created_at, width, height)
values ($1, 'stored', $2, $3, $4, $5, $6, $7, $8, $9) returning id
"""
ONE = f"select {ATTACHMENT} from attachment t where t.id = $1"  # noqa: S608
FIND = f"""
select t.sha256, t.name, t.mime, coalesce(b.size, t.size) as size, m.recalled_at
from attachment t left join blob b on b.sha256 = t.sha256 left join message m on m.id = t.message_id
left join conversation c on c.id = m.conversation_id left join account a on a.id = c.account_id
where t.id = $1 and t.state = 'stored' and t.sha256 is not null
  and ((t.message_id is null and t.uploaded_by = $3) or (t.message_id is not null and {SEEN}))
"""  # noqa: S608


class DownloadQuery(Input):
    download: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A file that lies in the blob store and is known there."""

    sha256: str
    size: int
    name: str
    mime: str
    width: int
    height: int


async def upload(request: Request) -> Reply[AttachmentView]:
    """Streams the field ``file`` into the blob store and keeps it for a message that will be sent."""
    file = await receive_file(request)
    async with request.services.work() as work:
        kept = await work.tx.fetchval(
            INSERT, kind_of(file.mime), file.sha256, file.name, file.mime, file.size, request.principal.agent_id, work.now,
            file.width, file.height,
        )  # fmt: skip
        row = await work.tx.fetchrow(ONE, kept)
    if row is None:
        raise NotFound("The upload is gone.")
    return Reply(attachment_view(row), status=201)


async def receive_file(request: Request) -> Received:
    """Streams the field ``file`` into the blob store."""
    services, limit = request.services, request.services.settings.server.max_upload_bytes
    if not request.raw.content_type.startswith("multipart/form-data"):
        raise UnsupportedType("Send multipart/form-data with the field file.")
    if (request.raw.content_length or 0) > limit + ROOM_FOR_HEADERS:
        raise TooLarge(f"The file is larger than {limit // 1024 // 1024} MB.")
    try:
        form = await request.raw.multipart()
        part = await _file_part(form)
        sha256, size, head = await services.blobs.put(_chunks(part), limit=limit)
        # Finds out whether the form was whole: half a file must not look like a file.
        await form.next()
    except (ValueError, AssertionError, RuntimeError, EOFError, HttpProcessingError) as error:
        raise BadRequest("The body is not valid multipart/form-data.", code="bad_multipart") from error
    if size == 0:
        raise Unprocessable("The file is empty.", fields={"file": "It has no content."})
    name = safe_name(_said(part, "filename"))
    mime = sniff(head, name, part.headers.get("Content-Type", ""))
    width, height = 0, 0
    if mime.startswith("image/"):
        width, height = picture_size(await services.blobs.read_range(sha256, 0, min(size, ENOUGH)))
    async with services.work() as work:
        await work.tx.execute(INSERT_BLOB, sha256, size, mime, work.now)
    return Received(sha256, size, name, mime, width, height)


async def read_file(request: Request, *, limit: int) -> tuple[str, bytes]:
    """Name and bytes of the field ``file``, for what is read at once and not kept. Raises as :func:`upload`."""
    if not request.raw.content_type.startswith("multipart/form-data"):
        raise UnsupportedType("Send multipart/form-data with the field file.")
    data = bytearray()
    try:
        form = await request.raw.multipart()
        part = await _file_part(form)
        async for chunk in _chunks(part):
            data += chunk
            if len(data) > limit:
                raise TooLarge(f"The file is larger than {limit // 1024 // 1024} MB.")
        await form.next()
    except (ValueError, AssertionError, RuntimeError, EOFError, HttpProcessingError) as error:
        raise BadRequest("The body is not valid multipart/form-data.", code="bad_multipart") from error
    return safe_name(_said(part, "filename")), bytes(data)


async def content(request: Request, attachment_id: int, query: DownloadQuery) -> Raw:
    """The bytes of a file, or a range of them."""
    async with request.services.db.pool.acquire() as tx:
        found = await _find(tx, request.principal, attachment_id)
    return await hand_out(request, found, download=query.download)


def kind_of(mime: str) -> str:
    family = mime.partition("/")[0]
    return {"image": "image", "video": "video", "audio": "voice"}.get(family, "file")


async def _file_part(reader: MultipartReader) -> BodyPartReader:
    for _ in range(MOST_FIELDS):
        part = await reader.next()
        if part is None:
            break
        if isinstance(part, BodyPartReader) and _said(part, "name") == "file":
            return part
    raise Unprocessable("The form has no file.", fields={"file": "This is needed."})


def _said(part: BodyPartReader, name: str) -> str:
    """A parameter of Content-Disposition as browsers write it: quoted, with any other character inside. (The library's own
    reading gives up on names with several semicolons.)"""
    header = part.headers.get("Content-Disposition", "")
    found = re.search(rf';\s*{name}="((?:[^"\\]|\\.)*)"', header)
    if found is not None:
        return re.sub(r'\\(["\\])', r"\1", found[1])
    return (part.name if name == "name" else part.filename) or ""


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(64 << 10):
        yield bytes(chunk)


async def _find(tx: Tx, principal: Principal, attachment_id: int) -> Row:
    scope = Scope.of(principal)
    row = await tx.fetchrow(FIND, attachment_id, scope.everything, scope.agent_id, scope.teams)
    if row is None or (row["recalled_at"] is not None and not principal.may(INBOX_RECALLED)):
        raise NotFound("There is no such file, or it is not here yet.")
    return row
