"""What the company decides about signing in."""

from __future__ import annotations

from scrm.errors import Unprocessable
from scrm.http import SIGNED_IN, Request, Route
from scrm.permissions import COMPANY_MANAGE
from scrm.sign_in_rules import PASSWORDS, SIGN_IN, PasswordRules, SignInRules
from scrm.trail import record
from scrm.views import View


class PasswordRulesView(View):
    """What a new password must keep; see ``PasswordRules``."""

    min_length: int
    classes: int
    history: int
    max_age_days: int
    lockout_after: int
    lockout_minutes: int


class SignInRulesView(View):
    second_factor_roles: list[str]
    platform_sign_in: bool
    platform_is_enough: bool
    idle_minutes: int


async def password_rules(request: Request) -> PasswordRulesView:
    return PasswordRulesView(**(await PASSWORDS.load(request.services.db)).model_dump())


async def set_password_rules(request: Request, body: PasswordRules) -> PasswordRulesView:
    async with request.services.work() as work:
        await PASSWORDS.save(work, body, by=request.principal.agent_id)
        await record(
            work, "company.passwords_set", agent_id=request.principal.agent_id, object_kind="company",
            address=request.address, detail=body.model_dump(),
        )  # fmt: skip
        # No ids: every session is looked at again.
        work.ring("session")
    return PasswordRulesView(**body.model_dump())


async def sign_in_rules(request: Request) -> SignInRulesView:
    return SignInRulesView(**(await SIGN_IN.load(request.services.db)).model_dump())


async def set_sign_in_rules(request: Request, body: SignInRules) -> SignInRulesView:
    async with request.services.work() as work:
        known = {row["key"] for row in await work.tx.fetch("select key from role for share")}
        if set(body.second_factor_roles) - known:
            raise Unprocessable("There is no such role.", fields={"second_factor_roles": "Not a role."})
        await SIGN_IN.save(work, body, by=request.principal.agent_id)
        await record(
            work, "company.sign_in_set", agent_id=request.principal.agent_id, object_kind="company",
            address=request.address, detail=body.model_dump(),
        )  # fmt: skip
        work.ring("session")
    return SignInRulesView(**body.model_dump())


def api_routes() -> list[Route]:
    return [
        Route("GET", "/api/settings/passwords", password_rules, SIGNED_IN, "The rules for passwords", unfinished=True),
        Route("POST", "/api/settings/passwords", set_password_rules, COMPANY_MANAGE, "Change them"),
        Route("GET", "/api/settings/sign-in", sign_in_rules, COMPANY_MANAGE, "How people sign in"),
        Route("POST", "/api/settings/sign-in", set_sign_in_rules, COMPANY_MANAGE, "Change it"),
    ]
