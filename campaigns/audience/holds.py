"""Customers whom no campaign may reach: they said so, or a complaint of theirs is open."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from customers.queries import customer_row, row_to_change
from customers.timeline import Line, tell
from scrm.db import Tx
from scrm.errors import NotFound
from scrm.http import Reply, Request, Route
from scrm.permissions import CUSTOMERS_READ, CUSTOMERS_WRITE
from scrm.views import Input, View

Kind = Literal["opted_out", "complaint"]
LIST = """
select h.id, h.kind, h.note, h.by_id, a.name as by_name, h.word, h.at from campaign_hold h left join agent a on a.id = h.by_id
where h.customer_id = $1 and h.ended_at is null order by h.at, h.id
"""
INSERT = """
insert into campaign_hold (customer_id, kind, note, by_id, at) values ($1, $2, $3, $4, $5)
on conflict (customer_id, open_kind) do nothing returning id
"""
END = "update campaign_hold set ended_at = $3, ended_by = $4 where customer_id = $1 and kind = $2 and ended_at is null returning id"


class HoldView(View):
    """``word``: what the customer answered a post with, when that opened it by itself; nobody did then."""

    id: int
    kind: Kind
    note: str
    by_id: int | None
    by_name: str | None
    word: str
    at: datetime


class HoldList(View):
    holds: list[HoldView]


class HoldInput(Input):
    kind: Kind
    note: Annotated[str, Field(max_length=500)] = ""


class HoldQuery(Input):
    kind: Kind


async def _holds(tx: Tx, customer_id: int) -> HoldList:
    return HoldList(holds=[HoldView(**dict(row)) for row in await tx.fetch(LIST, customer_id)])


async def holds(request: Request, customer_id: int) -> HoldList:
    async with request.services.db.pool.acquire() as tx:
        row = await customer_row(tx, request.principal, customer_id)
        return await _holds(tx, row["id"])


async def hold(request: Request, customer_id: int, body: HoldInput) -> HoldList:
    """Again is harmless."""
    async with request.services.work() as work:
        row = await row_to_change(work.tx, request.principal, customer_id)
        made = await work.tx.fetchval(INSERT, row["id"], body.kind, body.note, request.principal.agent_id, work.now)
        if made is not None:
            line = Line(
                row["id"],
                "campaign.held",
                agent_id=request.principal.agent_id,
                data={"hold": body.kind, "note": body.note},
            )
            await tell(work, [line])
            work.ring("customer", row["id"])
        return await _holds(work.tx, row["id"])


async def release(request: Request, customer_id: int, query: HoldQuery) -> Reply[HoldList]:
    async with request.services.work() as work:
        row = await row_to_change(work.tx, request.principal, customer_id)
        if await work.tx.fetchval(END, row["id"], query.kind, work.now, request.principal.agent_id) is None:
            raise NotFound("Nothing of this kind holds this customer.")
        await tell(
            work, [Line(row["id"], "campaign.released", agent_id=request.principal.agent_id, data={"hold": query.kind})]
        )
        work.ring("customer", row["id"])
        return Reply(await _holds(work.tx, row["id"]))


def api_routes() -> list[Route]:
    path = "/api/customers/{customer_id}/holds"
    return [
        Route("GET", path, holds, CUSTOMERS_READ, "What keeps campaigns from a customer"),
        Route("POST", path, hold, CUSTOMERS_WRITE, "Keep campaigns from a customer", errors=(422,)),
        Route("DELETE", path, release, CUSTOMERS_WRITE, "Let campaigns reach a customer again", errors=(422,)),
    ]
