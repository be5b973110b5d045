"""Rules for tags and stages over HTTP: the same routes for both kinds, each with the shape of its own data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from customers.rules import book, history
from customers.rules.act import Rule
from customers.rules.book import RuleKind
from customers.rules.causes import MODELS
from customers.rules.history import RuleTrialView
from scrm.db import Row
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_SETTINGS
from scrm.undo import Kind, undoable
from scrm.views import Id, Input, Line, View

TITLES: dict[RuleKind, str] = {"tag": "rules that tag customers", "stage": "rules that move customers on"}


class CustomerRuleFields(View):
    """``hits``: for how many customers it acted. ``applying``: it is going over what has been."""

    id: int
    name: str
    position: int
    enabled: bool
    updated_at: datetime
    hits: int
    applying: bool


class RuleOrder(Input):
    """Every id of the list, in the new order."""

    ids: Annotated[list[Id], Field(max_length=book.MOST)]


def api_routes() -> list[Route]:
    return [route for kind in TITLES for route in _routes(kind)]


def undo_kinds() -> dict[str, Kind]:
    return book.undo_kinds()


def _routes(kind: RuleKind) -> list[Route]:
    """The types are made from the kind's model, so the description of the API names them exactly."""
    model = MODELS[kind]
    name = f"Customer{model.__name__}"
    optional: Any = model | None
    shown: Any = create_model(f"{name}View", __base__=CustomerRuleFields, data=(model, ...))
    many: Any = create_model(f"{name}List", __base__=View, rules=(list[shown], ...))
    new: Any = create_model(f"New{name}", __base__=Input, name=(Line, ...), enabled=(bool, True), data=(model, ...))
    changes: Any = create_model(
        f"{name}Input", __base__=Input, name=(Line | None, None), enabled=(bool | None, None), data=(optional, None)
    )
    tried: Any = create_model(f"{name}Trial", __base__=Input, rule_id=(Id | None, None), data=(model, ...))

    def view(row: Row) -> BaseModel:
        made: BaseModel = shown.model_validate(dict(row))
        return made

    async def listed(request: Request) -> Any:
        return many(rules=[view(row) for row in await book.listed(request.services.db, kind)])

    async def create(request: Request, body: Any) -> Any:
        async with request.services.work() as work:
            made = await book.create(work, request.principal, kind, body.name, body.enabled, body.data)
            return Reply(view(await book.one(work.tx, kind, made)), status=201)

    async def change(request: Request, rule_id: int, body: Any) -> Any:
        async with request.services.work() as work:
            await book.change(work, request.principal, kind, rule_id, body.name, body.enabled, body.data)
            return view(await book.one(work.tx, kind, rule_id))

    async def order(request: Request, body: RuleOrder) -> Any:
        async with request.services.work() as work:
            await book.put_in_order(work, request.principal, kind, body.ids)
            return many(rules=[view(row) for row in await book.listed(work.tx, kind)])

    async def delete(request: Request, rule_id: int) -> Any:
        async with request.services.work() as work:
            return undoable(None, await book.delete(work, request.principal, kind, rule_id), status=204)

    async def trial(request: Request, body: Any) -> RuleTrialView:
        async with request.services.work() as work:
            await book.check(work.tx, body.data)
            rule = Rule(body.rule_id or 0, "", body.data)
            return await history.trial(work.tx, request.principal, rule, work.now)

    async def apply(request: Request, rule_id: int) -> Any:
        async with request.services.work() as work:
            await book.one(work.tx, kind, rule_id)
            await history.begin(work, rule_id)
            return view(await book.one(work.tx, kind, rule_id))

    def typed(handler: Callable[..., Awaitable[Any]], **hints: Any) -> Callable[..., Awaitable[Any]]:
        handler.__annotations__ = {"request": Request, **hints}
        return handler

    path, title, may = f"/api/customer-rules/{kind}", TITLES[kind], CUSTOMERS_SETTINGS
    one = f"{path}/{{rule_id}}"
    return [
        Route("GET", path, typed(listed, **{"return": many}), may, f"The {title}, in order"),
        Route("POST", path, typed(create, body=new, **{"return": Reply[shown]}), may, f"Add to the {title}", status=201),
        Route("POST", f"{path}/order", typed(order, body=RuleOrder, **{"return": many}), may, f"Put the {title} in order", errors=(409,)),
        Route("POST", f"{path}/try", typed(trial, body=tried, **{"return": RuleTrialView}), may, f"Whom one of the {title} would change"),
        Route("PATCH", one, typed(change, rule_id=int, body=changes, **{"return": shown}), may, f"Change one of the {title}"),
        Route("DELETE", one, typed(delete, rule_id=int, **{"return": Reply[None]}), may, f"Take one out of the {title}", status=204),
        Route("POST", f"{one}/apply", typed(apply, rule_id=int, **{"return": shown}), may, f"Let one of the {title} act on what has been"),
    ]  # fmt: skip
