"""A session, a small server and an adapter connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.wecom.adapter import WeComAdapter
from scrm.clock import ManualClock
from tests.adapters.wecom.harness import WeComHarness, running_harness
from tests.adapters.wecom.support import NOW, Platform, WatchedCache, connect, context, platform


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def server() -> AsyncIterator[Platform]:
    async with platform() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def cache() -> WatchedCache:
    return WatchedCache()


@pytest.fixture
def adapter(http: aiohttp.ClientSession, server: Platform, clock: ManualClock, cache: WatchedCache) -> WeComAdapter:
    return connect(context(http, clock, cache), server.base_url)


@pytest.fixture
async def offline(http: aiohttp.ClientSession) -> WeComAdapter:
    """An adapter whose platform cannot be reached; for what needs no platform."""
    return connect(context(http))


@pytest.fixture
async def site() -> AsyncIterator[WeComHarness]:
    """The simulated platform with one company."""
    async with running_harness() as harness:
        yield harness


@pytest.fixture
def wecom(site: WeComHarness) -> WeComAdapter:
    """An adapter connected to ``site``."""
    return site.connect()
