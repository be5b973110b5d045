"""The public pool over HTTP: the list, distributing, the rules with their dry run, and the limits of claiming."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from customers.pool import rulebook
from customers.pool.distribute import DistributeInput, PoolDistribution, distribute
from customers.pool.dry_run import TriedView, TryPoolInput, try_out
from customers.pool.listing import PoolPage, PoolQuery, pool_page
from customers.pool.rules import LIMITS, ClaimLimits, PoolRule
from scrm.db import Row
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_ASSIGN, CUSTOMERS_READ, CUSTOMERS_SETTINGS
from scrm.trail import record
from scrm.undo import undoable
from scrm.views import Id, Input, Line, View


class PoolRuleView(View):
    id: int
    name: str
    position: int
    enabled: bool
    data: PoolRule
    updated_at: datetime


class PoolRuleList(View):
    rules: list[PoolRuleView]


class NewPoolRule(Input):
    name: Line
    enabled: bool = True
    data: PoolRule


class PoolRuleInput(Input):
    """What is absent stays."""

    name: Line | None = None
    enabled: bool | None = None
    data: PoolRule | None = None


class PoolRuleOrder(Input):
    """Every id of the list, in the new order."""

    ids: Annotated[list[Id], Field(max_length=rulebook.MOST)]


async def page(request: Request, query: PoolQuery) -> PoolPage:
    async with request.services.db.pool.acquire() as tx:
        return await pool_page(tx, request.principal, query, request.services.clock.now())


async def hand_out(request: Request, body: DistributeInput) -> Reply[PoolDistribution]:
    async with request.services.work() as work:
        view, step = await distribute(work, request.principal, body, address=request.address)
    return undoable(view, step)


async def rules(request: Request) -> PoolRuleList:
    return PoolRuleList(rules=[_view(row) for row in await rulebook.listed(request.services.db)])


async def add_rule(request: Request, body: NewPoolRule) -> Reply[PoolRuleView]:
    async with request.services.work() as work:
        data = body.data.model_dump(mode="json")
        row = await rulebook.create(work, request.principal, body.name, body.enabled, data)
    return Reply(_view(row), status=201)


async def change_rule(request: Request, rule_id: int, body: PoolRuleInput) -> PoolRuleView:
    data = body.data.model_dump(mode="json") if body.data is not None else None
    async with request.services.work() as work:
        row = await rulebook.change(work, request.principal, rule_id, body.name, body.enabled, data)
    return _view(row)


async def order_rules(request: Request, body: PoolRuleOrder) -> PoolRuleList:
    async with request.services.work() as work:
        await rulebook.put_in_order(work, request.principal, body.ids)
        return PoolRuleList(rules=[_view(row) for row in await rulebook.listed(work.tx)])


async def delete_rule(request: Request, rule_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await rulebook.delete(work, request.principal, rule_id)
    return undoable(None, step, status=204)


async def try_rule(request: Request, body: TryPoolInput) -> TriedView:
    async with request.services.db.pool.acquire() as tx:
        return await try_out(tx, request.principal, body, request.services.clock.now())


async def limits(request: Request) -> ClaimLimits:
    return await LIMITS.load(request.services.db)


async def change_limits(request: Request, body: ClaimLimits) -> ClaimLimits:
    async with request.services.work() as work:
        await LIMITS.save(work, body, by=request.principal.agent_id)
        await record(
            work, "pool.limits_changed", agent_id=request.principal.agent_id, address=request.address,
            detail=body.model_dump(),
        )  # fmt: skip
    return body


def _view(row: Row) -> PoolRuleView:
    return PoolRuleView.model_validate(dict(row))


def api_routes() -> list[Route]:
    one, settings = "/api/rules/pool/{rule_id}", CUSTOMERS_SETTINGS
    return [
        Route("GET", "/api/pool", page, CUSTOMERS_READ, "The public pool"),
        Route("POST", "/api/pool/distribute", hand_out, CUSTOMERS_ASSIGN, "Hand out what lies in the pool"),
        Route("GET", "/api/rules/pool", rules, settings, "What makes customers fall into the pool, in order"),
        Route("POST", "/api/rules/pool", add_rule, settings, "Add a rule of the pool", status=201),
        Route("POST", "/api/rules/pool/order", order_rules, settings, "Put the rules in order", errors=(409,)),
        Route("POST", "/api/rules/pool/try", try_rule, settings, "What a rule would do today"),
        Route("PATCH", one, change_rule, settings, "Change a rule of the pool"),
        Route("DELETE", one, delete_rule, settings, "Take out a rule of the pool", status=204),
        Route("GET", "/api/settings/pool", limits, settings, "How much of the pool somebody may take"),
        Route("PATCH", "/api/settings/pool", change_limits, settings, "Change how much somebody may take"),
    ]
