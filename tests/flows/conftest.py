from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from scrm.config import Settings
from tests.company import Company, company


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    """A company at work, with a welcome text."""
    async with company(settings, welcome="您好，欢迎光临青禾家居！") as made:
        yield made
