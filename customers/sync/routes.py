"""Keeping in step over HTTP: its state and "now", relations of a customer, customer groups."""

from __future__ import annotations

from customers.queries import customer_row
from customers.scope import CHANGED, CustomerScope
from customers.sync import runs
from customers.sync.describe import RelationInput, describe
from customers.sync.group_views import (
    GroupChatView,
    GroupPage,
    GroupPeople,
    GroupQuery,
    PeopleQuery,
    group_page,
    group_people,
    group_view,
)
from customers.sync.readings import keeps_step
from customers.sync.relation_views import RelationsView, relations_view
from customers.sync.state_views import SyncList, SyncView, sync_views
from scrm.db import Tx
from scrm.errors import Conflict, NotFound
from scrm.http import Request, Route
from scrm.permissions import CONNECTIONS_MANAGE, CONNECTIONS_READ, CUSTOMERS_READ, CUSTOMERS_WRITE
from scrm.trail import record

MAY_CHANGE = f"select {CHANGED} from customer u where u.id = $4"  # noqa: S608 - made of constants


async def state(request: Request) -> SyncList:
    async with request.services.db.pool.acquire() as tx:
        return SyncList(connections=await sync_views(tx, request.services.connections))


async def now(request: Request, connection_id: int) -> SyncView:
    """Asked while one runs: that one is shown."""
    services = request.services
    loaded = next((one for one in services.connections.all() if one.id == connection_id), None)
    if loaded is None or not keeps_step(loaded):
        raise NotFound("There is no such connection, or nothing of it is kept in step.")
    if loaded.paused:
        raise Conflict("This connection is paused; resume it first.")
    async with services.work() as work:
        if await runs.begin(work, connection_id, "hand", request.principal.agent_id):
            await record(
                work, "connection.compared", agent_id=request.principal.agent_id, object_kind="connection",
                object_id=connection_id, address=request.address,
            )  # fmt: skip
        return (await sync_views(work.tx, services.connections, connection_id))[0]


async def relations(request: Request, customer_id: int) -> RelationsView:
    async with request.services.db.pool.acquire() as tx:
        row = await customer_row(tx, request.principal, customer_id)
        return await _relations(request, tx, row["id"])


async def change_relation(request: Request, relation_id: int, body: RelationInput) -> RelationsView:
    services = request.services
    async with services.work() as work:
        customer_id = await describe(
            work, request.principal, services.connections, relation_id, body, address=request.address
        )
        return await _relations(request, work.tx, customer_id)


async def _relations(request: Request, tx: Tx, customer_id: int) -> RelationsView:
    changeable = await tx.fetchval(MAY_CHANGE, *CustomerScope.of(request.principal).arguments, customer_id)
    return await relations_view(
        tx, request.principal, request.services.connections, customer_id, changeable=bool(changeable)
    )


async def groups(request: Request, query: GroupQuery) -> GroupPage:
    async with request.services.db.pool.acquire() as tx:
        return await group_page(tx, request.principal, query)


async def group(request: Request, group_id: int) -> GroupChatView:
    async with request.services.db.pool.acquire() as tx:
        return await group_view(tx, request.principal, group_id)


async def people(request: Request, group_id: int, query: PeopleQuery) -> GroupPeople:
    async with request.services.db.pool.acquire() as tx:
        return await group_people(tx, request.principal, group_id, query)


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/sync", state, CONNECTIONS_READ, "How keeping relations, tags and groups in step is doing"),
        Route(
            "POST", "/api/connections/{connection_id}/sync", now, CONNECTIONS_MANAGE,
            "Compare everything with the platform now", errors=(409,),
        ),
        Route(
            "GET", "/api/customers/{customer_id}/relations", relations, CUSTOMERS_READ,
            "A customer's relations with employees, and the groups they are in",
        ),
        Route(
            "PATCH", "/api/relations/{relation_id}", change_relation, CUSTOMERS_WRITE,
            "Write remark, description, company or phones into a relation", errors=(409,),
        ),
        Route("GET", "/api/groups", groups, CUSTOMERS_READ, "Customer groups, newest first"),
        Route("GET", "/api/groups/{group_id}", group, CUSTOMERS_READ, "A customer group"),
        Route("GET", "/api/groups/{group_id}/people", people, CUSTOMERS_READ, "Who is, or was, in a group"),
    ]  # fmt: skip
