"""The access token of one app: shared by all processes, fetched by one of them at a time (wecom.md section 3.1; page 91039)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from adapters.wecom.errors import api_error, unanswered
from adapters.wecom.values import integer, text
from scrm.channel import JsonObject, SharedCache
from scrm.clock import Clock
from scrm.errors import Rejected

_MARGIN = 300
"""Seconds by which we give a token up before WeCom does."""
_SHORTEST_LIFE = 30
_REST_AFTER_REFUSAL = timedelta(seconds=60)
"""Wrong secrets, repeated, get our address blocked for an hour: after one refusal we do not ask again for this long."""


class AccessTokens:
    def __init__(
        self,
        *,
        corp_id: str,
        secret: str,
        base_url: str,
        cache: SharedCache,
        clock: Clock,
        get: Callable[[dict[str, str]], Awaitable[JsonObject]],
    ) -> None:
        """``get`` calls ``gettoken`` with a query and returns WeCom's answer, whatever its ``errcode``."""
        fingerprint = hashlib.sha256("\0".join((base_url, corp_id, secret)).encode()).hexdigest()[:32]
        self._key = f"wecom:token:{corp_id}:{fingerprint}"
        self._query = {"corpid": corp_id, "corpsecret": secret}
        self._cache = cache
        self._clock = clock
        self._get = get
        self._refusal: tuple[datetime, int] | None = None

    async def current(self, *, refused: str | None = None) -> str:
        """A token that WeCom should accept; never the one that it just refused. Raises the errors of ``send``."""
        return await self._cache.get_or_make(self._key, self._fetch, not_value=refused)

    async def _fetch(self) -> tuple[str, float]:
        self._stop_if_just_refused()
        answer = await self._get(self._query)
        errcode = integer(answer, "errcode") or 0
        if errcode:
            error = api_error(errcode)
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
