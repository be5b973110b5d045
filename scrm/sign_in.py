"""The door: passwords, codes and platforms' own sign-in become sessions. What fails is counted, and written to the trail."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from scrm import lockout, passwords, second_factor, sessions
from scrm.auth import Auth, user_agent
from scrm.db import LOST, Row
from scrm.errors import NotSignedIn
from scrm.passwords import Passwords
from scrm.permissions import Principal
from scrm.ratelimit import SignInLimit
from scrm.services import Services, Work
from scrm.sessions import NewSession, Pending, Way
from scrm.trail import record

log = logging.getLogger(__name__)
T = TypeVar("T")

HAS_SECOND = "exists (select from second_factor f where f.agent_id = agent.id and f.confirmed_at is not null) as second"
BY_LOGIN = f"""
select id, login, password_hash, {HAS_SECOND} from agent where lower(login) = lower($1) and disabled_at is null
"""  # noqa: S608
BY_ID = f"select id, login, {HAS_SECOND} from agent where id = $1 and disabled_at is null"  # noqa: S608
REHASH = "update agent set password_hash = $2 where id = $1 and password_hash = $3"
WRONG = "The login or the password is wrong."


class Door:
    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth
        self._passwords = Passwords()
        self._limit = SignInLimit.of(services.settings)

    async def with_password(self, login: str, password: str, request: web.Request) -> NewSession:
        """Opens a session, unfinished when the agent has a second factor. Raises :class:`NotSignedIn` (``wrong_password``),
        :class:`TooManyRequests`."""
        address = self._auth.addresses.client(request)

        async def fits() -> Row | None:
            row = await self._services.db.fetchrow(BY_LOGIN, login)
            right = await self._passwords.fits(password, row["password_hash"] if row else None)
            if row is None or not right:
                await self._failed(login, row["id"] if row else None, address, "session.refused")
                return None
            return row

        row = await self._counted(login, address, fits)
        if row is None:
            raise NotSignedIn(WRONG, code="wrong_password")
        async with self._services.work() as work:
            if passwords.needs_rehash(row["password_hash"]):
                await work.tx.execute(REHASH, row["id"], await passwords.hash_password(password), row["password_hash"])
            return await self._open(work, row, request, "second" if row["second"] else "", "password")

    async def with_platform(self, work: Work, agent_id: int, request: web.Request) -> NewSession:
        """The platform has said who it is. Raises :class:`NotSignedIn` when they are locked out here."""
        row = await work.tx.fetchrow(BY_ID, agent_id)
        if row is None:
            raise NotSignedIn("This account is disabled.", code="disabled")
        rules = (await self._auth.rules())[1]
        second = row["second"] and not rules.platform_is_enough
        return await self._open(work, row, request, "second" if second else "", "platform")

    async def refuse_platform_if_tried_too_often(self, address: str) -> None:
        """Each try costs a call to the platform. Raises :class:`TooManyRequests`."""
        await self._limit.check(f"platform:{address}", address)

    async def platform_refused(self, address: str, reason: str) -> None:
        await self._limit.failed(f"platform:{address}", address)
        async with self._services.work() as work:
            await record(
                work, "session.refused", agent_id=None, address=address, detail={"way": "platform", "why": reason}
            )

    async def with_code(self, principal: Principal, session_id: int, code: str, address: str) -> None:
        """Finishes a session that waits for its code. Raises :class:`NotSignedIn` (``wrong_code``)."""
        if not await self.code_fits(principal, code, address):
            raise NotSignedIn("The code is wrong, or was used already.", code="wrong_code")
        async with self._services.work() as work:
            await sessions.complete_session(work, session_id, self._services.settings.sessions.days)
            await self._welcome(work, principal.agent_id, principal.login, session_id, address)

    async def password_fits(self, agent_id: int, password: str, address: str) -> bool:
        """For a signed-in agent who confirms with the password; counts like a sign-in."""
        login = await self._services.db.fetchval("select login from agent where id = $1", agent_id)
        if login is None:
            return False

        async def fits() -> bool:
            stored = await self._services.db.fetchval("select password_hash from agent where id = $1", agent_id)
            right = await self._passwords.fits(password, stored)
            if not right:
                await self._failed(login, agent_id, address, "session.confirmation_refused")
            return right

        return await self._counted(login, address, fits)

    async def code_fits(self, principal: Principal, code: str, address: str) -> bool:
        """A code of the agent's authenticator, or a recovery code, which is used up; counts like a sign-in."""

        async def fits() -> bool:
            async with self._services.work() as work:
                way = await second_factor.check(self._services, work, principal.agent_id, code)
                if way == "recovery":
                    left = await second_factor.recovery_left(work.tx, principal.agent_id)
                    await record(
                        work, "second_factor.recovery_used", agent_id=principal.agent_id, object_kind="agent",
                        object_id=principal.agent_id, address=address, detail={"left": left},
                    )  # fmt: skip
            if not way:
                await self._failed(principal.login, principal.agent_id, address, "session.code_refused")
            return bool(way)

        return await self._counted(principal.login, address, fits)

    async def _counted(self, login: str, address: str, check: Callable[[], Awaitable[T]]) -> T:
        """Runs a check whose failures count. Raises :class:`TooManyRequests`."""
        await self._refuse_if_tried_too_often(login, address)
        async with self._passwords.turn:
            # Again: those who waited for their turn together must not all get one more try.
            await self._refuse_if_tried_too_often(login, address)
            return await check()

    async def _refuse_if_tried_too_often(self, login: str, address: str) -> None:
        await self._limit.check(login, address)
        await lockout.refuse_if_locked(self._services.db, login, self._services.clock.now())

    async def _open(self, work: Work, row: Row, request: web.Request, pending: Pending, way: Way) -> NewSession:
        address = self._auth.addresses.client(request)
        opened = await sessions.open_session(
            work, row["id"], address=address, user_agent=user_agent(request), pending=pending, way=way,
            days=self._services.settings.sessions.days,
        )  # fmt: skip
        if not pending:
            await self._welcome(work, row["id"], row["login"], opened.id, address, way)
        return opened

    async def _welcome(
        self, work: Work, agent_id: int, login: str, session_id: int, address: str, way: Way = "password"
    ) -> None:
        # Not before the second factor was right: who knows the password could else try codes without end.
        await lockout.forgive(work, login)
        await record(
            work, "session.opened", agent_id=agent_id, object_kind="session", object_id=session_id, address=address,
            detail={"way": way},
        )  # fmt: skip

    async def _failed(self, login: str, agent_id: int | None, address: str, action: str) -> None:
        await self._limit.failed(login, address)
        try:
            async with self._services.work() as work:
                await record(work, action, agent_id=agent_id, address=address, detail={"login": login[:100]})
                if await lockout.count_failure(work, login, (await self._auth.rules())[0]):
                    await record(
                        work, "session.locked", agent_id=agent_id, address=address, detail={"login": login[:100]}
                    )
        except LOST:
            log.warning("a refused sign-in could not be written to the trail: the database is away")
