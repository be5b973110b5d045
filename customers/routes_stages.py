"""Stages and tags over HTTP: their lists, and moving and tagging customers."""

from __future__ import annotations

from customers import board, stage_moves, stage_settings, tag_changes, tag_settings
from customers.board import BoardQuery, BoardView, CardPage, ColumnQuery
from customers.stage_moves import ChangeDone, MoveInput
from customers.stage_settings import ArchiveInput, NewStage, StageInput, StageList, StageOrder
from customers.tag_changes import TagsInput
from customers.tag_settings import (
    MergeInput,
    NewTag,
    NewTagGroup,
    TagCounts,
    TagGroupInput,
    TagInput,
    TagLibrary,
    TagOrder,
)
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_SETTINGS, CUSTOMERS_WRITE
from scrm.undo import Kind, undoable

SETTINGS = CUSTOMERS_SETTINGS


async def stages(request: Request) -> StageList:
    return await stage_settings.list_stages(request.services.db)


async def add_stage(request: Request, body: NewStage) -> Reply[StageList]:
    async with request.services.work() as work:
        await stage_settings.add_stage(work, request.principal, body, address=request.address)
        return Reply(await stage_settings.list_stages(work.tx), status=201)


async def add_defaults(request: Request) -> StageList:
    async with request.services.work() as work:
        await stage_settings.add_defaults(work, request.principal, request.principal.language, address=request.address)
        return await stage_settings.list_stages(work.tx)


async def change_stage(request: Request, stage_id: int, body: StageInput) -> StageList:
    async with request.services.work() as work:
        await stage_settings.change_stage(work, request.principal, stage_id, body, address=request.address)
        return await stage_settings.list_stages(work.tx)


async def order_stages(request: Request, body: StageOrder) -> StageList:
    async with request.services.work() as work:
        await stage_settings.put_in_order(work, request.principal, body.ids, address=request.address)
        return await stage_settings.list_stages(work.tx)


async def archive_stage(request: Request, stage_id: int, body: ArchiveInput) -> StageList:
    async with request.services.work() as work:
        await stage_settings.archive_stage(work, request.principal, stage_id, body.move_to, address=request.address)
        return await stage_settings.list_stages(work.tx)


async def move(request: Request, body: MoveInput) -> Reply[ChangeDone]:
    async with request.services.work() as work:
        return undoable(*await stage_moves.move_by_hand(work, request.principal, body))


async def show_board(request: Request, query: BoardQuery) -> BoardView:
    async with request.services.db.pool.acquire() as tx:
        return await board.board(tx, request.principal, query)


async def show_column(request: Request, query: ColumnQuery) -> CardPage:
    async with request.services.db.pool.acquire() as tx:
        return await board.column(tx, request.principal, query)


async def tags(request: Request) -> TagLibrary:
    return await tag_settings.library(request.services.db)


async def tag_counts(request: Request) -> TagCounts:
    return await tag_settings.counts(request.services.db)


async def change_tags(request: Request, body: TagsInput) -> Reply[ChangeDone]:
    async with request.services.work() as work:
        return undoable(*await tag_changes.tag_by_hand(work, request.principal, body))


async def add_group(request: Request, body: NewTagGroup) -> Reply[TagLibrary]:
    async with request.services.work() as work:
        await tag_settings.add_group(work, request.principal, body, address=request.address)
        return Reply(await tag_settings.library(work.tx), status=201)


async def change_group(request: Request, group_id: int, body: TagGroupInput) -> TagLibrary:
    async with request.services.work() as work:
        await tag_settings.change_group(work, request.principal, group_id, body, address=request.address)
        return await tag_settings.library(work.tx)


async def order_groups(request: Request, body: TagOrder) -> TagLibrary:
    async with request.services.work() as work:
        await tag_settings.put_groups_in_order(work, request.principal, body.ids, address=request.address)
        return await tag_settings.library(work.tx)


async def order_tags(request: Request, group_id: int, body: TagOrder) -> TagLibrary:
    async with request.services.work() as work:
        await tag_settings.put_tags_in_order(work, request.principal, group_id, body.ids, address=request.address)
        return await tag_settings.library(work.tx)


async def add_tag(request: Request, body: NewTag) -> Reply[TagLibrary]:
    async with request.services.work() as work:
        await tag_settings.add_tag(work, request.principal, body, address=request.address)
        return Reply(await tag_settings.library(work.tx), status=201)


async def change_tag(request: Request, tag_id: int, body: TagInput) -> TagLibrary:
    async with request.services.work() as work:
        await tag_settings.change_tag(work, request.principal, tag_id, body, address=request.address)
        return await tag_settings.library(work.tx)


async def merge_tag(request: Request, tag_id: int, body: MergeInput) -> TagLibrary:
    async with request.services.work() as work:
        await tag_settings.merge_tag(work, request.principal, tag_id, body.into_id, address=request.address)
        return await tag_settings.library(work.tx)


def api_routes() -> list[Route]:
    stage, group, tag = "/api/stages/{stage_id}", "/api/tag-groups/{group_id}", "/api/tags/{tag_id}"
    return [
        Route("GET", "/api/stages", stages, CUSTOMERS_READ, "The stages of customers, in order"),
        Route("POST", "/api/stages", add_stage, SETTINGS, "Add a stage", status=201, errors=(409,)),
        Route("POST", "/api/stages/defaults", add_defaults, SETTINGS, "Begin with the usual stages, if there are none"),
        Route("POST", "/api/stages/order", order_stages, SETTINGS, "Put the stages in order", errors=(409,)),
        Route("POST", "/api/stages/move", move, CUSTOMERS_WRITE, "Move customers to a stage", errors=(404,)),
        Route("PATCH", stage, change_stage, SETTINGS, "Change a stage, or bring it back", errors=(409,)),
        Route("POST", f"{stage}/archive", archive_stage, SETTINGS, "Put a stage away, its customers into another one"),
        Route("GET", "/api/board", show_board, CUSTOMERS_READ, "Customers by stage, the newest of each", errors=(404,)),
        Route("GET", "/api/board/cards", show_column, CUSTOMERS_READ, "More customers of a stage", errors=(404,)),
        Route("GET", "/api/tags", tags, CUSTOMERS_READ, "All tags of customers, in their groups"),
        Route("GET", "/api/tags/counts", tag_counts, SETTINGS, "How many customers have each tag"),
        Route("POST", "/api/tags/change", change_tags, CUSTOMERS_WRITE, "Tag customers", errors=(404,)),
        Route("POST", "/api/tag-groups", add_group, SETTINGS, "Add a group of tags", status=201, errors=(409,)),
        Route(
            "POST", "/api/tag-groups/order", order_groups, SETTINGS, "Put the groups of tags in order", errors=(409,)
        ),
        Route("PATCH", group, change_group, SETTINGS, "Change a group of tags, or put it away", errors=(409,)),
        Route("POST", f"{group}/order", order_tags, SETTINGS, "Put the tags of a group in order", errors=(409,)),
        Route("POST", "/api/tags", add_tag, SETTINGS, "Add a tag", status=201, errors=(409,)),
        Route("PATCH", tag, change_tag, SETTINGS, "Change a tag, or put it away", errors=(409,)),
        Route("POST", f"{tag}/merge", merge_tag, SETTINGS, "Make one tag of two"),
    ]


def undo_kinds() -> dict[str, Kind]:
    return {**stage_moves.undo_kinds(), **tag_changes.undo_kinds()}
