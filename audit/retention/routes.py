"""Retention over HTTP: rules, holds, one person's data."""

from __future__ import annotations

import asyncpg
from aiohttp import web

from audit.retention import erasing, holds, rules
from audit.retention.package import Package
from audit.retention.shapes import (
    ErasureConfirm,
    ErasureInput,
    ErasureList,
    ErasureView,
    LegalHoldInput,
    LegalHoldLift,
    LegalHoldList,
    LegalHoldView,
    Retention,
    RetentionPageQuery,
    RetentionPreview,
    RetentionPreviewQuery,
    RetentionRuleInput,
    RetentionRuleView,
)
from audit.watermark import mark_of
from customers.queries import customer_row
from scrm.company import FACTS
from scrm.errors import Forbidden, Unavailable
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import AUDIT_RETENTION
from scrm.trail import record


def company_wide(request: Request) -> None:
    """Rules, holds and erasures go over everything, so they are for who sees everything. Raises :class:`Forbidden`."""
    if request.principal.reach != "all":
        raise Forbidden("Retention is for those who see all conversations.", code="beyond_you")


async def show(request: Request) -> Retention:
    company_wide(request)
    return await _shown(request)


async def _shown(request: Request) -> Retention:
    services = request.services
    rows = await services.db.fetch(rules.LIST)
    channels = await services.db.fetch("select distinct channel from account order by 1")
    return Retention(
        rules=[RetentionRuleView(**row) for row in rows],
        events_days=services.settings.worker.keep_events_days,
        channels=[row["channel"] for row in channels],
    )


async def preview(request: Request, query: RetentionPreviewQuery) -> RetentionPreview:
    company_wide(request)
    try:
        async with request.services.work() as work:
            row = await rules.would_remove(work.tx, query.kind, query.channel, query.days, work.now)
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("Counting takes too long now. Try again when less is going on.") from error
    return RetentionPreview(**row)


async def set_rule(request: Request, body: RetentionRuleInput) -> Retention:
    company_wide(request)
    async with request.services.work() as work:
        await rules.set_rule(
            work, request.principal, body.kind, body.channel, body.days, enabled=body.enabled, confirm=body.confirm,
            address=request.address,
        )  # fmt: skip
    return await _shown(request)


async def drop_rule(request: Request, rule_id: int) -> Retention:
    company_wide(request)
    async with request.services.work() as work:
        await rules.drop_rule(work, request.principal, rule_id, address=request.address)
    return await _shown(request)


async def all_holds(request: Request, query: RetentionPageQuery) -> LegalHoldList:
    company_wide(request)
    async with request.services.db.pool.acquire() as tx:
        return LegalHoldList(holds=[LegalHoldView(**row) for row in await holds.listed(tx, query.before, query.limit)])


async def place(request: Request, body: LegalHoldInput) -> Reply[LegalHoldView]:
    company_wide(request)
    async with request.services.work() as work:
        made = await holds.place(
            work, request.principal, body.kind, body.object_id, since=body.since, until=body.until, ends_at=body.ends_at,
            reason=body.reason, token=body.client_token, address=request.address,
        )  # fmt: skip
        (row,) = await holds.listed(work.tx, made + 1, 1)
    return Reply(LegalHoldView(**row), status=201)


async def lift(request: Request, hold_id: int, body: LegalHoldLift) -> LegalHoldView:
    company_wide(request)
    async with request.services.work() as work:
        await holds.lift(work, request.principal, hold_id, body.reason, address=request.address)
        (row,) = await holds.listed(work.tx, hold_id + 1, 1)
    return LegalHoldView(**row)


async def erasures(request: Request, query: RetentionPageQuery) -> ErasureList:
    company_wide(request)
    rows = await request.services.db.fetch(erasing.LIST, query.before, query.limit)
    return ErasureList(erasures=[ErasureView(**row) for row in rows])


async def erasure(request: Request, erasure_id: int) -> ErasureView:
    company_wide(request)
    async with request.services.db.pool.acquire() as tx:
        return ErasureView(**await erasing.find(tx, erasure_id))


async def plan(request: Request, body: ErasureInput) -> Reply[ErasureView]:
    company_wide(request)
    async with request.services.work() as work:
        row = await erasing.plan(
            work, request.principal, body.customer_id, body.reason, body.client_token, address=request.address
        )
    return Reply(ErasureView(**row), status=201)


async def confirm(request: Request, erasure_id: int, body: ErasureConfirm) -> ErasureView:
    company_wide(request)
    async with request.services.work() as work:
        return ErasureView(
            **await erasing.confirm(work, request.principal, erasure_id, body.confirm, address=request.address)
        )


async def cancel(request: Request, erasure_id: int) -> ErasureView:
    company_wide(request)
    async with request.services.work() as work:
        return ErasureView(**await erasing.cancel(work, request.principal, erasure_id, address=request.address))


async def package(request: Request, customer_id: int) -> Raw:
    """Raises :class:`NotFound` for a customer out of reach."""
    services, me = request.services, request.principal
    async with services.work() as work:
        row = await customer_row(work.tx, me, customer_id)
        company_wide(request)
        company = await FACTS.load(work.tx)
        await record(
            work,
            "person.exported",
            agent_id=me.agent_id,
            object_kind="customer",
            object_id=row["id"],
            address=request.address,
        )
        mark = mark_of(me, company, work.now)
    made = Package(services.db, services.blobs, me, company, row["id"], mark)
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="person-{row["id"]}.zip"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request.raw)
    async for piece in made.pieces():
        if piece:
            await response.write(piece)
    await response.write_eof()
    return Raw(response)


def api_routes() -> list[Route]:
    top, may = "/api/audit/retention", AUDIT_RETENTION
    one = "/api/audit/erasures/{erasure_id}"
    return [
        Route("GET", top, show, may, "How long what is kept"),
        Route("GET", f"{top}/preview", preview, may, "What a rule would remove now"),
        Route("POST", f"{top}/rules", set_rule, may, "Set the rule of a kind and channel"),
        Route("DELETE", f"{top}/rules/{{rule_id}}", drop_rule, may, "Keep these for good again"),
        Route("GET", "/api/audit/holds", all_holds, may, "Legal holds, the newest first"),
        Route("POST", "/api/audit/holds", place, may, "Place a legal hold", status=201),
        Route("POST", "/api/audit/holds/{hold_id}/lift", lift, may, "Lift it", errors=(409,)),
        Route("GET", "/api/audit/erasures", erasures, may, "Erasures of people's data, the newest first"),
        Route("POST", "/api/audit/erasures", plan, may, "Plan one: what would go, what stays", status=201, errors=(404,)),
        Route("GET", one, erasure, may, "One, with its report"),
        Route("POST", f"{one}/confirm", confirm, may, "Begin it, for good", errors=(409,)),
        Route("POST", f"{one}/cancel", cancel, may, "Give it up before it began", errors=(409,)),
        Route(
            "GET", "/api/audit/people/{customer_id}/export", package, may, "One person's data, as a zip", binary="application/zip",
            reason="export",
        ),
    ]  # fmt: skip
