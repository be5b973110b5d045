"""The list of customers over HTTP."""

from __future__ import annotations

from customers.listing import segments, views
from customers.listing.counting import FoundCount
from customers.listing.search import CountQuery, CustomerPage, SearchQuery, counted, search
from customers.listing.segments import NewSegment, SegmentInput, SegmentList
from customers.listing.views import NewView, ViewCounts, ViewInput, ViewList
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_REPORTS
from scrm.undo import undoable


async def find(request: Request, body: SearchQuery) -> CustomerPage:
    services = request.services
    return await search(services.db, request.principal, body, services.clock.now())


async def how_many(request: Request, body: CountQuery) -> FoundCount:
    services = request.services
    return await counted(services.db, request.principal, body, services.clock.now())


async def all_views(request: Request) -> ViewList:
    async with request.services.db.pool.acquire() as tx:
        return await views.views(tx, request.principal)


async def view_counts(request: Request) -> ViewCounts:
    return await views.counts(request.services, request.principal)


async def add_view(request: Request, body: NewView) -> Reply[ViewList]:
    async with request.services.work() as work:
        await views.add_view(work, request.principal, body)
        return Reply(await views.views(work.tx, request.principal), status=201)


async def change_view(request: Request, view_id: int, body: ViewInput) -> ViewList:
    async with request.services.work() as work:
        await views.change_view(work, request.principal, view_id, body)
        return await views.views(work.tx, request.principal)


async def delete_view(request: Request, view_id: int) -> Reply[ViewList]:
    async with request.services.work() as work:
        step = await views.delete_view(work, request.principal, view_id)
        return undoable(await views.views(work.tx, request.principal), step)


async def all_segments(request: Request) -> SegmentList:
    return await segments.segments(request.services.db)


async def add_segment(request: Request, body: NewSegment) -> Reply[SegmentList]:
    async with request.services.work() as work:
        await segments.add_segment(work, request.principal, body, address=request.address)
        return Reply(await segments.segments(work.tx), status=201)


async def change_segment(request: Request, segment_id: int, body: SegmentInput) -> SegmentList:
    async with request.services.work() as work:
        await segments.change_segment(work, request.principal, segment_id, body, address=request.address)
        return await segments.segments(work.tx)


async def delete_segment(request: Request, segment_id: int) -> Reply[SegmentList]:
    async with request.services.work() as work:
        step = await segments.delete_segment(work, request.principal, segment_id, address=request.address)
        return undoable(await segments.segments(work.tx), step)


async def count_segment(request: Request, segment_id: int) -> FoundCount:
    return await segments.count_segment(request.services, request.principal, segment_id)


def api_routes() -> list[Route]:
    return [
        Route(
            "POST",
            "/api/customers/search",
            find,
            CUSTOMERS_READ,
            "A page of customers by any filter, in the order of up to four keys",
        ),
        Route("POST", "/api/customers/count", how_many, CUSTOMERS_READ, "How many customers fit a filter"),
        Route(
            "GET",
            "/api/customer-views",
            all_views,
            CUSTOMERS_READ,
            "Views of the list: the standard ones and those that are kept",
        ),
        Route("GET", "/api/customer-views/counts", view_counts, CUSTOMERS_READ, "How many customers each view shows"),
        Route("POST", "/api/customer-views", add_view, CUSTOMERS_READ, "Keep a view", status=201),
        Route(
            "PATCH",
            "/api/customer-views/{view_id}",
            change_view,
            CUSTOMERS_READ,
            "Rename a view, change its data or place",
        ),
        Route("DELETE", "/api/customer-views/{view_id}", delete_view, CUSTOMERS_READ, "Delete a view"),
        Route("GET", "/api/segments", all_segments, CUSTOMERS_READ, "Filters with a name that the company shares"),
        Route("POST", "/api/segments", add_segment, CUSTOMERS_REPORTS, "Keep a segment", status=201, errors=(409,)),
        Route(
            "PATCH", "/api/segments/{segment_id}", change_segment, CUSTOMERS_REPORTS, "Change a segment", errors=(409,)
        ),
        Route("DELETE", "/api/segments/{segment_id}", delete_segment, CUSTOMERS_REPORTS, "Delete a segment"),
        Route(
            "POST",
            "/api/segments/{segment_id}/count",
            count_segment,
            CUSTOMERS_REPORTS,
            "Count the customers of a segment",
        ),
    ]
