"""Who is asking: the cookie of a browser session or the token of a program becomes a :class:`Principal`."""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from aiohttp import web

from scrm import sessions, tokens
from scrm.addresses import Addresses
from scrm.db import Row
from scrm.errors import Forbidden, NotSignedIn
from scrm.permissions import OF_ROLE, REACH, Principal
from scrm.services import Services
from scrm.sign_in_rules import PASSWORDS, SIGN_IN, PasswordRules, SignInRules

COOKIE = "scrm_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REMEMBER_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000
SEEN_EVERY = timedelta(minutes=1)
EVER = datetime(1970, 1, 1, tzinfo=UTC)

Unfinished = Literal["", "second", "password", "enrol"]
"""What is still to be done before a session is good for anything: give the code, choose a new password, set up a second
factor. Until then it has no permissions, and only the routes that finish it are open."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal and the proof that the request came with. ``csrf_token`` is empty for API tokens."""

    principal: Principal
    csrf_token: str = field(repr=False)
    expires_at: datetime | None
    unfinished: Unfinished = ""


class Auth:
    """Looks up sessions and tokens, remembering each for a few seconds; a ring forgets those that changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rules: tuple[float, PasswordRules, SignInRules] | None = None
        self._known: dict[bytes, tuple[float, Identity]] = {}
        self._generation = 0
        self.addresses = Addresses(services.settings.server.trusted_proxies, services.settings.server.public_url)
        services.bus.listen("session", self._forget)
        services.bus.listen("token", self._forget)
        services.bus.listen("setting", self._forget)

    async def identify(self, request: web.Request, *, unfinished: bool = False) -> Identity:
        """Raises :class:`NotSignedIn`, or :class:`Forbidden` when a change lacks the CSRF token of its session, or (unless
        ``unfinished`` is wanted) when the session is not good for anything yet."""
        bearer = request.headers.get("Authorization", "")
        cookie = request.cookies.get(COOKIE, "")
        if bearer:
            scheme, _, token = bearer.partition(" ")
            identity = await self._find(token.strip(), program=True) if scheme.lower() == "bearer" else None
        else:
            identity = await self._find(cookie, program=False, request=request) if cookie else None
        if identity is None:
            raise NotSignedIn("Sign in first.")
        if not bearer and request.method not in SAFE_METHODS:
            sent = request.headers.get(CSRF_HEADER, "").encode("utf-8", "surrogatepass")
            if not hmac.compare_digest(sent, identity.csrf_token.encode()):
                raise Forbidden("The X-CSRF-Token header is missing or not that of this session.", code="csrf")
        if identity.unfinished and not unfinished:
            raise Forbidden("Finish signing in first.", code="unfinished")
        return identity

    async def rules(self) -> tuple[PasswordRules, SignInRules]:
        """As the company has set them; remembered for a few seconds like everything else here."""
        if self._rules is None or self._rules[0] < time.monotonic():
            generation, db = self._generation, self._services.db
            loaded = await PASSWORDS.load(db), await SIGN_IN.load(db)
            if generation != self._generation:
                return loaded
            self._rules = (time.monotonic() + REMEMBER_SECONDS, *loaded)
        return self._rules[1], self._rules[2]

    async def of_session(self, session_id: int) -> Identity | None:
        """As it is now; None when it is over."""
        now = self._services.clock.now()
        for row in await sessions.alive_sessions(self._services.db, [session_id], now, await self._seen_after(now)):
            return await self._identity(row, now)
        return None

    async def alive(self, session_ids: Sequence[int], token_ids: Sequence[int]) -> dict[tuple[str, int], Principal]:
        """Of these sessions and tokens, those that hold and are good for something, as they are now; keys
        ``("session" | "token", id)``."""
        db, now = self._services.db, self._services.clock.now()
        found: dict[tuple[str, int], Principal] = {}
        if session_ids:
            for row in await sessions.alive_sessions(db, list(session_ids), now, await self._seen_after(now)):
                identity = await self._identity(row, now)
                if not identity.unfinished:
                    found["session", row["session_id"]] = identity.principal
        if token_ids:
            for row in await tokens.alive_tokens(db, list(token_ids), now):
                found["token", row["token_id"]] = principal_of(row)
        return found

    async def _find(self, token: str, *, program: bool, request: web.Request | None = None) -> Identity | None:
        if not token:
            return None
        key = (b"t" if program else b"s") + sessions.digest(token)
        now = self._services.clock.now()
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1] if known[1].expires_at is None or known[1].expires_at > now else None
        generation = self._generation
        identity = await (self._load_token(key[1:], now) if program else self._load_session(key[1:], now, request))
        if identity is not None and generation == self._generation:
            if len(self._known) >= REMEMBER_AT_MOST:
                self._known.clear()
            self._known[key] = (time.monotonic() + REMEMBER_SECONDS, identity)
        return identity

    async def _load_session(self, token_hash: bytes, now: datetime, request: web.Request | None) -> Identity | None:
        db = self._services.db
        row = await sessions.find_session(db, token_hash, now, await self._seen_after(now))
        if row is None:
            return None
        if request is not None and row["seen_at"] < now - SEEN_EVERY:
            await sessions.seen(db, row["session_id"], now, self.addresses.client(request))
        return await self._identity(row, now)

    async def _identity(self, row: Row, now: datetime) -> Identity:
        principal, unfinished = principal_of(row), _unfinished(row, *await self.rules(), now)
        if unfinished:
            principal = replace(principal, permissions=frozenset(), reach="own", team_ids=())
        return Identity(principal, row["csrf_token"], row["expires_at"], unfinished)

    async def _seen_after(self, now: datetime) -> datetime:
        """Sessions that were not used since then are over."""
        idle = (await self.rules())[1].idle_minutes
        return now - timedelta(minutes=idle) if idle else EVER

    async def _load_token(self, token_hash: bytes, now: datetime) -> Identity | None:
        db = self._services.db
        row = await tokens.find_token(db, token_hash, now)
        if row is None:
            return None
        if row["used_at"] is None or row["used_at"] < now - SEEN_EVERY:
            await tokens.used(db, row["token_id"], now)
        return Identity(principal_of(row), "", row["expires_at"])

    def _forget(self, _ids: Sequence[int]) -> None:
        # Rare and cheap: everybody is looked up again once.
        self._generation += 1
        self._known.clear()
        self._rules = None


def _unfinished(row: Row, passwords: PasswordRules, rules: SignInRules, now: datetime) -> Unfinished:
    by_platform = row["way"] == "platform"
    if row["pending"] == "second":
        return "second"
    grown_old = passwords.max_age_days and row["password_at"] < now - timedelta(days=passwords.max_age_days)
    if not by_platform and (row["password_due"] or grown_old):
        return "password"
    needs_second = row["role"] in rules.second_factor_roles and not (by_platform and rules.platform_is_enough)
    return "enrol" if needs_second and not row["second_factor"] else ""


def principal_of(row: Row) -> Principal:
    """From the columns of ``scrm.sessions.WHO``. A token may be narrower than its agent, never wider."""
    own = row["role_permissions"]
    permissions = OF_ROLE.get(row["role"], frozenset()) if own is None else frozenset(own)
    token_permissions = row.get("token_permissions")
    if token_permissions is not None:
        permissions &= frozenset(token_permissions)
    return Principal(
        agent_id=row["agent_id"],
        login=row["login"],
        name=row["name"],
        role=row["role"],
        permissions=permissions,
        reach=row["role_reach"] or REACH.get(row["role"], "own"),
        language=row["language"],
        team_ids=tuple(row["team_ids"]),
        session_id=row.get("session_id"),
        token_id=row.get("token_id"),
    )


def user_agent(request: web.Request) -> str:
    """As sent, without what a database or a page could not bear."""
    text = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
    return "".join(letter for letter in text if letter.isprintable())[:300]
