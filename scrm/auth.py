"""Who is asking: the cookie of a browser session or the token of a program becomes a :class:`Principal`."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from scrm import passwords, sessions, tokens
from scrm.addresses import Addresses
from scrm.db import LOST, Row
from scrm.errors import Forbidden, NotSignedIn
from scrm.passwords import Passwords
from scrm.permissions import OF_ROLE, REACH, Principal
from scrm.ratelimit import SignInLimit
from scrm.services import Services
from scrm.sessions import NewSession
from scrm.trail import record

log = logging.getLogger(__name__)

COOKIE = "scrm_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REMEMBER_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000
SEEN_EVERY = timedelta(minutes=1)
BY_LOGIN = "select id, login, password_hash from agent where lower(login) = lower($1) and disabled_at is null"
REHASH = "update agent set password_hash = $2 where id = $1 and password_hash = $3"


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal and the proof that the request came with. ``csrf_token`` is empty for API tokens."""

    principal: Principal
    csrf_token: str = field(repr=False)
    expires_at: datetime | None


class Auth:
    """Looks up sessions and tokens, remembering each for a few seconds; a ring forgets those that changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._passwords = Passwords()
        self._limit = SignInLimit.of(services.settings)
        self._known: dict[bytes, tuple[float, Identity]] = {}
        self._generation = 0
        self.addresses = Addresses(services.settings.server.trusted_proxies, services.settings.server.public_url)
        services.bus.listen("session", self._forget)
        services.bus.listen("token", self._forget)

    async def identify(self, request: web.Request) -> Identity:
        """Raises :class:`NotSignedIn`, or :class:`Forbidden` when a change lacks the CSRF token of its session."""
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
        return identity

    async def sign_in(self, login: str, password: str, request: web.Request) -> NewSession:
        """Opens a session. Raises :class:`NotSignedIn` (``wrong_password``), :class:`TooManyRequests`."""
        address, agent = self.addresses.client(request), user_agent(request)
        await self._limit.check(login, address)
        async with self._passwords.turn:
            # Again: those who waited for their turn together must not all get one more try.
            await self._limit.check(login, address)
            row = await self._services.db.fetchrow(BY_LOGIN, login)
            fits = await self._passwords.fits(password, row["password_hash"] if row else None)
            if row is None or not fits:
                await self._limit.failed(login, address)
                await self._refused(login, row["id"] if row else None, address)
                raise NotSignedIn("The login or the password is wrong.", code="wrong_password")
        async with self._services.work() as work:
            if passwords.needs_rehash(row["password_hash"]):
                await work.tx.execute(REHASH, row["id"], await passwords.hash_password(password), row["password_hash"])
            days = self._services.settings.sessions.days
            opened = await sessions.open_session(work, row["id"], address=address, user_agent=agent, days=days)
            await record(
                work, "session.opened", agent_id=row["id"], object_kind="session", object_id=opened.id, address=address
            )
        return opened

    async def password_fits(self, agent_id: int, password: str, address: str) -> bool:
        """For a signed-in agent who confirms with the password; counts like a sign-in."""
        row = await self._services.db.fetchrow("select login, password_hash from agent where id = $1", agent_id)
        if row is None:
            return False
        await self._limit.check(row["login"], address)
        async with self._passwords.turn:
            await self._limit.check(row["login"], address)
            fits = await self._passwords.fits(password, row["password_hash"])
        if not fits:
            await self._limit.failed(row["login"], address)
        return fits

    async def alive(self, session_ids: Sequence[int], token_ids: Sequence[int]) -> dict[tuple[str, int], Principal]:
        """Of these sessions and tokens, those that still hold, as they are now; keys ``("session" | "token", id)``."""
        db, now = self._services.db, self._services.clock.now()
        found: dict[tuple[str, int], Principal] = {}
        if session_ids:
            for row in await sessions.alive_sessions(db, list(session_ids), now):
                found["session", row["session_id"]] = principal_of(row)
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
        row = await sessions.find_session(db, token_hash, now)
        if row is None:
            return None
        if request is not None and row["seen_at"] < now - SEEN_EVERY:
            await sessions.seen(db, row["session_id"], now, self.addresses.client(request))
        return Identity(principal_of(row), row["csrf_token"], row["expires_at"])

    async def _load_token(self, token_hash: bytes, now: datetime) -> Identity | None:
        db = self._services.db
        row = await tokens.find_token(db, token_hash, now)
        if row is None:
            return None
        if row["used_at"] is None or row["used_at"] < now - SEEN_EVERY:
            await tokens.used(db, row["token_id"], now)
        return Identity(principal_of(row), "", row["expires_at"])

    async def _refused(self, login: str, agent_id: int | None, address: str) -> None:
        try:
            async with self._services.work() as work:
                await record(work, "session.refused", agent_id=agent_id, address=address, detail={"login": login[:100]})
        except LOST:
            log.warning("a refused sign-in could not be written to the trail: the database is away")

    def _forget(self, _ids: Sequence[int]) -> None:
        # Rare and cheap: everybody is looked up again once.
        self._generation += 1
        self._known.clear()


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
