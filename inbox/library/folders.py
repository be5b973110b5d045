"""Folders of materials: a tree in each place."""

from __future__ import annotations

from typing import Any

from inbox.library.materials import DELETED, restore_materials, restore_moved
from inbox.library.places import VISIBLE, LibraryReach, Place, check_place, check_row, eyes, manages
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import LIBRARY_READ, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.views import Id, Input, Line, View

DEEPEST = 6

LIST = f"""
select x.id, x.reach, x.owner_id, x.team_id, x.parent_id, x.name,
  (select count(*) from material m where m.folder_id = x.id and m.deleted_at is null) as materials
from material_folder x where x.deleted_at is null and {VISIBLE} order by x.name, x.id
"""  # noqa: S608
LOCK = f"select x.* from material_folder x where x.id = $4 and x.deleted_at is null and {VISIBLE} for update"  # noqa: S608
ABOVE = """
with recursive up as (
  select id, parent_id, 1 as depth from material_folder where id = $1
  union all select f.id, f.parent_id, up.depth + 1 from up join material_folder f on f.id = up.parent_id where up.depth < 20
) select id from up
"""
BELOW = """
with recursive down as (
  select id from material_folder where id = $1
  union all select f.id from down join material_folder f on f.parent_id = down.id where f.deleted_at is null
) select id from down
"""


class FolderView(View):
    id: int
    reach: LibraryReach
    team_id: int | None
    parent_id: int | None
    name: str
    materials: int
    may_change: bool


class FolderList(View):
    folders: list[FolderView]


class NewFolder(Input):
    """With a ``parent_id`` the place is the parent's."""

    place: Place
    parent_id: Id | None = None
    name: Line


class FolderInput(Input):
    name: Line | None = None
    parent_id: Id | None = None
    move: bool = False


async def list_folders(tx: Tx, principal: Principal) -> FolderList:
    return FolderList(folders=[_view(row, principal) for row in await tx.fetch(LIST, *eyes(principal))])


async def add_folder(work: Work, principal: Principal, new: NewFolder) -> int:
    """Raises :class:`Forbidden`, :class:`NotFound`, :class:`Conflict` (``name_taken``), :class:`Unprocessable`."""
    place = new.place
    if new.parent_id is not None:
        parent = check_row(principal, await work.tx.fetchrow(LOCK, *eyes(principal), new.parent_id), "folder")
        place = Place(reach=parent["reach"], team_id=parent["team_id"])
        await _check_depth(work, new.parent_id)
    await check_place(work.tx, principal, place)
    columns = place.columns(principal)
    await _check_name(work, columns, new.parent_id, new.name, None)
    made: int = await work.tx.fetchval(
        "insert into material_folder (reach, owner_id, team_id, parent_id, name, created_at) "
        "values ($1, $2, $3, $4, $5, $6) returning id",
        *columns, new.parent_id, new.name, work.now,
    )  # fmt: skip
    return made


async def change_folder(work: Work, principal: Principal, folder_id: int, change: FolderInput) -> None:
    """Renames it, and with ``move`` puts it under ``parent_id`` (null: on top). Raises as :func:`add_folder`."""
    row = check_row(principal, await work.tx.fetchrow(LOCK, *eyes(principal), folder_id), "folder")
    parent_id = row["parent_id"]
    if change.move:
        parent_id = change.parent_id
        await _check_parent(work, principal, row, parent_id)
    name = change.name or row["name"]
    await _check_name(work, (row["reach"], row["owner_id"], row["team_id"]), parent_id, name, folder_id)
    await work.tx.execute(
        "update material_folder set name = $2, parent_id = $3 where id = $1", folder_id, name, parent_id
    )


async def delete_folder(work: Work, principal: Principal, folder_id: int) -> Step:
    """With all that is in it; one step brings it all back. Raises :class:`NotFound`, :class:`Forbidden`."""
    check_row(principal, await work.tx.fetchrow(LOCK, *eyes(principal), folder_id), "folder")
    folders = [row["id"] for row in await work.tx.fetch(BELOW, folder_id)]
    await work.tx.execute("update material_folder set deleted_at = $2 where id = any($1::bigint[])", folders, work.now)
    rows = await work.tx.fetch(
        "update material set deleted_at = $2 where folder_id = any($1::bigint[]) and deleted_at is null returning id",
        folders, work.now,
    )  # fmt: skip
    await record(
        work, "material_folder.deleted", agent_id=principal.agent_id, object_kind="material_folder", object_id=folder_id
    )
    data = {"folders": folders, "ids": [row["id"] for row in rows]}
    return await remember(work, principal, "library.folder", data, count=len(rows) + 1)


async def restore_folders(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    done = await work.tx.execute(
        "update material_folder set deleted_at = null where id = any($1::bigint[]) and deleted_at is not null",
        data["folders"],
    )
    if done == "UPDATE 0":
        raise Conflict("It is there already.", code="changed_meanwhile")
    restored = (await restore_materials(work, principal, data)).restored if data["ids"] else 0
    return Undone(restored=restored + 1, skipped=len(data["ids"]) - restored)


def undo_kinds() -> dict[str, Kind]:
    return {
        DELETED: Kind(LIBRARY_READ, restore_materials),
        "library.moved": Kind(LIBRARY_READ, restore_moved),
        "library.folder": Kind(LIBRARY_READ, restore_folders),
    }


async def _check_parent(work: Work, principal: Principal, row: Row, parent_id: int | None) -> None:
    if parent_id is None:
        return
    parent = await work.tx.fetchrow(LOCK, *eyes(principal), parent_id)
    if parent is None:
        raise NotFound("There is no such folder.")
    if (parent["reach"], parent["team_id"], parent["owner_id"]) != (row["reach"], row["team_id"], row["owner_id"]):
        raise Unprocessable("A folder stays in its place.", fields={"parent_id": "Choose one of the same place."})
    if row["id"] in [one["id"] for one in await work.tx.fetch(ABOVE, parent_id)]:
        raise Unprocessable("A folder cannot lie in itself.", fields={"parent_id": "Choose another one."})
    await _check_depth(work, parent_id)


async def _check_depth(work: Work, parent_id: int) -> None:
    if len(await work.tx.fetch(ABOVE, parent_id)) >= DEEPEST:
        raise Unprocessable(f"Folders lie at most {DEEPEST} deep.", fields={"parent_id": "Too deep."})


async def _check_name(
    work: Work, columns: tuple[str, int | None, int | None], parent_id: int | None, name: str, but: int | None
) -> None:
    taken = await work.tx.fetchval(
        "select true from material_folder where deleted_at is null and reach = $1 and owner_id is not distinct from $2 "
        "and team_id is not distinct from $3 and parent_id is not distinct from $4 and lower(name) = lower($5) "
        "and id is distinct from $6",
        *columns, parent_id, name, but,
    )  # fmt: skip
    if taken:
        raise Conflict("There is a folder of this name here.", fields={"name": "Taken."}, code="name_taken")


def _view(row: Row, principal: Principal) -> FolderView:
    return FolderView(
        **{name: row[name] for name in ("id", "reach", "team_id", "parent_id", "name", "materials")},
        may_change=manages(principal, row["reach"], row["team_id"], row["owner_id"]),
    )
