"""Materials: pictures, videos, files and cards that are sent again and again, in folders."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from inbox.library.places import VISIBLE, LibraryReach, Place, check_place, check_row, eyes, manages
from inbox.library.quick_replies import check_card
from inbox.parts import CARD_KINDS, MEDIA_KINDS, FileView, Piece, StoredPart, resolve
from scrm.channel import Kind
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.spelling import patterns, words_of
from scrm.trail import record
from scrm.undo import Step, Undone, remember
from scrm.views import Id, Input, Line, View

DELETED = "library.material"
MaterialKind = Literal["image", "voice", "video", "file", "link", "miniprogram"]
MOST_AT_ONCE = 200

COLUMNS = """
x.id, x.reach, x.owner_id, x.team_id, x.folder_id, x.kind, x.title, x.content, x.sha256, x.name, x.mime, x.size, x.width,
x.height, x.uses, x.last_used_at, x.created_by, x.updated_at
"""
LIST = f"""
select {COLUMNS}, count(*) over () as total from material x
where x.deleted_at is null and {VISIBLE} and x.search like all ($4::text[])
  and ($5::text is null or x.reach = $5) and ($6::bigint is null or x.team_id = $6)
  and ($7::text[] is null or x.kind = any($7))
  and (not $8 or x.folder_id is not distinct from $9)
order by x.uses desc, x.id desc limit $10 offset $11
"""  # noqa: S608
ONE = f"select {COLUMNS} from material x where x.id = $4 and x.deleted_at is null and {VISIBLE}"  # noqa: S608
LOCK = f"""
select {COLUMNS} from material x where x.id = any($4::bigint[]) and x.deleted_at is null and {VISIBLE} order by x.id for update
"""  # noqa: S608
INSERT = """
insert into material (reach, owner_id, team_id, folder_id, kind, title, content, sha256, name, mime, size, width, height,
  search, created_by, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
on conflict (reach, coalesce(owner_id, 0), coalesce(team_id, 0), sha256)
  where deleted_at is null and kind in ('image', 'voice', 'video', 'file') do nothing returning id
"""
SAME = """
select id from material where reach = $1 and owner_id is not distinct from $2 and team_id is not distinct from $3
  and sha256 = $4 and deleted_at is null and kind in ('image', 'voice', 'video', 'file')
"""
FOLDER_FITS = """
select true from material_folder where id = $1 and deleted_at is null and reach = $2
  and owner_id is not distinct from $3 and team_id is not distinct from $4
"""
RESTORE = """
update material m set deleted_at = null,
  folder_id = (select f.id from material_folder f where f.id = m.folder_id and f.deleted_at is null)
where m.id = any($1::bigint[]) and m.deleted_at is not null and not exists (
  select from material o where o.deleted_at is null and o.reach = m.reach and o.owner_id is not distinct from m.owner_id
    and o.team_id is not distinct from m.team_id and o.sha256 = m.sha256 and o.kind = m.kind and m.kind not in ('link', 'miniprogram'))
"""


class NewMaterial(Input):
    """``source`` brings the file: an upload (or for a card its cover)."""

    place: Place
    folder_id: Id | None = None
    kind: MaterialKind
    title: Line
    content: dict[str, Any] = Field(default_factory=dict)
    attachment_id: Id | None = None


class MaterialInput(Input):
    """What is given is changed; of ``content`` and the cover, those of cards only."""

    title: Line | None = None
    content: dict[str, Any] | None = None
    attachment_id: Id | None = None


class MaterialsInput(Input):
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class MoveInput(MaterialsInput):
    """To a folder of the same place; null: to its top."""

    folder_id: Id | None


class MaterialView(View):
    id: int
    reach: LibraryReach
    team_id: int | None
    folder_id: int | None
    kind: MaterialKind
    title: str
    content: dict[str, Any]
    file: FileView | None
    uses: int
    last_used_at: datetime | None
    created_by: int | None
    may_change: bool


class MaterialList(View):
    materials: list[MaterialView]
    total: int


class AddedMaterial(View):
    """``known``: the same file lay there already; that one is returned."""

    material: MaterialView
    known: bool


class FindMaterials(Input):
    """``top`` with ``folder_id`` null: what lies in no folder. Otherwise everywhere."""

    q: Annotated[str, Field(max_length=60)] = ""
    reach: LibraryReach | None = None
    team_id: Id | None = None
    folder_id: Id | None = None
    top: bool = False
    kind: Annotated[str, Field(max_length=80)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 60
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0


def material_view(row: Row, principal: Principal) -> MaterialView:
    file = None
    if row["sha256"] is not None:
        seen = {key: row[key] for key in ("name", "mime", "size", "width", "height")}
        file = FileView(**seen, url=f"/api/materials/{row['id']}/content")
    same = ("id", "reach", "team_id", "folder_id", "kind", "title", "content", "uses", "last_used_at", "created_by")
    return MaterialView(
        **{name: row[name] for name in same},
        file=file,
        may_change=manages(principal, row["reach"], row["team_id"], row["owner_id"]),
    )


async def list_materials(tx: Tx, principal: Principal, query: FindMaterials) -> MaterialList:
    kinds = [one for one in query.kind.split(",") if one] or None
    rows = await tx.fetch(
        LIST,
        *eyes(principal),
        [f"%{word}%" for word in patterns(query.q)],
        query.reach,
        query.team_id,
        kinds,
        query.folder_id is not None or query.top,
        query.folder_id,
        query.limit,
        query.offset,
    )
    return MaterialList(
        materials=[material_view(row, principal) for row in rows], total=rows[0]["total"] if rows else query.offset
    )


async def find_material(tx: Tx, principal: Principal, material_id: int) -> Row:
    """Raises :class:`NotFound`, also for what the asker may not see."""
    row = await tx.fetchrow(ONE, *eyes(principal), material_id)
    if row is None:
        raise NotFound("There is no such material.")
    return row


async def add_material(work: Work, principal: Principal, new: NewMaterial) -> tuple[int, bool]:
    """Returns its id, and whether it is new. Raises :class:`Forbidden`, :class:`Unprocessable`."""
    await check_place(work.tx, principal, new.place)
    await _check_folder(work, principal, new.place, new.folder_id)
    part = Piece(kind=Kind(new.kind), content=new.content, attachment_id=new.attachment_id)
    stored = await resolve(work, principal, part)
    _check(stored)
    columns = new.place.columns(principal)
    file = stored.file
    made = await work.tx.fetchval(
        INSERT, *columns, new.folder_id, new.kind, new.title, stored.content if stored.kind in CARD_KINDS else {},
        file.sha256 if file else None, file.name if file else "", file.mime if file else "", file.size if file else 0,
        file.width if file else 0, file.height if file else 0, _words(new.title, stored), principal.agent_id, work.now,
    )  # fmt: skip
    if made is None and file is not None:
        return int(await work.tx.fetchval(SAME, *columns, file.sha256)), False
    await record(work, "material.added", agent_id=principal.agent_id, object_kind="material", object_id=made)
    return int(made), True


async def change_material(work: Work, principal: Principal, material_id: int, change: MaterialInput) -> None:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    (row,) = await _locked(work, principal, [material_id])
    kind, title = Kind(row["kind"]), change.title or row["title"]
    content, file = row["content"], None
    if kind in CARD_KINDS:
        content = change.content if change.content is not None else content
        part = Piece(kind=kind, content=content, attachment_id=change.attachment_id)
        stored = await resolve(work, principal, part)
        _check(stored)
        content, file = stored.content, stored.file
    if file is not None:
        await work.tx.execute(
            "update material set sha256 = $2, name = $3, mime = $4, size = $5, width = $6, height = $7 where id = $1",
            material_id, file.sha256, file.name, file.mime, file.size, file.width, file.height,
        )  # fmt: skip
    search = words_of(title, row["name"], str(content.get("title", "")))
    await work.tx.execute(
        "update material set title = $2, content = $3, search = $4, updated_at = $5 where id = $1",
        material_id, title, content, search, work.now,
    )  # fmt: skip


async def move_materials(work: Work, principal: Principal, move: MoveInput) -> Step:
    """Raises :class:`NotFound`, :class:`Forbidden`, :class:`Unprocessable`."""
    rows = await _locked(work, principal, move.ids)
    for place in {(row["reach"], row["team_id"]) for row in rows}:
        await _check_folder(work, principal, Place(reach=place[0], team_id=place[1]), move.folder_id)
    await work.tx.execute(
        "update material set folder_id = $2, updated_at = $3 where id = any($1::bigint[])",
        move.ids, move.folder_id, work.now,
    )  # fmt: skip
    moved = [[row["id"], row["folder_id"]] for row in rows]
    return await remember(work, principal, "library.moved", {"moved": moved, "to": move.folder_id}, count=len(rows))


async def delete_materials(work: Work, principal: Principal, ids: list[int]) -> Step:
    """They stay for the one who undoes. Raises :class:`NotFound`, :class:`Forbidden`."""
    rows = await _locked(work, principal, ids)
    await work.tx.execute("update material set deleted_at = $2 where id = any($1::bigint[])", ids, work.now)
    await record(work, "material.deleted", agent_id=principal.agent_id, detail={"ids": [row["id"] for row in rows]})
    return await remember(work, principal, DELETED, {"ids": [row["id"] for row in rows]}, count=len(rows))


async def restore_materials(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    return _undone(await work.tx.execute(RESTORE, data["ids"]), len(data["ids"]))


async def restore_moved(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    """Those that still lie where the move had put them."""
    done = await work.tx.execute(
        "update material m set folder_id = w.folder_id from unnest($1::bigint[], $2::bigint[]) w (id, folder_id) "
        "where m.id = w.id and m.folder_id is not distinct from $3",
        [one for one, _ in data["moved"]],
        [folder for _, folder in data["moved"]],
        data["to"],
    )
    return _undone(done, len(data["moved"]))


def _undone(done: str, asked: int) -> Undone:
    count = int(done.split()[-1])
    if count == 0:
        raise Conflict("Somebody changed this in the meantime.", code="changed_meanwhile")
    return Undone(restored=count, skipped=asked - count)


async def _locked(work: Work, principal: Principal, ids: list[int]) -> list[Row]:
    rows = await work.tx.fetch(LOCK, *eyes(principal), ids)
    if len(rows) < len(set(ids)):
        raise NotFound("There is no such material.")
    return [check_row(principal, row, "material") for row in rows]


async def _check_folder(work: Work, principal: Principal, place: Place, folder_id: int | None) -> None:
    if folder_id is not None and not await work.tx.fetchval(FOLDER_FITS, folder_id, *place.columns(principal)):
        raise Unprocessable("There is no such folder here.", fields={"folder_id": "Choose a folder of the same place."})


def _check(part: StoredPart) -> None:
    if part.kind in MEDIA_KINDS and part.file is None:
        raise Unprocessable("A file is missing.", fields={"attachment_id": "Upload it."})
    if part.kind in CARD_KINDS:
        check_card(part.kind, part.content)


def _words(title: str, part: StoredPart) -> str:
    return words_of(title, part.file.name if part.file else "", str(part.content.get("title", "")))
