"""What a company decides about signing in: rules for passwords, who needs a second factor, when an idle session ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from scrm.company import Setting
from scrm.views import Input

SHORTEST_IDLE = 5
"""Minutes; when a session was used last is written down once a minute."""


def _never_or_minutes(value: int) -> int:
    if 0 < value < SHORTEST_IDLE:
        raise ValueError(f"Use 0 (never) or at least {SHORTEST_IDLE} minutes.")
    return value


class PasswordRules(Input):
    """``classes``: how many of lower case, upper case, digits and others must occur (letters without case count as others).
    ``history``: how many earlier passwords may not come back. ``max_age_days`` 0: a password does not grow old.
    ``lockout_after`` failures within ``lockout_minutes`` lock the login for as long; 0: never."""

    min_length: Annotated[int, Field(ge=8, le=64)] = 10
    classes: Annotated[int, Field(ge=1, le=4)] = 2
    history: Annotated[int, Field(ge=0, le=10)] = 0
    max_age_days: Annotated[int, Field(ge=0, le=3650)] = 0
    lockout_after: Annotated[int, Field(ge=0, le=1000)] = 20
    lockout_minutes: Annotated[int, Field(ge=1, le=1440)] = 15


class SignInRules(Input):
    """``second_factor_roles``: keys of roles that work only with a second factor. ``platform_is_enough``: who signs in with
    the platform's own app is not asked for a code as well. ``idle_minutes`` 0: sessions last their days."""

    second_factor_roles: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=100)] = Field(
        default_factory=list
    )
    platform_sign_in: bool = True
    platform_is_enough: bool = True
    idle_minutes: Annotated[int, Field(ge=0, le=10080), AfterValidator(_never_or_minutes)] = 0


PASSWORDS = Setting("passwords", PasswordRules())
SIGN_IN = Setting("sign_in", SignInRules())
