"""Acts on many conversations, and saved lists, over HTTP."""

from __future__ import annotations

from inbox import saved_views
from inbox.bulk import BulkInput, act_on_many
from inbox.queries import one_moment
from inbox.saved_views import NewSavedView, SavedViewInput
from inbox.views import BulkDone, SavedViewList
from scrm.http import Reply, Request, Route
from scrm.permissions import INBOX_READ, INBOX_REPLY
from scrm.undo import undoable


async def bulk(request: Request, body: BulkInput) -> Reply[BulkDone]:
    async with request.services.work() as work:
        done, step = await act_on_many(work, request.principal, body)
    return undoable(done, step)


async def views(request: Request) -> SavedViewList:
    async with one_moment(request.services.db) as tx:
        return await saved_views.saved_views(tx, request.principal)


async def add_view(request: Request, body: NewSavedView) -> Reply[SavedViewList]:
    async with request.services.work() as work:
        await saved_views.add_view(work, request.principal, body)
        return Reply(await saved_views.saved_views(work.tx, request.principal), status=201)


async def change_view(request: Request, view_id: int, body: SavedViewInput) -> SavedViewList:
    async with request.services.work() as work:
        await saved_views.change_view(work, request.principal, view_id, body)
        return await saved_views.saved_views(work.tx, request.principal)


async def delete_view(request: Request, view_id: int) -> Reply[SavedViewList]:
    async with request.services.work() as work:
        step = await saved_views.delete_view(work, request.principal, view_id)
        return undoable(await saved_views.saved_views(work.tx, request.principal), step)


def api_routes() -> list[Route]:
    one = "/api/views/{view_id}"
    return [
        Route("POST", "/api/conversations/bulk", bulk, INBOX_REPLY, "One act on many conversations"),
        Route("GET", "/api/views", views, INBOX_READ, "Saved lists, one's own first"),
        Route("POST", "/api/views", add_view, INBOX_READ, "Keep a list with its filters", status=201),
        Route("PATCH", one, change_view, INBOX_READ, "Rename a saved list, change its filters or place"),
        Route("DELETE", one, delete_view, INBOX_READ, "Delete a saved list"),
    ]
