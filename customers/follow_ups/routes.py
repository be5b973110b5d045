"""Follow-ups over HTTP."""

from __future__ import annotations

from customers.follow_ups.correct import correct, delete
from customers.follow_ups.kinds import SETTINGS, FollowUpSettings, OwnKind
from customers.follow_ups.note import note
from customers.follow_ups.queries import FollowUpQuery, follow_up, follow_ups
from customers.follow_ups.views import FollowUpEdit, FollowUpInput, FollowUpPage, FollowUpView
from customers.queries import customer_row
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_SETTINGS, CUSTOMERS_WRITE
from scrm.trail import record
from scrm.undo import undoable
from scrm.views import View


class FollowUpSettingsView(View):
    """``hidden``: built-in kinds that are not offered."""

    kinds: list[OwnKind]
    hidden: list[str]
    outcomes: list[str]


async def page(request: Request, customer_id: int, query: FollowUpQuery) -> FollowUpPage:
    async with request.services.db.pool.acquire() as tx:
        row = await customer_row(tx, request.principal, customer_id)
        return await follow_ups(tx, request.principal, row["id"], query, request.services.clock.now())


async def write(request: Request, customer_id: int, body: FollowUpInput) -> Reply[FollowUpView]:
    async with request.services.work() as work:
        follow_up_id, step = await note(work, request.principal, customer_id, body)
        view = await follow_up(work.tx, request.principal, follow_up_id, work.now)
    return undoable(view, step, status=201)


async def edit(request: Request, follow_up_id: int, body: FollowUpEdit) -> FollowUpView:
    async with request.services.work() as work:
        await correct(work, request.principal, follow_up_id, body, address=request.address)
        return await follow_up(work.tx, request.principal, follow_up_id, work.now)


async def remove(request: Request, follow_up_id: int) -> Reply[None]:
    async with request.services.work() as work:
        step = await delete(work, request.principal, follow_up_id, address=request.address)
    return undoable(None, step, status=204)


async def settings(request: Request) -> FollowUpSettingsView:
    return _shown(await SETTINGS.load(request.services.db))


async def change_settings(request: Request, body: FollowUpSettings) -> FollowUpSettingsView:
    me = request.principal.agent_id
    async with request.services.work() as work:
        await SETTINGS.save(work, body, by=me)
        await record(work, "follow_up.settings_changed", agent_id=me, address=request.address)
    return _shown(body)


def _shown(held: FollowUpSettings) -> FollowUpSettingsView:
    return FollowUpSettingsView(kinds=list(held.kinds), hidden=list(held.hidden), outcomes=list(held.outcomes))


def api_routes() -> list[Route]:
    of_customer, one = "/api/customers/{customer_id}/follow-ups", "/api/follow-ups/{follow_up_id}"
    return [
        Route("GET", of_customer, page, CUSTOMERS_READ, "What was said to a customer, newest first"),
        Route(
            "POST", of_customer, write, CUSTOMERS_WRITE, "Write down a follow-up, and the next step", status=201,
            errors=(409,),
        ),
        Route("PATCH", one, edit, CUSTOMERS_WRITE, "Correct a follow-up", errors=(409,)),
        Route("DELETE", one, remove, CUSTOMERS_WRITE, "Delete a follow-up", status=204, errors=(409,)),
        Route("GET", "/api/settings/follow-ups", settings, CUSTOMERS_READ, "Kinds of follow-ups and outcomes"),
        Route("PATCH", "/api/settings/follow-ups", change_settings, CUSTOMERS_SETTINGS, "Change them"),
    ]  # fmt: skip
