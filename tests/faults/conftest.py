from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from scrm.config import Settings
from tests.company import Company, company
from tests.faults.place import body, place_of


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Company]:
    """A company at work, in this process."""
    async with company(settings) as made:
        yield made


@pytest.fixture
async def greeted(settings: Settings) -> AsyncIterator[Company]:
    """Nobody works but the test; a customer has written once."""
    async with company(settings, role="web") as made:
        async with place_of(made) as place:
            await place.store("first", body=body(0, "你好"))
        yield made
