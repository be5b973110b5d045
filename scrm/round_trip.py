"""A browser's round trip to a platform's sign-in page: what it went for lies sealed in a cookie, the state in the address is a
random word that must match it, for ten minutes and once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Literal

from aiohttp import web

from scrm.errors import BadRequest, ConfigError
from scrm.http import Request
from scrm.services import Services, Work

COOKIE = "scrm_trip"
SECONDS = 600
PURPOSE = "sign_in.trip"

Goal = Literal["sign_in", "bind"]


@dataclass(frozen=True, slots=True)
class Trip:
    """``agent_id`` and ``session_id`` are those that bind an identity; ``onward`` is where the page goes afterwards."""

    goal: Goal
    connection_id: int
    agent_id: int = 0
    session_id: int = 0
    onward: str = "/"


class TripCookie:
    """Sets the sealed trip on the answer that sends the browser away."""

    def __init__(self, services: Services, trip: Trip) -> None:
        self.state = secrets.token_hex(16)
        until = services.clock.now().timestamp() + SECONDS
        sealed = services.vault.seal({**asdict(trip), "state": self.state, "until": until}, purpose=PURPOSE)
        self._value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        self._secure = services.settings.cookie_secure

    def __call__(self, response: web.StreamResponse) -> None:
        response.set_cookie(
            COOKIE, self._value, max_age=SECONDS, httponly=True, samesite="Lax", secure=self._secure, path="/oauth"
        )


def forget(response: web.StreamResponse) -> None:
    response.del_cookie(COOKIE, path="/oauth", httponly=True, samesite="Lax")


def read(request: Request, state: str) -> Trip:
    """The trip that this browser began. Raises :class:`BadRequest` (``bad_state``)."""
    services, value = request.services, request.raw.cookies.get(COOKIE, "")
    try:
        sealed = base64.b64decode(value.encode() + b"=" * (-len(value) % 4), altchars=b"-_", validate=True)
        said = services.vault.unseal(sealed, purpose=PURPOSE)
        expected, until = said.pop("state"), said.pop("until")
        trip = Trip(**said)
    except (ConfigError, ValueError, TypeError, AttributeError, KeyError, binascii.Error) as error:
        raise BadRequest("This sign-in was not begun in this browser.", code="bad_state") from error
    if not hmac.compare_digest(expected.encode(), state.encode("utf-8", "replace")):
        raise BadRequest("This sign-in was not begun in this browser.", code="bad_state")
    if services.clock.now().timestamp() > until:
        raise BadRequest("This took too long; begin again.", code="too_late_back")
    return trip


async def use_up(work: Work, state: str) -> None:
    """Raises :class:`BadRequest` the second time."""
    first = await work.tx.fetchval(
        "insert into sign_in_trip (nonce_hash, used_at) values ($1, $2) on conflict do nothing returning true",
        hashlib.sha256(state.encode()).digest(), work.now,
    )  # fmt: skip
    if not first:
        raise BadRequest("This sign-in has come back already.", code="bad_state")
