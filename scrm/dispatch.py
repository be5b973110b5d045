"""From a line of the route table to a handler of the server: identify, permit, read, call, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from scrm.answering import answer, failure, refusal
from scrm.auth import SAFE_METHODS, Auth, Identity
from scrm.db import RETRYABLE
from scrm.errors import ApiError, Conflict, Forbidden
from scrm.http import PUBLIC, SIGNED_IN, Request, Route, shape_of
from scrm.packing import pack
from scrm.privacy import Reasons
from scrm.reading import path_value, read_body, read_query
from scrm.services import Services
from scrm.sign_in import Door

TRIES = 4
HELD = "SC001"
"""What the database says when something is deleted that a legal hold keeps."""

Served = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(route: Route, services: Services, auth: Auth, door: Door, reasons: Reasons) -> Served:
    shape = shape_of(route)
    where = f"{route.method} {route.path}"

    async def respond(raw: web.Request) -> web.StreamResponse:
        identity = await permitted(raw)
        arguments: dict[str, object] = {
            name: path_value(kind, raw.match_info[name]) for name, kind in shape.path.items()
        }
        query = read_query(raw, shape.query)
        if query is not None:
            arguments["query"] = query
        if shape.body is not None:
            arguments["body"] = await read_body(raw, shape.body, route.body_limit)
        request = Request(services, auth, door, identity, raw, reasons)
        if route.reason is not None:
            await request.need_reason(route.reason, _object(route, arguments))
        for attempt in range(1, TRIES + 1):
            try:
                return pack(raw, route.path, answer(await route.handler(request, **arguments), route.status))
            except RETRYABLE:
                # Its unit of work lost a race and was undone; an upload's body is read and gone.
                if attempt == TRIES or route.upload:
                    raise
                await asyncio.sleep(0.01 * attempt)
        raise AssertionError("unreachable")

    async def permitted(raw: web.Request) -> Identity | None:
        if route.permission == PUBLIC:
            if raw.method not in SAFE_METHODS and not auth.addresses.same_origin(raw):
                raise Forbidden("This request comes from another site.", code="csrf")
            return None
        identity = await auth.identify(raw, unfinished=route.unfinished)
        if route.permission != SIGNED_IN and not identity.principal.may(route.permission):
            raise Forbidden(f"This needs the permission {route.permission}.")
        return identity

    async def served(raw: web.Request) -> web.StreamResponse:
        try:
            return await respond(raw)
        except ApiError as error:
            return refusal(error)
        except (asyncio.CancelledError, web.HTTPException):
            raise
        except Exception as error:
            if getattr(error, "sqlstate", "") == HELD:
                return refusal(
                    Conflict("A legal hold keeps this: nothing was deleted. Lift the hold first.", code="held")
                )
            return failure(error, where)

    return served


def _object(route: Route, arguments: dict[str, object]) -> int:
    """Why a number is looked at is asked for each; why sheets are made, once for all."""
    numbers = [one for one in arguments.values() if isinstance(one, int)]
    return numbers[0] if numbers and route.reason not in ("export", "evidence") else 0
