"""The sample company's library: quick replies, folders and materials, macros with their labels. Put in once, found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from inbox.library.places import Place
from inbox.library.quick_replies import KeptPart, QuickReplyInput, insert_replies
from inbox.media import note_blob
from inbox.parts import StoredFile, StoredPart
from scrm.auth import principal_of
from scrm.channel import Kind
from scrm.permissions import Principal
from scrm.picture_size import picture_size
from scrm.services import Services, Work
from scrm.sessions import WHO
from scrm.spelling import words_of
from simulator.company import library
from simulator.company.drawing import pdf, picture

PERSON = f"select {WHO} from agent a join role r on r.key = a.role where a.login = $1"  # noqa: S608 - made of constants
USED = """
update quick_reply q set uses = w.uses, last_used_at = $3 from unnest($1::bigint[], $2::int[]) w (id, uses) where q.id = w.id
"""
LABEL = """
insert into label (name, color, position, created_at)
values ($1, $2, (select coalesce(max(position), -1) + 1 from label), $3) on conflict do nothing
"""
MATERIAL = """
insert into material (reach, folder_id, kind, title, content, sha256, name, mime, size, width, height, search, uses, created_by,
  created_at, updated_at)
values ('company', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
"""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the statements share."""

    work: Work
    manager: Principal
    files: dict[str, StoredFile]
    now: datetime


async def stock(services: Services) -> None:
    """Does nothing where somebody has put something in already."""
    if await services.db.fetchval("select exists (select from quick_reply)"):
        return
    bytes_of = {name: _bytes(name) for name in _names()}
    files = {name: await _file(services, name, data) for name, data in bytes_of.items()}
    async with services.work() as work:
        for file in files.values():
            await note_blob(work, file.sha256, file.size, file.mime)
        shelf = _Shelf(work, await _person(work, "manager"), files, work.now)
        replies = await _replies(shelf)
        await _materials(shelf)
        await _macros(shelf, replies)


async def _replies(shelf: _Shelf) -> dict[str, int]:
    """Their ids by title."""
    work, made = shelf.work, {}
    teams = {row["name"]: row["id"] for row in await work.tx.fetch("select id, name from team")}
    for owner in dict.fromkeys(one.owner for one in library.REPLIES):
        mine = [one for one in library.REPLIES if one.owner == owner]
        principal = await _person(work, owner) if owner else shelf.manager
        rows = [(_input(one, teams), [_stored(shelf, piece) for piece in one.pieces]) for one in mine]
        ids = await insert_replies(work, principal, rows)
        made.update(dict(zip((one.title for one in mine), ids, strict=True)))
        await work.tx.execute(USED, ids, [one.uses for one in mine], shelf.now - timedelta(hours=3))
    return made


def _input(reply: library.Reply, teams: dict[str, int]) -> QuickReplyInput:
    place = Place(reach="personal") if reply.owner else Place(reach="company")
    if reply.team:
        place = Place(reach="team", team_id=teams[reply.team])
    parts = [KeptPart(kind=Kind(piece.kind), text=piece.text) for piece in reply.pieces]
    return QuickReplyInput(place=place, folder=reply.folder, title=reply.title, shortcut=reply.shortcut, parts=parts)


def _stored(shelf: _Shelf, piece: library.Piece) -> StoredPart:
    return StoredPart(Kind(piece.kind), piece.text, dict(piece.content), shelf.files.get(piece.file))


async def _materials(shelf: _Shelf) -> None:
    folders: dict[str, int] = {}
    for one in library.MATERIALS:
        folder_id = await _folder(shelf, one.folder, folders)
        file = shelf.files.get(one.file)
        assert file is not None
        search = words_of(one.title, file.name)
        await shelf.work.tx.execute(
            MATERIAL, folder_id, one.kind, one.title, dict(one.content), file.sha256, file.name, file.mime, file.size,
            file.width, file.height, search, one.uses, shelf.manager.agent_id, shelf.now,
        )  # fmt: skip


async def _folder(shelf: _Shelf, path: str, known: dict[str, int]) -> int:
    if path not in known:
        above, _, name = path.rpartition("/")
        parent = await _folder(shelf, above, known) if above else None
        known[path] = await shelf.work.tx.fetchval(
            "insert into material_folder (reach, parent_id, name, created_at) values ('company', $1, $2, $3) returning id",
            parent, name, shelf.now,
        )  # fmt: skip
    return known[path]


async def _macros(shelf: _Shelf, replies: dict[str, int]) -> None:
    work = shelf.work
    for macro in library.MACROS:
        actions = [await _action(work, act, replies) for act in macro.acts]
        await work.tx.execute(
            "insert into macro (reach, name, actions, created_by, created_at, updated_at) "
            "values ('company', $1, $2::text::jsonb, $3, $4, $4)",
            macro.name, orjson.dumps(actions).decode(), shelf.manager.agent_id, shelf.now,
        )  # fmt: skip


async def _action(work: Work, act: str, replies: dict[str, int]) -> dict[str, object]:
    kind, _, what = act.partition(":")
    if kind == "reply":
        return {"kind": kind, "quick_reply_id": replies[what]}
    if kind == "label":
        await work.tx.execute(LABEL, what, "orange", work.now)
        label = await work.tx.fetchval("select id from label where name = $1", what)
        return {"kind": kind, "label_ids": [label]}
    if kind == "snooze":
        return {"kind": kind, "hours": int(what)}
    return {"kind": kind, "text": what} if kind == "note" else {"kind": kind}


async def _person(work: Work, login: str) -> Principal:
    row = await work.tx.fetchrow(PERSON, login)
    assert row is not None
    return principal_of(row)


def _names() -> set[str]:
    drawn = {piece.file for reply in library.REPLIES for piece in reply.pieces if piece.file}
    return drawn | {one.file for one in library.MATERIALS if one.file}


def _bytes(name: str) -> bytes:
    return pdf("Qinghe Home") + name.encode() if name.endswith(".pdf") else picture(name)


async def _file(services: Services, name: str, data: bytes) -> StoredFile:
    sha256 = await services.blobs.put_bytes(data)
    width, height = picture_size(data)
    is_pdf = name.endswith(".pdf")
    mime = "application/pdf" if is_pdf else "image/png"
    return StoredFile(sha256, name if is_pdf else f"{name}.png", mime, len(data), width, height)
