"""Signing in with a platform's own app, and saying who one is there."""

from __future__ import annotations

import re
from typing import Annotated

from aiohttp import web
from pydantic import ConfigDict, Field

from scrm import identities, round_trip
from scrm.auth import Identity
from scrm.errors import ApiError, Conflict, Forbidden, NotFound, NotSignedIn, SendError
from scrm.http import PUBLIC, SIGNED_IN, Raw, Reply, Request, Route
from scrm.identities import ways_in
from scrm.oauth import own_address
from scrm.round_trip import Trip, TripCookie
from scrm.routes_agents import IdentityList
from scrm.routes_session import session_cookie
from scrm.views import Id, Input, SentenceView, View, sentence_view

BACK = "/oauth/sign-in"
SAFE_PATH = re.compile(r"^/(?![/\\])[!-~]{0,500}$")
"""Only paths of this page: an address given from outside must not lead elsewhere."""


class WayView(View):
    connection_id: int
    title: SentenceView


class WaysView(View):
    """How people can sign in besides with a password."""

    ways: list[WayView]


class StartQuery(Input):
    next: Annotated[str, Field(max_length=500)] = "/"


class BackQuery(Input):
    """What the platform sends the browser back with; each adds things of its own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,128}$")]
    code: Annotated[str, Field(pattern=r"^[!-~]{0,512}$")] = ""


class BindInput(Input):
    connection_id: Id


class GoView(View):
    url: str


async def ways(request: Request) -> WaysView:
    if not (await request.auth.rules())[1].platform_sign_in:
        return WaysView(ways=[])
    providers = request.services.connections.providers()
    found = []
    for loaded, _ in ways_in(request.services.connections):
        title = sentence_view(providers[loaded.provider].title, loaded.provider)
        if title is not None:
            found.append(WayView(connection_id=loaded.id, title=title))
    return WaysView(ways=found)


async def start(request: Request, connection_id: int, query: StartQuery) -> Raw:
    """Sends the browser to the platform's sign-in page."""
    await _check_allowed(request)
    await request.door.refuse_platform_if_tried_too_often(request.address)
    onward = query.next if SAFE_PATH.match(query.next) else "/"
    url, cookie = await _away(request, Trip("sign_in", connection_id, onward=onward))
    response = web.Response(status=302, headers={"Location": url, "Cache-Control": "no-store"})
    cookie(response)
    return Raw(response)


async def begin_binding(request: Request, body: BindInput) -> Reply[GoView]:
    """Where the browser goes to prove who one is on the platform."""
    principal = request.principal
    if principal.session_id is None:
        raise Forbidden("Sign in with a browser.", code="session_needed")
    trip = Trip("bind", body.connection_id, principal.agent_id, principal.session_id, "/settings/security")
    url, cookie = await _away(request, trip)
    return Reply(GoView(url=url), cookies=(cookie,))


async def back(request: Request, query: BackQuery) -> Raw:
    """The way back: public, because the platform sends the browser, but good only in the browser that left, once."""
    trip: Trip | None = None
    try:
        await request.door.refuse_platform_if_tried_too_often(request.address)
        trip = round_trip.read(request, query.state)
        response = await (_bound(request, query, trip) if trip.goal == "bind" else _signed_in(request, query, trip))
    except ApiError as error:
        page = "/settings/security?identity=" if trip is not None and trip.goal == "bind" else "/sign-in?problem="
        response = _to(f"{page}{error.code}")
    round_trip.forget(response)
    return Raw(response)


async def own(request: Request) -> IdentityList:
    async with request.services.db.pool.acquire() as tx:
        found = await identities.list_identities(tx, request.principal.agent_id, request.services.connections)
    return IdentityList(identities=found)


async def unbind_own(request: Request, identity_id: int) -> None:
    principal = request.principal
    async with request.services.work() as work:
        await identities.unbind(work, principal.agent_id, identity_id, by=principal.agent_id, address=request.address)


async def _signed_in(request: Request, query: BackQuery, trip: Trip) -> web.Response:
    await _check_allowed(request)
    external_id = await _who(request, query, trip)
    async with request.services.work() as work:
        await round_trip.use_up(work, query.state)
        agent_id = await identities.whose(work, trip.connection_id, external_id)
        opened = await request.door.with_platform(work, agent_id, request.raw) if agent_id is not None else None
    if opened is None:
        await request.door.platform_refused(request.address, "unknown_person")
        raise NotSignedIn("Nobody here is this person of the platform.", code="unknown_person")
    response = _to(trip.onward)
    session_cookie(request.services, opened.token)(response)
    return response


async def _bound(request: Request, query: BackQuery, trip: Trip) -> web.Response:
    principal = (await _own_identity(request)).principal
    if (principal.agent_id, principal.session_id) != (trip.agent_id, trip.session_id):
        raise Forbidden("Somebody else began this.", code="bad_state")
    external_id = await _who(request, query, trip)
    async with request.services.work() as work:
        await round_trip.use_up(work, query.state)
        await identities.bind(
            work, principal.agent_id, trip.connection_id, external_id, by=principal.agent_id, address=request.address
        )
    return _to("/settings/security?identity=bound")


async def _own_identity(request: Request) -> Identity:
    # A link from outside, with the cookie of the session (SameSite=Lax).
    return await request.auth.identify(request.raw)


async def _who(request: Request, query: BackQuery, trip: Trip) -> str:
    """The platform's word on whose code it is. Raises :class:`Conflict` (``not_scanned``, ``platform_refused``)."""
    if not query.code:
        raise Conflict("The sign-in was given up.", code="not_scanned")
    adapter = await identities.signing_adapter(request.services, trip.connection_id)
    try:
        return await adapter.identify(query.code)
    except SendError as error:
        await request.door.platform_refused(request.address, error.code)
        raise Conflict(error.reason.en, code="platform_refused") from error


async def _away(request: Request, trip: Trip) -> tuple[str, TripCookie]:
    if trip.connection_id not in {loaded.id for loaded, _ in ways_in(request.services.connections)}:
        raise NotFound("Nobody can sign in there.")
    adapter = await identities.signing_adapter(request.services, trip.connection_id)
    cookie = TripCookie(request.services, trip)
    return adapter.sign_in_address(f"{own_address(request)}{BACK}", cookie.state), cookie


async def _check_allowed(request: Request) -> None:
    if not (await request.auth.rules())[1].platform_sign_in:
        raise Forbidden("Your company signs in with passwords.", code="not_allowed")


def _to(location: str) -> web.Response:
    return web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/sign-in", ways, PUBLIC, "Ways to sign in besides a password"),
        Route(
            "GET",
            "/api/sign-in/{connection_id}",
            start,
            PUBLIC,
            "To the platform's sign-in page",
            status=302,
            errors=(403, 404, 429),
        ),
        Route("GET", BACK, back, PUBLIC, "Back from the platform's sign-in page", status=302),
        Route("GET", "/api/me/identities", own, SIGNED_IN, "Who one is on platforms"),
        Route("POST", "/api/me/identities", begin_binding, SIGNED_IN, "Prove who one is on a platform", errors=(404,)),
        Route("DELETE", "/api/me/identities/{identity_id}", unbind_own, SIGNED_IN, "No longer sign in there"),
    ]
