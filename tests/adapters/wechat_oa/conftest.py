from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from tests.adapters.wechat_oa.harness import OfficialAccountHarness


@pytest.fixture
async def harness() -> AsyncIterator[OfficialAccountHarness]:
    harness = OfficialAccountHarness()
    await harness.start()
    yield harness
    await harness.stop()


@pytest.fixture
async def adapter(harness: OfficialAccountHarness) -> OfficialAccountAdapter:
    return await harness.connect()
