from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from scrm.services import Services
from tests.http.site import Site, running


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made
