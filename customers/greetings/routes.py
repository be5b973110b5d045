"""Greetings over HTTP: what is set, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from customers.greetings.content import NAMES, Content
from customers.greetings.greeter import seconds_taken
from customers.greetings.welcomes import (
    WelcomeInput,
    WelcomeList,
    WelcomeView,
    add_welcome,
    change_welcome,
    delete_welcome,
    list_welcomes,
    one_welcome,
)
from customers.scope import SEEN, CustomerScope
from scrm.channel_contacts import GreetsNewContacts
from scrm.db import Row
from scrm.errors import NotFound
from scrm.handing_out import hand_out
from scrm.http import Raw, Reply, Request, Route
from scrm.permissions import CODES_MANAGE, CUSTOMERS_READ
from scrm.views import Id, Input, SentenceView, View, sentence_view

State = Literal["queued", "sending", "sent", "already", "late", "refused", "uncertain", "none"]

# Whom the asker does not see stays without a name.
SENT = f"""
select g.id, g.state, g.reason, g.at, g.finished_at, g.text, g.welcome_id, g.account_key, g.contact_code_id, g.contact_id,
  code.name as code_name, coalesce(a.name, nullif(d.name, ''), g.account_key) as account_name, u.id as customer_id,
  u.name as customer_name
from greeting g left join contact_code code on code.id = g.contact_code_id left join account a on a.id = g.account_id
left join directory_member d on d.connection_id = g.connection_id and d.external_id = g.account_key
left join contact k on k.id = g.contact_id left join customer u on u.id = k.customer_id and u.deleted_at is null and $7 and {SEEN}
where ($4::bigint is null or g.id < $4) and ($5::bigint is null or g.contact_code_id = $5)
  and ($6::text is null or g.state = $6)
order by g.id desc limit $8
"""  # noqa: S608 - made of constants
COUNTS = """
select state, count(*) as n from greeting where at > $1 and ($2::bigint is null or contact_code_id = $2) group by state
"""


class WelcomeHints(View):
    """What a greeting may hold: ``variables``, the most bytes of text and the most attachments, and the seconds that platforms
    leave for it. ``possible``: some connection greets."""

    possible: bool
    variables: list[str]
    text_bytes: int
    parts: int
    seconds: float


class GreetingView(View):
    """``seconds``: from the event to the end. ``customer_id`` null: not known (yet), or not for the asker."""

    id: int
    state: State
    reason: SentenceView | None
    at: datetime
    seconds: float | None
    text: str
    code_id: int | None
    code_name: str | None
    account_name: str
    customer_id: int | None
    customer_name: str | None


class GreetingPage(View):
    """Newest first."""

    greetings: list[GreetingView]
    more: bool


class GreetingQuery(Input):
    before: Id | None = None
    code_id: Id | None = None
    state: State | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


def _view(row: Row) -> GreetingView:
    return GreetingView(
        id=row["id"],
        state=row["state"],
        reason=sentence_view(row["reason"]),
        at=row["at"],
        seconds=seconds_taken(row["at"], row["finished_at"]),
        text=row["text"],
        code_id=row["contact_code_id"],
        code_name=row["code_name"],
        account_name=row["account_name"],
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
    )


async def sent(request: Request, query: GreetingQuery) -> GreetingPage:
    who = request.principal
    rows = await request.services.db.fetch(
        SENT,
        *CustomerScope.of(who).arguments,
        query.before,
        query.code_id,
        query.state,
        who.may(CUSTOMERS_READ),
        query.limit + 1,
    )
    return GreetingPage(greetings=[_view(row) for row in rows[: query.limit]], more=len(rows) > query.limit)


async def hints(request: Request) -> WelcomeHints:
    able = [one.adapter for one in request.services.connections.all() if isinstance(one.adapter, GreetsNewContacts)]
    return WelcomeHints(
        possible=bool(able),
        variables=list(NAMES),
        text_bytes=min((one.greeting_text_bytes for one in able), default=4000),
        parts=min((one.greeting_parts for one in able), default=9),
        seconds=min((one.greeting_seconds for one in able), default=20.0),
    )


async def welcomes(request: Request) -> WelcomeList:
    async with request.services.db.pool.acquire() as tx:
        return await list_welcomes(tx)


async def show(request: Request, welcome_id: int) -> WelcomeView:
    async with request.services.db.pool.acquire() as tx:
        return await one_welcome(tx, welcome_id)


async def add(request: Request, body: WelcomeInput) -> Reply[WelcomeView]:
    async with request.services.work() as work:
        made = await add_welcome(work, request.principal, body, address=request.address)
        return Reply(await one_welcome(work.tx, made), status=201)


async def change(request: Request, welcome_id: int, body: WelcomeInput) -> WelcomeView:
    async with request.services.work() as work:
        await change_welcome(work, request.principal, welcome_id, body, address=request.address)
        return await one_welcome(work.tx, welcome_id)


async def remove(request: Request, welcome_id: int) -> None:
    async with request.services.work() as work:
        await delete_welcome(work, request.principal, welcome_id, address=request.address)


async def file(request: Request, welcome_id: int, which: str, number: int) -> Raw:
    """``which``: ``content`` or ``off``."""
    row = await request.services.db.fetchrow("select content, off from welcome where id = $1", welcome_id)
    said = row[which] if row is not None and which in ("content", "off") else None
    parts = Content.model_validate(said).parts if said else ()
    found = parts[number - 1].file if 1 <= number <= len(parts) else None
    if found is None:
        raise NotFound("There is no such file.")
    return await hand_out(request, found.model_dump())


def api_routes() -> list[Route]:
    one = "/api/welcomes/{welcome_id}"
    manage = CODES_MANAGE
    return [
        Route("GET", "/api/welcomes", welcomes, manage, "What greets new contacts who came by no code of its own greeting"),
        Route("GET", "/api/welcomes/hints", hints, manage, "What a greeting may hold"),
        Route("POST", "/api/welcomes", add, manage, "Set a greeting for members, teams or everybody", status=201, errors=(409,)),
        Route("GET", one, show, manage, "One of them"),
        Route("PATCH", one, change, manage, "Change it: the whole of it is given", errors=(409,)),
        Route("DELETE", one, remove, manage, "Delete it", status=204),
        Route("GET", f"{one}/files/{{which}}/{{number}}", file, manage, "A file of its attachments", also=(206, 304),
              errors=(416,), binary="application/octet-stream"),
        Route("GET", "/api/greetings", sent, manage, "What became of the greetings, newest first"),
    ]  # fmt: skip
