"""Failed sign-in attempts, counted per login, per address, and per pair of them: in memory, or in Redis for all processes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from scrm.bus import ANSWER_SECONDS, AWAY
from scrm.config import Settings
from scrm.errors import TooManyRequests

log = logging.getLogger(__name__)

WIDER = 5
"""Offices share an address and an attacker may use many: one address, or one login, gets this many times more."""


class SignInLimit:
    def __init__(self, per_minute: int, redis_url: str | None = None) -> None:
        self._pair = RateLimitItemPerMinute(per_minute, namespace="scrm:signin:pair")
        self._one = RateLimitItemPerMinute(per_minute * WIDER, namespace="scrm:signin:one")
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url is not None:
            scheme, _, rest = redis_url.partition("://")
            uri = f"async+redis+unix://{rest}" if scheme == "unix" else f"async+{scheme}://{rest}"
            store: Storage = RedisStorage(uri, implementation="redispy", socket_timeout=2, socket_connect_timeout=2)
            self._shared = MovingWindowRateLimiter(store)

    @classmethod
    def of(cls, settings: Settings) -> SignInLimit:
        url = settings.redis.url
        return cls(settings.sessions.attempts_per_minute, url.get_secret_value() if url is not None else None)

    async def check(self, login: str, address: str) -> None:
        """Raises :class:`TooManyRequests` when there were too many failures in the last minute."""
        for limiter in self._limiters():
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._check(limiter, login, address)
                return
            except AWAY as error:
                log.warning(
                    "Redis is away, sign-in attempts are counted in this process only: %s", type(error).__name__
                )

    async def _check(self, limiter: MovingWindowRateLimiter, login: str, address: str) -> None:
        for item, key in self._keys(login, address):
            if not await limiter.test(item, key):
                stats = await limiter.get_window_stats(item, key)
                wait = max(1, math.ceil(stats.reset_time - time.time()))
                raise TooManyRequests(f"Too many failed attempts. Try again in {wait} seconds.", retry_after=wait)

    async def failed(self, login: str, address: str) -> None:
        for limiter in self._limiters():
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    for item, key in self._keys(login, address):
                        await limiter.hit(item, key)
                return
            except AWAY:
                continue

    def _limiters(self) -> tuple[MovingWindowRateLimiter, ...]:
        return (self._local,) if self._shared is None else (self._shared, self._local)

    def _keys(self, login: str, address: str) -> tuple[tuple[RateLimitItemPerMinute, str], ...]:
        who, where = _short(login.casefold()), _short(address)
        return (self._pair, f"{who}:{where}"), (self._one, f"login:{who}"), (self._one, f"address:{where}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
