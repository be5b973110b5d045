"""The route table's words. A module lists its :class:`Route` values; ``scrm.webserver`` turns them into a server and
``scrm.openapi`` into a description, both from the handlers' own types.

A handler is a plain function::

    async def show(request: Request, conversation_id: int, query: PageQuery) -> MessagePage: ...

    Route("GET", "/api/conversations/{conversation_id}/messages", show, INBOX_READ, "A page of messages")

``request`` comes first, path parameters are arguments of their name (``int`` or ``str``), ``query`` and ``body`` are pydantic
models. It returns a model, None (204), or a :class:`Reply` when status, headers or bytes are special. It refuses by raising an
:class:`~scrm.errors.ApiError`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from scrm.auth import Auth, Identity
from scrm.permissions import Principal
from scrm.privacy import HEADER, Act, Reasons
from scrm.services import Services
from scrm.sign_in import Door

SIGNED_IN = "signed in"
PUBLIC = "public"
Method = Literal["GET", "POST", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[Any]]
BodyT = TypeVar("BodyT")


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler knows about who asks and what it may use."""

    services: Services
    auth: Auth
    door: Door
    identity: Identity | None
    raw: web.Request
    reasons: Reasons

    async def need_reason(self, act: Act, object_id: int = 0) -> None:
        """Raises :class:`~scrm.privacy.ReasonNeeded` when the company's policy wants to know why."""
        await self.reasons.need(self.principal, act, object_id, self.raw.headers.get(HEADER), self.address)

    @property
    def principal(self) -> Principal:
        """The signed-in agent; routes that are PUBLIC have none."""
        if self.identity is None:
            raise LookupError("a public route has no principal")
        return self.identity.principal

    @property
    def address(self) -> str:
        return self.auth.addresses.client(self.raw)


@dataclass(frozen=True, slots=True)
class Reply(Generic[BodyT]):
    """An answer with its own status or headers."""

    body: BodyT
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[Callable[[web.StreamResponse], None], ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is no JSON: a redirect, a file, a socket. Its response is already made."""

    response: web.StreamResponse


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. ``errors`` are statuses beyond those that follow from the types (401, 403, 404 for a path
    parameter, 400/413/415/422 for a body, 422 for a query, 503)."""

    method: Method
    path: str
    handler: Handler
    permission: str
    summary: str
    status: int = 200
    also: tuple[int, ...] = ()
    errors: tuple[int, ...] = ()
    body_limit: int = 1 << 20
    upload: bool = False
    """The body is multipart with one field ``file``, read by the handler itself."""
    binary: str = ""
    """The answer is bytes of this media type."""
    unfinished: bool = False
    """Open to a session that still lacks its code, a new password or a second factor."""
    reason: Act | None = None
    """The company's policy may ask why, before anything is looked up: of one thing (the path's first number) or, for exports and
    evidence, of all."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the types of a handler say."""

    path: Mapping[str, type]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    raw: bool


@lru_cache(maxsize=4096)
def shape_of(route: Route) -> Shape:
    """Raises ``TypeError`` for a handler that does not fit its path: found at the start, not by a user."""
    hints = get_type_hints(route.handler)
    named = {part[1:-1] for part in route.path.split("/") if part.startswith("{")}
    parameters = list(inspect.signature(route.handler).parameters)
    where = f"{route.method} {route.path} ({route.handler.__name__})"
    if not parameters or hints.get(parameters[0]) is not Request:
        raise TypeError(f"{where}: the first argument is the Request")
    rest = set(parameters[1:])
    path = {name: hints[name] for name in parameters[1:] if name not in ("query", "body")}
    if set(path) != named or any(kind not in (int, str) for kind in path.values()):
        raise TypeError(f"{where}: path parameters {sorted(named)} and arguments {sorted(path)} differ")
    answer = hints.get("return", type(None))
    if get_origin(answer) is Reply:
        answer = get_args(answer)[0]
    raw = answer is Raw
    if not raw and answer is not type(None) and not (isinstance(answer, type) and issubclass(answer, BaseModel)):
        raise TypeError(f"{where}: returns {answer}, which is no model")
    return Shape(
        path,
        hints["query"] if "query" in rest else None,
        hints["body"] if "body" in rest else None,
        None if raw or answer is type(None) else answer,
        raw,
    )
