"""Keeps authorisations alive as long as the platform allows, and says in time when a person must scan the code again.

A refresh token lives 30 days and may be renewed five times; each renewal kills the old one at once, so two at the same time, or
one whose answer is lost, cost the authorisation. Renewals are made late, so that five of them last longest. Platform
reference, chapter 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from adapters.douyin.client import Refused
from adapters.douyin.errors import error_for, refuses_token
from adapters.douyin.grants import MOST_RENEWALS, REFRESH_TOKEN_LIFE, Grant
from adapters.douyin.tokens import App, Tokens
from scrm.channel import AdapterContext, Sentence, TokenState
from scrm.errors import SendError

REFRESH_BEFORE = timedelta(days=2)
FRESH = timedelta(days=14)
RENEW_BEFORE = timedelta(days=3)
"""Three days leave room for a weekend without this service."""
WARN_BEFORE = timedelta(days=16)
"""A day longer than an access token lives, so that the last refresh does not silence the warning."""
NO_RENEWALS_LEFT = frozenset({10020, 10004})
"""The count is used up, or the app lacks the permission to renew at all."""


class Renewal:
    def __init__(self, tokens: Tokens, context: AdapterContext, app: App) -> None:
        self._tokens = tokens
        self._context = context
        self._app = app

    async def keep_all(self) -> list[tuple[str, TokenState]]:
        """One round over all accounts. A platform that is down now leaves everything as it is; the next round tries again."""
        return [(open_id, await self._keep(grant)) for open_id, grant in (await self._tokens.grants()).items()]

    async def _keep(self, grant: Grant) -> TokenState:
        """Refreshes before it renews: should the answer to the renewal be lost, a fresh access token leaves time to scan."""
        now = self._context.clock.now()
        try:
            if not grant.dead and now < grant.refresh_ends:
                renewing = grant.renewals_left > 0 and grant.refresh_ends < now + RENEW_BEFORE
                if grant.access_ends < now + (FRESH if renewing else REFRESH_BEFORE):
                    grant = await self._one_flight("refresh", grant, self._refresh)
                if renewing and not grant.dead:
                    grant = await self._one_flight("renew", grant, self._renew)
        except SendError:
            grant = (await self._tokens.grants()).get(grant.open_id, grant)
        return self.state_of(grant)

    async def _one_flight(self, what: str, grant: Grant, act: Callable[[Grant], Awaitable[Grant]]) -> Grant:
        """One process acts on these very tokens; the others wait, then read what it stored."""

        async def make() -> tuple[str, float]:
            if await self._tokens.grant(grant.open_id) == grant:
                await act(grant)
            return "done", 60.0

        mark = hashlib.sha256(f"{grant.refresh_token} {grant.access_until}".encode()).hexdigest()[:16]
        key = f"{self._app.cache_prefix}:{what}:{grant.open_id}:{mark}"
        await self._context.cache.get_or_make(key, make)
        return await self._tokens.grant(grant.open_id)

    async def _refresh(self, grant: Grant) -> Grant:
        return await self._tokens.refresh(grant, access_refused=False)

    async def _renew(self, grant: Grant) -> Grant:
        form = {"client_key": self._app.client_key, "refresh_token": grant.refresh_token}
        try:
            data = await self._tokens.oauth("/oauth/renew_refresh_token/", form, repeatable=False)
        except Refused as refused:
            code = refused.failure.code
            if code in NO_RENEWALS_LEFT:
                return await self._tokens.change(grant, lambda current: replace(current, renewals=MOST_RENEWALS))
            if refuses_token(refused.failure):
                await self._tokens.change(grant, lambda current: current.refused(f"douyin.{code}", access_too=False))
            raise error_for(refused.failure) from refused
        now = self._context.clock.now()
        return await self._tokens.change(grant, lambda current: current.renewed(data, now))

    def state_of(self, grant: Grant) -> TokenState:
        """How long this lasts without a person, and whether one must be called now."""
        now = self._context.clock.now()
        if grant.dead:
            lasts, needed = grant.access_ends, grant.access_ends
        else:
            lasts = max(grant.access_ends, grant.refresh_ends)
            needed = lasts + grant.renewals_left * (REFRESH_TOKEN_LIFE - RENEW_BEFORE) if lasts > now else lasts
        left = needed - now
        attention = ENDED if left <= timedelta(0) else soon(left) if left < WARN_BEFORE or grant.dead else None
        return TokenState(lasts, needed, attention, grant.renewals_left)


def soon(left: timedelta) -> Sentence:
    days = max(1, left.days)
    return Sentence(
        zh=f"抖音授权还剩 {days} 天，不能再自动续期。请管理员在到期前用该账号重新扫码授权。",
        en=f"The Douyin authorisation ends in {days} day(s) and cannot be renewed again. "
        "An administrator must scan the code with that account before then.",
    )


ENDED = Sentence(
    zh="抖音授权已失效，收发消息已停止。请管理员用该账号重新扫码授权。",
    en="The Douyin authorisation has ended and messages have stopped. "
    "An administrator must scan the code with that account again.",
)
