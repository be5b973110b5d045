"""The access token of one account (wechat-oa.md section 1): ``stable_token``, which any number of processes may ask for; through
the shared cache one of them asks and the others wait."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from adapters.wechat_oa.errors import api_error, unanswered
from adapters.wechat_oa.values import integer, text
from scrm.channel import JsonObject, SharedCache
from scrm.clock import Clock
from scrm.errors import Rejected

_MARGIN = 300
"""Seconds by which we give a token up before the platform does."""
_SHORTEST_LIFE = 30
_REST_AFTER_REFUSAL = timedelta(seconds=60)
"""After a wrong secret we do not ask again for this long: it would only get the address blocked."""


class AccessTokens:
    def __init__(
        self,
        *,
        app_id: str,
        secret: str,
        base_url: str,
        cache: SharedCache,
        clock: Clock,
        ask: Callable[[JsonObject], Awaitable[JsonObject]],
    ) -> None:
        """``ask`` calls ``stable_token`` with a body and returns the answer, whatever its ``errcode``."""
        fingerprint = hashlib.sha256("\0".join((base_url, app_id, secret)).encode()).hexdigest()[:32]
        self._key = f"wechat_oa:token:{app_id}:{fingerprint}"
        self._body = {"grant_type": "client_credential", "appid": app_id, "secret": secret}
        self._cache = cache
        self._clock = clock
        self._ask = ask
        self._refusal: tuple[datetime, int] | None = None

    async def current(self, *, refused: str | None = None) -> str:
        """A token that the platform should accept; never the one that it just refused. Raises the errors of ``send``."""

        async def make() -> tuple[str, float]:
            token, life = await self._fetch(force=False)
            if token == refused:
                # It still calls that one good. Forcing works 20 times a day, so only now.
                token, life = await self._fetch(force=True)
            return token, life

        return await self._cache.get_or_make(self._key, make, not_value=refused)

    async def _fetch(self, *, force: bool) -> tuple[str, float]:
        self._stop_if_just_refused()
        answer = await self._ask({**self._body, "force_refresh": force})
        errcode = integer(answer, "errcode") or 0
        if errcode:
            error = api_error(errcode, text(answer, "errmsg"))
            if isinstance(error, Rejected):
                self._refusal = (self._clock.now(), errcode)
            raise error
        token = text(answer, "access_token")
        if not token:
            raise unanswered(effect=False)
        self._refusal = None
        life = integer(answer, "expires_in") or 0
        return token, max(life - _MARGIN, _SHORTEST_LIFE)

    def _stop_if_just_refused(self) -> None:
        if self._refusal is None:
            return
        at, errcode = self._refusal
        if self._clock.now() < at + _REST_AFTER_REFUSAL:
            raise api_error(errcode)
