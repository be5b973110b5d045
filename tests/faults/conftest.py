from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from scrm.config import Settings
from tests.company import Company, company


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    """A company at work, in this process."""
    async with company(settings) as made:
        yield made
