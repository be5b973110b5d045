from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.douyin.adapter import DouyinAdapter
from tests.adapters.douyin.harness import DouyinHarness


@pytest.fixture
async def harness() -> AsyncIterator[DouyinHarness]:
    harness = DouyinHarness()
    await harness.start()
    yield harness
    await harness.stop()


@pytest.fixture
async def adapter(harness: DouyinHarness) -> DouyinAdapter:
    return await harness.connect()
