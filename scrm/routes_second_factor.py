"""One's own second factor: set up, confirmed, removed; recovery codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from scrm import second_factor
from scrm.errors import Conflict, Forbidden, Unprocessable
from scrm.http import SIGNED_IN, Request, Route
from scrm.services import Work
from scrm.trail import record
from scrm.views import Input, View

Password = Annotated[str, Field(max_length=1000)]
PATH = "/api/me/second-factor"


class SecondFactorView(View):
    """``required``: the company wants one for this role."""

    enabled: bool
    since: datetime | None
    recovery_left: int
    required: bool


class Confirmation(Input):
    """One's password, as a proof that it is still the same person."""

    password: Password


class BeginInput(Input):
    """Not asked for while signing in wants a second factor set up: the password was given just now."""

    password: Password = ""


class EnrolmentView(View):
    """What the authenticator reads; ``qr_svg`` is the same as ``uri``. Shown this once."""

    secret: str
    uri: str
    qr_svg: str


class AppCodeInput(Input):
    code: Annotated[str, Field(pattern=r"^\s*\d{3}\s?\d{3}\s*$")]


class RecoveryCodes(View):
    """Each works once. Shown this once."""

    codes: list[str]


async def show(request: Request) -> SecondFactorView:
    _own_session(request)
    principal = request.principal
    rules = (await request.auth.rules())[1]
    async with request.services.db.pool.acquire() as tx:
        row = await second_factor.find(tx, principal.agent_id)
        left = await second_factor.recovery_left(tx, principal.agent_id)
    since = row["confirmed_at"] if row is not None else None
    required = principal.role in rules.second_factor_roles
    return SecondFactorView(enabled=since is not None, since=since, recovery_left=left, required=required)


async def begin(request: Request, body: BeginInput) -> EnrolmentView:
    principal = request.principal
    if _own_session(request) != "enrol":
        await _check_password(request, body.password)
    async with request.services.work() as work:
        made = await second_factor.begin(request.services, work, principal.agent_id, principal.login)
    return EnrolmentView(secret=made.secret, uri=made.uri, qr_svg=made.qr_svg)


async def confirm(request: Request, body: AppCodeInput) -> RecoveryCodes:
    _own_session(request)
    principal = request.principal
    code = "".join(body.code.split())
    async with request.services.work() as work:
        codes = await second_factor.confirm(request.services, work, principal.agent_id, code)
        if codes is None:
            raise Unprocessable(
                "This is not the code of now.", fields={"code": "Wait for the next code and try it."}, code="wrong_code"
            )
        await _record(work, request, "second_factor.set_up")
        if principal.session_id is not None:
            work.ring("session", principal.session_id)
    return RecoveryCodes(codes=codes)


async def renew_recovery(request: Request, body: Confirmation) -> RecoveryCodes:
    await _check_password(request, body.password)
    async with request.services.work() as work:
        row = await second_factor.find(work.tx, request.principal.agent_id)
        if row is None or row["confirmed_at"] is None:
            raise Conflict("Set up the second factor first.", code="no_second_factor")
        codes = await second_factor.new_recovery_codes(work, request.principal.agent_id)
        await _record(work, request, "second_factor.recovery_renewed")
    return RecoveryCodes(codes=codes)


async def remove(request: Request, body: Confirmation) -> None:
    if request.principal.role in (await request.auth.rules())[1].second_factor_roles:
        raise Forbidden("Your company wants a second factor for your role.", code="second_factor_required")
    await _check_password(request, body.password)
    async with request.services.work() as work:
        if await second_factor.remove(work, request.principal.agent_id):
            await _record(work, request, "second_factor.removed")


def _own_session(request: Request) -> str:
    """What the browser's session still lacks. Raises :class:`Forbidden` before the code was given, and for API tokens."""
    identity = request.identity
    if identity is None or identity.principal.session_id is None:
        raise Forbidden("Sign in with a browser.", code="session_needed")
    if identity.unfinished not in ("", "enrol"):
        raise Forbidden("Finish signing in first.", code="unfinished")
    return identity.unfinished


async def _check_password(request: Request, password: str) -> None:
    _own_session(request)
    if not await request.door.password_fits(request.principal.agent_id, password, request.address):
        raise Unprocessable(
            "The password is wrong.", fields={"password": "This is not your password."}, code="wrong_password"
        )


async def _record(work: Work, request: Request, action: str) -> None:
    agent_id = request.principal.agent_id
    await record(work, action, agent_id=agent_id, object_kind="agent", object_id=agent_id, address=request.address)


def api_routes() -> list[Route]:
    return [
        Route("GET", PATH, show, SIGNED_IN, "One's second factor", unfinished=True),
        Route("POST", f"{PATH}/begin", begin, SIGNED_IN, "Set up a second factor", errors=(409, 429), unfinished=True),
        Route("POST", f"{PATH}/confirm", confirm, SIGNED_IN, "Prove that it works", unfinished=True),
        Route("POST", f"{PATH}/recovery", renew_recovery, SIGNED_IN, "New recovery codes", errors=(409, 429)),
        Route("POST", f"{PATH}/remove", remove, SIGNED_IN, "Do without a second factor", errors=(429,)),
    ]
