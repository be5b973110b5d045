"""Tokens, borrowed for calls and refreshed when they are refused or near their end. Platform reference, chapter 2.

An access token lives 15 days, a refresh token 30; refreshing does not prolong the latter (``renewal.py`` does). All processes
share one flight per account through the shared cache, and the account's grant through the connection's durable state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import aiohttp

from adapters.douyin.client import Call, Client, Refused
from adapters.douyin.errors import error_for, not_authorised, refuses_token
from adapters.douyin.grants import Grant, changing, grants_in, new_grant, with_grant
from adapters.douyin.reading import int_in, object_in, text_in
from scrm.channel import AdapterContext, JsonObject
from scrm.errors import SendError

BORROWED_SECONDS = 300.0
"""A borrowed access token is looked up again after this time, so that a new authorisation is soon used everywhere."""
CLIENT_TOKEN_MARGIN = 600

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class App:
    """The app's own credentials; ``cache_prefix`` keeps connections apart in the shared cache."""

    client_key: str
    client_secret: str
    cache_prefix: str


class Tokens:
    def __init__(self, client: Client, context: AdapterContext, app: App) -> None:
        self._client = client
        self._context = context
        self._app = app

    async def with_access(self, open_id: str, use: Callable[[str], Awaitable[T]]) -> T:
        """Runs ``use`` with the account's access token; when the platform refuses the token, once more with a fresh one.
        A refused token means that nothing was done, so repeating is safe. Raises the errors of ``send``."""
        return await self._with_token(lambda refused: self._access(open_id, refused), use)

    async def with_client_token(self, use: Callable[[str], Awaitable[T]]) -> T:
        """The same with the app's own token."""
        return await self._with_token(self._client_token, use)

    async def _with_token(
        self, borrow: Callable[[str | None], Awaitable[str]], use: Callable[[str], Awaitable[T]]
    ) -> T:
        token = await borrow(None)
        try:
            return await use(token)
        except Refused as refused:
            if not refuses_token(refused.failure):
                raise error_for(refused.failure) from refused
        try:
            return await use(await borrow(token))
        except Refused as refused:
            raise error_for(refused.failure) from refused

    async def _access(self, open_id: str, refused: str | None) -> str:
        async def make() -> tuple[str, float]:
            grant = await self.grant(open_id)
            remaining = (grant.access_ends - self._context.clock.now()).total_seconds()
            if grant.access_token == refused or remaining < BORROWED_SECONDS:
                grant = await self.refresh(grant, access_refused=grant.access_token == refused)
            return grant.access_token, BORROWED_SECONDS

        return await self._context.cache.get_or_make(
            f"{self._app.cache_prefix}:access:{open_id}", make, not_value=refused
        )

    async def _client_token(self, refused: str | None) -> str:
        async def make() -> tuple[str, float]:
            body = {**self._key_and_secret(), "grant_type": "client_credential"}
            answer = await self._client.call(Call("POST", "/oauth/client_token/", json=body, repeatable=True))
            data = object_in(answer.get("data"))
            return text_in(data, "access_token"), max(60.0, int_in(data, "expires_in") - CLIENT_TOKEN_MARGIN)

        try:
            return await self._context.cache.get_or_make(f"{self._app.cache_prefix}:client", make, not_value=refused)
        except Refused as refusal:
            raise error_for(refusal.failure) from refusal

    async def grants(self) -> dict[str, Grant]:
        return grants_in(await self._context.load_state())

    async def grant(self, open_id: str) -> Grant:
        """Raises ``Rejected`` for an account that nobody authorised."""
        grant = (await self.grants()).get(open_id)
        if grant is None:
            raise not_authorised()
        return grant

    async def exchange(self, code: str) -> Grant:
        """The code from the authorisation page becomes a grant. Raises ``Rejected`` when it is old, used or not ours."""
        form = {**self._key_and_secret(), "code": code, "grant_type": "authorization_code"}
        try:
            data = await self.oauth("/oauth/access_token/", form)
        except Refused as refused:
            raise error_for(refused.failure) from refused
        grant = new_grant(data, self._context.clock.now())
        name, avatar = await self._profile(grant)
        grant = replace(grant, name=name, avatar=avatar)
        await self._context.save_state(with_grant(grant))
        return grant

    async def _profile(self, grant: Grant) -> tuple[str, str]:
        """Name and picture of the account; an authorisation without them is still an authorisation."""
        form = {"access_token": grant.access_token, "open_id": grant.open_id}
        try:
            data = await self.oauth("/oauth/userinfo/", form)
        except (SendError, Refused):
            return "", ""
        return text_in(data, "nickname"), text_in(data, "avatar")

    async def refresh(self, grant: Grant, *, access_refused: bool) -> Grant:
        """A grant with a living access token. Raises ``Rejected`` when the refresh token is dead, and remembers it."""
        if grant.dead:
            raise not_authorised()
        form = {
            "client_key": self._app.client_key,
            "grant_type": "refresh_token",
            "refresh_token": grant.refresh_token,
        }
        try:
            data = await self.oauth("/oauth/refresh_token/", form)
        except Refused as refused:
            return await self._renewed_meanwhile(grant, refused, access_refused)
        now = self._context.clock.now()
        return await self.change(grant, lambda current: current.refreshed(data, now))

    async def _renewed_meanwhile(self, grant: Grant, refused: Refused, access_refused: bool) -> Grant:
        """A refused refresh token is remembered as dead, unless another process renewed it while we asked."""
        if not refuses_token(refused.failure):
            raise error_for(refused.failure) from refused
        dead = f"douyin.{refused.failure.code}"
        current = await self.change(grant, lambda stored: stored.refused(dead, access_too=access_refused))
        if current.dead or current.refresh_token == grant.refresh_token:
            raise error_for(refused.failure) from refused
        return current

    async def change(self, seen: Grant, change: Callable[[Grant], Grant]) -> Grant:
        """Stores a changed grant; what is stored afterwards is the answer. Raises ``Rejected`` when it was removed."""
        state = await self._context.save_state(changing(seen, change))
        grant = grants_in(state).get(seen.open_id)
        if grant is None:
            raise not_authorised()
        return grant

    async def oauth(self, path: str, form: dict[str, str], *, repeatable: bool = True) -> JsonObject:
        """The ``data`` of an OAuth call. Raises :class:`Refused` and the errors of ``send``."""
        call = Call("POST", path, form=lambda: aiohttp.FormData(form), repeatable=repeatable)
        return object_in((await self._client.call(call)).get("data"))

    def _key_and_secret(self) -> dict[str, str]:
        return {"client_key": self._app.client_key, "client_secret": self._app.client_secret}
