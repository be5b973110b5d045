"""Connections to platforms: added, tried, paused, granted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import ConfigDict, Field

from scrm import oauth
from scrm.channel import Provider
from scrm.db import Tx
from scrm.errors import BadRequest, NotFound, Unprocessable
from scrm.health_views import ConnectionView, connection_views
from scrm.http import PUBLIC, Raw, Reply, Request, Route
from scrm.permissions import CONNECTIONS_MANAGE, CONNECTIONS_READ
from scrm.services import Work
from scrm.trail import record
from scrm.views import Input, Line, SentenceView, View, sentence_view

ERRORS = """
select code, hour, reason, n, last_at from connection_error where connection_id = $1 order by last_at desc limit 30
"""

Name = Annotated[str, Field(max_length=100)]
Value = Annotated[str, Field(max_length=4000)]
Values = Annotated[dict[Name, Value], Field(max_length=50)]


class ChoiceOfField(View):
    value: str
    label: SentenceView


class FieldView(View):
    """``choices`` empty: any text."""

    name: str
    label: SentenceView
    help: SentenceView
    secret: bool
    required: bool
    default: str
    choices: list[ChoiceOfField]


class ProviderView(View):
    name: str
    title: SentenceView
    fields: list[FieldView]


class ProviderList(View):
    providers: list[ProviderView]


class ConnectionList(View):
    connections: list[ConnectionView]


class NewConnection(Input):
    provider: Name
    name: Line
    settings: Values = Field(default_factory=dict)
    secrets: Values = Field(default_factory=dict)


class ConnectionInput(Input):
    """What is absent stays, each secret on its own."""

    name: Line | None = None
    settings: Values | None = None
    secrets: Values | None = None


class DeleteInput(Input):
    """``name``: as a proof that this one is meant."""

    name: Annotated[str, Field(max_length=100)]


class ConnectionErrorView(View):
    """What went wrong ``n`` times in the hour from ``hour`` on."""

    hour: datetime
    last_at: datetime
    n: int
    reason: SentenceView


class ConnectionErrors(View):
    errors: list[ConnectionErrorView]


class TestView(View):
    ok: bool
    sentence: SentenceView


class AuthoriseView(View):
    url: str


class GrantedQuery(Input):
    """What a platform's consent page sends the browser back with; each adds things of its own, which do not matter."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,300}$")]
    code: Annotated[str, Field(pattern=r"^[!-~]{0,1000}$")] = ""


async def providers(request: Request) -> ProviderList:
    known = request.services.connections.providers()
    return ProviderList(providers=[_provider(known[name]) for name in sorted(known)])


async def connections(request: Request) -> ConnectionList:
    services = request.services
    async with services.db.pool.acquire() as tx:
        return ConnectionList(connections=await connection_views(tx, services.connections, services.clock.now()))


async def add(request: Request, body: NewConnection) -> Reply[ConnectionView]:
    services = request.services
    async with services.work() as work:
        connection_id = await services.connections.create(work, body.provider, body.name, body.settings, body.secrets)
        await _record(work, request, "connection.created", connection_id)
    await services.connections.refresh()
    return Reply(await _one(request, connection_id), status=201)


async def change(request: Request, connection_id: int, body: ConnectionInput) -> ConnectionView:
    services = request.services
    async with services.work() as work:
        await services.connections.update(
            work, connection_id, name=body.name, settings=body.settings, secret_values=body.secrets
        )
        await _record(work, request, "connection.changed", connection_id)
    await services.connections.refresh()
    return await _one(request, connection_id)


async def test(request: Request, connection_id: int) -> TestView:
    await _one(request, connection_id)
    ok, sentence = await request.services.connections.test(connection_id)
    return TestView(ok=ok, sentence=SentenceView(code="ok" if ok else "failed", zh=sentence.zh, en=sentence.en))


async def pause(request: Request, connection_id: int) -> ConnectionView:
    async with request.services.work() as work:
        await request.services.connections.pause(work, connection_id)
        await _record(work, request, "connection.paused", connection_id)
    return await _one(request, connection_id)


async def resume(request: Request, connection_id: int) -> ConnectionView:
    async with request.services.work() as work:
        await request.services.connections.resume(work, connection_id)
        await _record(work, request, "connection.resumed", connection_id)
    return await _one(request, connection_id)


async def remove(request: Request, connection_id: int, body: DeleteInput) -> None:
    view = await _one(request, connection_id)
    if body.name.strip() != view.name:
        raise Unprocessable("Type the name of the connection.", fields={"name": "This is not its name."})
    async with request.services.work() as work:
        await request.services.connections.delete(work, connection_id)
        await record(
            work, "connection.deleted", agent_id=request.principal.agent_id, object_kind="connection",
            object_id=connection_id, address=request.address, detail={"name": view.name, "provider": view.provider},
        )  # fmt: skip
    await request.services.connections.refresh()


async def errors(request: Request, connection_id: int) -> ConnectionErrors:
    """The newest first."""
    await _one(request, connection_id)
    rows = await request.services.db.fetch(ERRORS, connection_id)
    return ConnectionErrors(
        errors=[
            ConnectionErrorView(hour=row["hour"], last_at=row["last_at"], n=row["n"], reason=sentence)
            for row in rows
            if (sentence := sentence_view(row["reason"], row["code"])) is not None
        ]
    )


async def authorise(request: Request, connection_id: int) -> AuthoriseView:
    """The platform's own address where a person agrees; it sends the browser back to us."""
    view = await _one(request, connection_id)
    state = oauth.make_state(request.services, request.principal, connection_id)
    back = f"{oauth.own_address(request)}/oauth/{view.provider}/{view.key}"
    return AuthoriseView(url=await request.services.connections.authorise_url(connection_id, back, state))


async def granted(request: Request, provider: str, key: str, query: GrantedQuery) -> Raw:
    """The way back: public, because the platform sends the browser, but good only with our own state in this session."""
    connection_id = await oauth.check_state(request, query.state)
    loaded = await request.services.connections.by_key(provider, key)
    if loaded.id != connection_id:
        raise BadRequest("This consent was asked for another connection.", code="bad_state")
    if not query.code:
        return Raw(web.Response(status=302, headers={"Location": "/settings/connections?authorised=refused"}))
    await request.services.connections.authorised(connection_id, query.code)
    async with request.services.work() as work:
        await _record(work, request, "connection.authorised", connection_id)
    return Raw(web.Response(status=302, headers={"Location": "/settings/connections?authorised=done"}))


async def _one(request: Request, connection_id: int) -> ConnectionView:
    services = request.services
    async with services.db.pool.acquire() as tx:
        return await _view(tx, request, connection_id)


async def _view(tx: Tx, request: Request, connection_id: int) -> ConnectionView:
    services = request.services
    views = await connection_views(tx, services.connections, services.clock.now(), connection_id)
    if not views:
        raise NotFound("There is no such connection.")
    return views[0]


async def _record(work: Work, request: Request, action: str, connection_id: int) -> None:
    agent_id = request.identity.principal.agent_id if request.identity is not None else None
    await record(
        work, action, agent_id=agent_id, object_kind="connection", object_id=connection_id, address=request.address
    )


def _provider(provider: Provider) -> ProviderView:
    title = sentence_view(provider.title, provider.name)
    fields = [
        FieldView(
            name=one.name,
            label=SentenceView(code=one.name, zh=one.label.zh, en=one.label.en),
            help=SentenceView(code=f"{one.name}.help", zh=one.help.zh, en=one.help.en),
            secret=one.secret,
            required=one.required,
            default=one.default,
            choices=[
                ChoiceOfField(value=value, label=SentenceView(code=f"{one.name}.{value}", zh=label.zh, en=label.en))
                for value, label in one.choices
            ],
        )
        for one in provider.fields
    ]
    return ProviderView(name=provider.name, title=title or SentenceView(code="", zh="", en=""), fields=fields)


def api_routes() -> list[Route]:
    one = "/api/connections/{connection_id}"
    return [
        Route("GET", "/api/providers", providers, CONNECTIONS_READ, "Platforms that can be connected"),
        Route("GET", "/api/connections", connections, CONNECTIONS_READ, "Connections and how they are doing"),
        Route("POST", "/api/connections", add, CONNECTIONS_MANAGE, "Add a connection", status=201),
        Route("PATCH", one, change, CONNECTIONS_MANAGE, "Change a connection"),
        Route("POST", f"{one}/test", test, CONNECTIONS_MANAGE, "Ask the platform whether it works"),
        Route("POST", f"{one}/pause", pause, CONNECTIONS_MANAGE, "Stop sending and pulling"),
        Route("POST", f"{one}/resume", resume, CONNECTIONS_MANAGE, "Go on"),
        Route("POST", f"{one}/delete", remove, CONNECTIONS_MANAGE, "Delete one that was never used", errors=(409,)),
        Route("GET", f"{one}/errors", errors, CONNECTIONS_READ, "What went wrong lately"),
        Route("POST", f"{one}/authorise", authorise, CONNECTIONS_MANAGE, "Where a person agrees", errors=(409,)),
        Route(
            "GET", "/oauth/{provider}/{key}", granted, PUBLIC, "Back from the platform's consent page", status=302,
            errors=(400, 401, 403, 409),
        ),
    ]  # fmt: skip
