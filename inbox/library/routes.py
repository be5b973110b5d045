"""The library over HTTP: quick replies, materials, macros."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from inbox import uploads
from inbox.library import find_replies, folders, macros, materials, quick_replies, sheets
from inbox.library.folders import FolderInput, FolderList, FolderView, NewFolder
from inbox.library.macros import MacroInput, MacroList, MacroView
from inbox.library.materials import (
    AddedMaterial,
    FindMaterials,
    MaterialInput,
    MaterialList,
    MaterialsInput,
    MaterialView,
    MoveInput,
    NewMaterial,
)
from inbox.library.places import LibraryReach
from inbox.library.quick_replies import QuickReplyInput, QuickReplyView
from scrm.errors import NotFound, Unprocessable
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import LIBRARY_READ
from scrm.undo import Kind, undoable
from scrm.views import Input

MIMES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class FolderQuery(Input):
    reach: LibraryReach | None = None


class ExportQuery(Input):
    format: Literal["xlsx", "csv"] = "xlsx"


class ImportQuery(Input):
    """``dry``: only says what would happen."""

    dry: bool = True
    name: Annotated[str, Field(max_length=200)] = ""


class DownloadQuery(Input):
    download: bool = False


# ------------------------------------------------------------------------------------------------------- quick replies


async def list_replies(request: Request, query: find_replies.FindReplies) -> find_replies.QuickReplyList:
    async with request.services.db.pool.acquire() as tx:
        return await find_replies.find_replies(tx, request.principal, query)


async def reply_folders(request: Request, query: FolderQuery) -> find_replies.ReplyFolders:
    async with request.services.db.pool.acquire() as tx:
        return await find_replies.reply_folders(tx, request.principal, query.reach)


async def one_reply(request: Request, reply_id: int) -> QuickReplyView:
    async with request.services.db.pool.acquire() as tx:
        return quick_replies.view_of(await quick_replies.find_reply(tx, request.principal, reply_id), request.principal)


async def add_reply(request: Request, body: QuickReplyInput) -> Reply[QuickReplyView]:
    async with request.services.work() as work:
        made = await quick_replies.add_reply(work, request.principal, body)
        row = await quick_replies.find_reply(work.tx, request.principal, made)
    return Reply(quick_replies.view_of(row, request.principal), status=201)


async def change_reply(request: Request, reply_id: int, body: QuickReplyInput) -> QuickReplyView:
    async with request.services.work() as work:
        await quick_replies.change_reply(work, request.principal, reply_id, body)
        row = await quick_replies.find_reply(work.tx, request.principal, reply_id)
    return quick_replies.view_of(row, request.principal)


async def delete_reply(request: Request, reply_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await quick_replies.delete_reply(work, request.principal, reply_id)
    return undoable(None, step, status=204)


async def reply_file(request: Request, reply_id: int, part: int, query: DownloadQuery) -> Raw:
    async with request.services.db.pool.acquire() as tx:
        row = await quick_replies.find_reply(tx, request.principal, reply_id)
    return await hand_out_part(request, row["parts"], part, download=query.download)


async def hand_out_part(request: Request, parts: list[dict[str, object]], number: int, *, download: bool) -> Raw:
    """The file of a kept piece. Raises :class:`NotFound`."""
    file = parts[number]["file"] if 0 <= number < len(parts) else None
    if not isinstance(file, dict):
        raise NotFound("There is no such file.")
    return await hand_out(request, file, download=download)


async def export_replies(request: Request, query: ExportQuery) -> Raw:
    async with request.services.work() as work:
        data = await sheets.exported(work, request.principal, query.format, request.address)
    name = f"快捷回复.{query.format}"
    headers = {
        "Content-Type": MIMES[query.format],
        "Content-Disposition": f"attachment; filename=\"quick-replies.{query.format}\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Raw(web.Response(body=data, headers=headers))


async def import_replies(request: Request, query: ImportQuery) -> sheets.ImportReport:
    name, data = await uploads.read_file(request, limit=sheets.LARGEST)
    if not data:
        raise Unprocessable("The file is empty.", fields={"file": "It has no content."})
    async with request.services.work() as work:
        return await sheets.imported(work, request.principal, query.name or name, data, dry=query.dry)


# ----------------------------------------------------------------------------------------------------------- materials


async def list_materials(request: Request, query: FindMaterials) -> MaterialList:
    async with request.services.db.pool.acquire() as tx:
        return await materials.list_materials(tx, request.principal, query)


async def add_material(request: Request, body: NewMaterial) -> Reply[AddedMaterial]:
    async with request.services.work() as work:
        made, new = await materials.add_material(work, request.principal, body)
        row = await materials.find_material(work.tx, request.principal, made)
    view = AddedMaterial(material=materials.material_view(row, request.principal), known=not new)
    return Reply(view, status=201 if new else 200)


async def change_material(request: Request, material_id: int, body: MaterialInput) -> MaterialView:
    async with request.services.work() as work:
        await materials.change_material(work, request.principal, material_id, body)
        row = await materials.find_material(work.tx, request.principal, material_id)
    return materials.material_view(row, request.principal)


async def move_materials(request: Request, body: MoveInput) -> Reply[None]:
    async with request.services.work() as work:
        step = await materials.move_materials(work, request.principal, body)
    return undoable(None, step, status=204)


async def delete_materials(request: Request, body: MaterialsInput) -> Reply[None]:
    async with request.services.work() as work:
        step = await materials.delete_materials(work, request.principal, list(body.ids))
    return undoable(None, step, status=204)


async def material_file(request: Request, material_id: int, query: DownloadQuery) -> Raw:
    async with request.services.db.pool.acquire() as tx:
        row = await materials.find_material(tx, request.principal, material_id)
    if row["sha256"] is None:
        raise NotFound("This material has no file.")
    return await hand_out(request, row, download=query.download)


async def list_folders(request: Request) -> FolderList:
    async with request.services.db.pool.acquire() as tx:
        return await folders.list_folders(tx, request.principal)


async def _folder(request: Request, folder_id: int) -> FolderView:
    async with request.services.db.pool.acquire() as tx:
        found = await folders.list_folders(tx, request.principal)
    return next(one for one in found.folders if one.id == folder_id)


async def add_folder(request: Request, body: NewFolder) -> Reply[FolderView]:
    async with request.services.work() as work:
        made = await folders.add_folder(work, request.principal, body)
    return Reply(await _folder(request, made), status=201)


async def change_folder(request: Request, folder_id: int, body: FolderInput) -> FolderView:
    async with request.services.work() as work:
        await folders.change_folder(work, request.principal, folder_id, body)
    return await _folder(request, folder_id)


async def delete_folder(request: Request, folder_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await folders.delete_folder(work, request.principal, folder_id)
    return undoable(None, step, status=204)


# -------------------------------------------------------------------------------------------------------------- macros


async def list_macros(request: Request) -> MacroList:
    async with request.services.db.pool.acquire() as tx:
        return await macros.list_macros(tx, request.principal)


async def add_macro(request: Request, body: MacroInput) -> Reply[MacroView]:
    async with request.services.work() as work:
        made = await macros.add_macro(work, request.principal, body)
        row = await macros.find_macro(work.tx, request.principal, made)
    return Reply(macros.macro_view(row, request.principal), status=201)


async def change_macro(request: Request, macro_id: int, body: MacroInput) -> MacroView:
    async with request.services.work() as work:
        await macros.change_macro(work, request.principal, macro_id, body)
        row = await macros.find_macro(work.tx, request.principal, macro_id)
    return macros.macro_view(row, request.principal)


async def delete_macro(request: Request, macro_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await macros.delete_macro(work, request.principal, macro_id)
    return undoable(None, step, status=204)


def undo_kinds() -> dict[str, Kind]:
    return {**quick_replies.undo_kinds(), **folders.undo_kinds(), **macros.undo_kinds()}


def api_routes() -> list[Route]:
    reply, material = "/api/quick-replies/{reply_id}", "/api/materials/{material_id}"
    folder, macro = "/api/material-folders/{folder_id}", "/api/macros/{macro_id}"
    read = LIBRARY_READ
    return [
        Route("GET", "/api/quick-replies", list_replies, read, "Quick replies by words, pinyin or initials"),
        Route("GET", "/api/quick-replies/folders", reply_folders, read, "The folders that quick replies are in"),
        Route("GET", "/api/quick-replies/export", export_replies, read, "All of them as a sheet", binary="*/*"),
        Route("POST", "/api/quick-replies/import", import_replies, read, "Add those of a sheet, first as a dry run", upload=True),
        Route("POST", "/api/quick-replies", add_reply, read, "Keep a quick reply", status=201),
        Route("GET", reply, one_reply, read, "One quick reply"),
        Route("PATCH", reply, change_reply, read, "Change a quick reply"),
        Route("DELETE", reply, delete_reply, read, "Delete a quick reply; it can be undone", status=204),
        Route("GET", f"{reply}/parts/{{part}}/content", reply_file, read, "The file of one of its pieces", also=(206, 304),
              errors=(416,), binary="*/*"),
        Route("GET", "/api/materials", list_materials, read, "Materials of a folder, or found by words"),
        Route("POST", "/api/materials", add_material, read, "Keep a material", status=201, also=(200,)),
        Route("POST", "/api/materials/move", move_materials, read, "Put materials into a folder", status=204, errors=(404,)),
        Route("POST", "/api/materials/delete", delete_materials, read, "Delete materials; it can be undone", status=204, errors=(404,)),
        Route("PATCH", material, change_material, read, "Rename a material, or change a card"),
        Route("GET", f"{material}/content", material_file, read, "The bytes of a material", also=(206, 304), errors=(416,),
              binary="*/*"),
        Route("POST", "/api/library/uploads", uploads.upload, read, "Upload a file to keep", status=201, upload=True),
        Route("GET", "/api/material-folders", list_folders, read, "All folders of materials"),
        Route("POST", "/api/material-folders", add_folder, read, "Make a folder", status=201, errors=(409,)),
        Route("PATCH", folder, change_folder, read, "Rename or move a folder", errors=(409,)),
        Route("DELETE", folder, delete_folder, read, "Delete a folder with what is in it; it can be undone", status=204),
        Route("GET", "/api/macros", list_macros, read, "Macros, those used most first"),
        Route("POST", "/api/macros", add_macro, read, "Keep a macro", status=201),
        Route("PATCH", macro, change_macro, read, "Change a macro"),
        Route("DELETE", macro, delete_macro, read, "Delete a macro; it can be undone", status=204),
    ]  # fmt: skip
