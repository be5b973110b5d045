"""The rulebook over HTTP: the same five routes for each kind of rule, each with the shape of its own data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from inbox import rules
from inbox.rulebook import MODELS, RuleKind
from scrm.db import Row
from scrm.http import Reply, Request, Route
from scrm.permissions import INBOX_SETTINGS
from scrm.undo import undoable
from scrm.views import Id, Input, Line, View

TITLES: dict[RuleKind, str] = {
    "hours": "working hours",
    "assignment": "assignment rules",
    "sla": "service levels",
    "answer": "automatic answers",
    "survey": "surveys",
}


class RuleFields(View):
    id: int
    name: str
    position: int
    enabled: bool
    updated_at: datetime


class OrderInput(Input):
    """Every id of the list, in the new order."""

    ids: Annotated[list[Id], Field(max_length=rules.MOST)]


def api_routes() -> list[Route]:
    return [route for kind in MODELS for route in _routes(kind)]


def _routes(kind: RuleKind) -> list[Route]:
    """The types are made from the kind's model, so the description of the API names them exactly."""
    model = MODELS[kind]
    name = model.__name__
    optional: Any = model | None
    one: Any = create_model(f"{name}Rule", __base__=RuleFields, data=(model, ...))
    many: Any = create_model(f"{name}RuleList", __base__=View, rules=(list[one], ...))
    new: Any = create_model(f"New{name}Rule", __base__=Input, name=(Line, ...), enabled=(bool, True), data=(model, ...))
    changes: Any = create_model(
        f"{name}RuleInput",
        __base__=Input,
        name=(Line | None, None),
        enabled=(bool | None, None),
        data=(optional, None),
    )

    def view(row: Row) -> BaseModel:
        made: BaseModel = one.model_validate(dict(row))
        return made

    async def listed(request: Request) -> Any:
        return many(rules=[view(row) for row in await rules.listed(request.services.db, kind)])

    async def create(request: Request, body: Any) -> Any:
        async with request.services.work() as work:
            data = body.data.model_dump(mode="json")
            row = await rules.create(work, request.principal, kind, body.name, body.enabled, data)
        return Reply(view(row), status=201)

    async def change(request: Request, rule_id: int, body: Any) -> Any:
        data = body.data.model_dump(mode="json") if body.data is not None else None
        async with request.services.work() as work:
            row = await rules.change(
                work, request.principal, kind, rule_id, name=body.name, enabled=body.enabled, data=data
            )
        return view(row)

    async def order(request: Request, body: OrderInput) -> Any:
        async with request.services.work() as work:
            await rules.put_in_order(work, request.principal, kind, body.ids)
            return many(rules=[view(row) for row in await rules.listed(work.tx, kind)])

    async def delete(request: Request, rule_id: int) -> Any:
        async with request.services.work() as work:
            step = await rules.delete(work, request.principal, kind, rule_id)
        return undoable(None, step, status=204)

    def typed(handler: Callable[..., Awaitable[Any]], **hints: Any) -> Callable[..., Awaitable[Any]]:
        handler.__annotations__ = {"request": Request, **hints}
        return handler

    path, title = f"/api/rules/{kind}", TITLES[kind]
    return [
        Route("GET", path, typed(listed, **{"return": many}), INBOX_SETTINGS, f"The {title}, in order"),
        Route(
            "POST", path, typed(create, body=new, **{"return": Reply[one]}), INBOX_SETTINGS, f"Add to the {title}",
            status=201,
        ),
        Route(
            "PATCH", f"{path}/{{rule_id}}", typed(change, rule_id=int, body=changes, **{"return": one}),
            INBOX_SETTINGS, f"Change one of the {title}",
        ),
        Route(
            "POST", f"{path}/order", typed(order, body=OrderInput, **{"return": many}), INBOX_SETTINGS,
            f"Put the {title} in order", errors=(409,),
        ),
        Route(
            "DELETE", f"{path}/{{rule_id}}", typed(delete, rule_id=int, **{"return": Reply[None]}), INBOX_SETTINGS,
            f"Take one out of the {title}", status=204,
        ),
    ]  # fmt: skip
