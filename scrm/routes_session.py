"""Signing in and out, one's own sessions, tokens and settings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field

from scrm import people, sessions, tokens
from scrm.agent_views import AgentView, agent_view
from scrm.auth import COOKIE, Identity, Unfinished
from scrm.company import FACTS
from scrm.errors import Conflict, Forbidden, NotFound, NotSignedIn, Unprocessable
from scrm.grants import check_held, check_known
from scrm.http import PUBLIC, SIGNED_IN, Reply, Request, Route
from scrm.look import LookView, look_view
from scrm.permissions import Language, Reach
from scrm.services import Services
from scrm.trail import record
from scrm.version import VERSION
from scrm.views import Input, Line, View

MOST_TOKENS = 50
EXTRA = """
select r.name as role_name, a.preferences -> 'look' as look from agent a join role r on r.key = a.role where a.id = $1
"""
Password = Annotated[str, Field(max_length=1000)]


class SignIn(Input):
    login: Annotated[str, Field(min_length=1, max_length=100)]
    password: Password


class Me(View):
    """Who is signed in. ``csrf_token`` is empty for API tokens, which need none. ``unfinished``: what is still to be done
    before the session is good for anything; until then there are no permissions."""

    agent: AgentView
    role_name: str
    permissions: list[str]
    reach: Reach
    unfinished: Unfinished
    idle_minutes: int
    look: LookView | None
    csrf_token: str
    server_time: datetime
    zone: str
    version: str
    demo: bool


class MeInput(Input):
    language: Language | None = None
    name: Line | None = None


class PasswordInput(Input):
    old_password: Password
    new_password: Password


class CodeInput(Input):
    code: Annotated[str, Field(min_length=1, max_length=100)]


class SessionView(View):
    id: int
    user_agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    current: bool


class SessionList(View):
    sessions: list[SessionView]


class TokenView(View):
    """``permissions`` null: those of its agent, whatever they are."""

    id: int
    name: str
    permissions: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class TokenList(View):
    tokens: list[TokenView]


class TokenInput(Input):
    """``permissions``: some of one's own; null: all that one has at any time."""

    name: Line
    expires_at: AwareDatetime | None = None
    permissions: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=100)] | None = None


class NewToken(View):
    """``token`` is shown this once."""

    id: int
    name: str
    token: str


async def sign_in(request: Request, body: SignIn) -> Reply[Me]:
    opened = await request.door.with_password(body.login.strip(), body.password, request.raw)
    identity = await request.auth.of_session(opened.id)
    if identity is None:
        raise Conflict("The account was locked just now.")
    return Reply(await _me(request, identity), cookies=(session_cookie(request.services, opened.token),))


async def give_code(request: Request, body: CodeInput) -> Reply[Me]:
    """The second step of signing in."""
    session_id = request.principal.session_id
    if session_id is None or request.identity is None or request.identity.unfinished != "second":
        raise Conflict("No code is wanted now.", code="no_code_wanted")
    await request.door.with_code(request.principal, session_id, body.code, request.address)
    identity = await request.auth.of_session(session_id)
    if identity is None:
        raise Conflict("The account was locked just now.")
    cookie = session_cookie(request.services, request.raw.cookies.get(COOKIE, ""))
    return Reply(await _me(request, identity), cookies=(cookie,))


async def me(request: Request) -> Me:
    if request.identity is None:
        raise NotSignedIn("Sign in first.")
    return await _me(request, request.identity)


async def sign_out(request: Request) -> Reply[None]:
    session_id = request.principal.session_id
    if session_id is not None:
        async with request.services.work() as work:
            await sessions.end_session(work, session_id, request.principal.agent_id)
            await record(
                work, "session.closed", agent_id=request.principal.agent_id, object_kind="session", object_id=session_id,
                address=request.address,
            )  # fmt: skip
    return Reply(None, status=204, cookies=(_forget_cookie,))


async def change_me(request: Request, body: MeInput) -> Me:
    async with request.services.work() as work:
        await people.set_profile(work, request.principal.agent_id, name=body.name, language=body.language)
    return await me(request)


async def change_password(request: Request, body: PasswordInput) -> None:
    principal = request.principal
    if request.identity is not None and request.identity.unfinished == "second":
        raise Forbidden("Give the code of your second factor first.", code="unfinished")
    if not await request.door.password_fits(principal.agent_id, body.old_password, request.address):
        raise Unprocessable(
            "The old password is wrong.", fields={"old_password": "This is not your password."}, code="wrong_password"
        )
    async with request.services.work() as work:
        await people.set_password(
            work, principal.agent_id, body.new_password, by=principal.agent_id, keep_session=principal.session_id,
            address=request.address, field="new_password",
        )  # fmt: skip


async def list_sessions(request: Request) -> SessionList:
    principal = request.principal
    async with request.services.db.pool.acquire() as tx:
        rows = await sessions.list_sessions(tx, principal.agent_id, request.services.clock.now())
    return SessionList(sessions=[SessionView(**row, current=row["id"] == principal.session_id) for row in rows])


async def end_other_sessions(request: Request) -> None:
    principal = request.principal
    async with request.services.work() as work:
        ended = await sessions.end_sessions_of(work, principal.agent_id, except_id=principal.session_id)
        await record(
            work, "session.others_ended", agent_id=principal.agent_id, object_kind="agent", object_id=principal.agent_id,
            address=request.address, detail={"ended": ended},
        )  # fmt: skip


async def end_session(request: Request, session_id: int) -> None:
    async with request.services.work() as work:
        if not await sessions.end_session(work, session_id, request.principal.agent_id):
            raise NotFound("You have no such session.")
        await record(
            work, "session.ended", agent_id=request.principal.agent_id, object_kind="session", object_id=session_id,
            address=request.address,
        )  # fmt: skip


async def list_tokens(request: Request) -> TokenList:
    async with request.services.db.pool.acquire() as tx:
        rows = await tokens.list_tokens(tx, request.principal.agent_id)
    return TokenList(tokens=[TokenView(**row) for row in rows])


async def create_token(request: Request, body: TokenInput) -> Reply[NewToken]:
    principal = request.principal
    if principal.session_id is None:
        # A token that leaked must not be able to outlive its own end.
        raise Forbidden("Sign in with a browser to make a token.", code="session_needed")
    if body.expires_at is not None and body.expires_at <= request.services.clock.now():
        raise Unprocessable("The token would be over already.", fields={"expires_at": "Choose a time to come."})
    wanted = None if body.permissions is None else sorted(set(body.permissions))
    check_known(wanted or ())
    check_held(principal, wanted or ())
    async with request.services.work() as work:
        await work.tx.execute("select 1 from agent where id = $1 for update", principal.agent_id)
        if len(await tokens.list_tokens(work.tx, principal.agent_id)) >= MOST_TOKENS:
            raise Conflict(f"You have {MOST_TOKENS} tokens; end one first.", code="too_many_tokens")
        token_id, token = await tokens.create_token(work, principal.agent_id, body.name, body.expires_at, wanted)
        await record(
            work, "token.created", agent_id=principal.agent_id, object_kind="token", object_id=token_id,
            address=request.address,
        )  # fmt: skip
    return Reply(NewToken(id=token_id, name=body.name, token=token), status=201)


async def end_token(request: Request, token_id: int) -> None:
    async with request.services.work() as work:
        if not await tokens.end_token(work, token_id, request.principal.agent_id):
            raise NotFound("You have no such token.")
        await record(
            work, "token.ended", agent_id=request.principal.agent_id, object_kind="token", object_id=token_id,
            address=request.address,
        )  # fmt: skip


async def _me(request: Request, identity: Identity) -> Me:
    principal, services = identity.principal, request.services
    async with services.db.pool.acquire() as tx:
        rows = await people.list_agents(tx, principal.agent_id)
        extra = await tx.fetchrow(EXTRA, principal.agent_id)
    return Me(
        agent=agent_view(rows[0]),
        role_name=extra["role_name"] if extra is not None else "",
        permissions=sorted(principal.permissions),
        reach=principal.reach,
        unfinished=identity.unfinished,
        idle_minutes=(await request.auth.rules())[1].idle_minutes,
        look=look_view(extra["look"]) if extra is not None else None,
        csrf_token=identity.csrf_token,
        server_time=services.clock.now(),
        zone=(await FACTS.load(services.db)).zone,
        version=VERSION,
        demo=services.settings.demo,
    )


class _Cookie:
    """Sets the cookie of a new session on the answer."""

    def __init__(self, token: str, seconds: int, secure: bool) -> None:
        self._token, self._seconds, self._secure = token, seconds, secure

    def __call__(self, response: web.StreamResponse) -> None:
        response.set_cookie(
            COOKIE, self._token, max_age=self._seconds, httponly=True, samesite="Lax", secure=self._secure, path="/"
        )


def session_cookie(services: Services, token: str) -> _Cookie:
    return _Cookie(token, int(services.settings.sessions.days * 86400), services.settings.cookie_secure)


def _forget_cookie(response: web.StreamResponse) -> None:
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax")


def api_routes() -> list[Route]:
    return [
        Route("POST", "/api/session", sign_in, PUBLIC, "Sign in", errors=(401, 409, 429)),
        Route("GET", "/api/session", me, SIGNED_IN, "Who is signed in", unfinished=True),
        Route("DELETE", "/api/session", sign_out, SIGNED_IN, "Sign out", unfinished=True),
        Route(
            "POST",
            "/api/session/code",
            give_code,
            SIGNED_IN,
            "Give the code of the second factor",
            errors=(409, 429),
            unfinished=True,
        ),
        Route("PATCH", "/api/me", change_me, SIGNED_IN, "Change one's own settings"),
        Route(
            "POST",
            "/api/me/password",
            change_password,
            SIGNED_IN,
            "Change one's own password",
            errors=(409, 429),
            unfinished=True,
        ),
        Route("GET", "/api/sessions", list_sessions, SIGNED_IN, "Where one is signed in"),
        Route("DELETE", "/api/sessions", end_other_sessions, SIGNED_IN, "End all one's other sessions"),
        Route("DELETE", "/api/sessions/{session_id}", end_session, SIGNED_IN, "End a session"),
        Route("GET", "/api/tokens", list_tokens, SIGNED_IN, "One's API tokens"),
        Route("POST", "/api/tokens", create_token, SIGNED_IN, "Make an API token", status=201, errors=(409,)),
        Route("DELETE", "/api/tokens/{token_id}", end_token, SIGNED_IN, "End an API token"),
    ]
