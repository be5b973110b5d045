"""The Douyin adapter passes the conformance kit, against the simulated platform."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from adapters.douyin.adapter import DouyinAdapter
from scrm.testing import ChannelContract, Golden
from tests.adapters.douyin.golden import GOLDEN
from tests.adapters.douyin.harness import CLIENT_KEY, DouyinHarness


class TestDouyin(ChannelContract):
    @pytest.fixture
    async def harness(self, harness: DouyinHarness) -> DouyinHarness:
        return harness

    @pytest.fixture
    async def adapter(self, adapter: DouyinAdapter) -> DouyinAdapter:
        return adapter

    @pytest.fixture
    async def unreachable(self, harness: DouyinHarness, adapter: DouyinAdapter) -> DouyinAdapter:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return harness.build(f"http://127.0.0.1:{free.getsockname()[1]}")

    @pytest.fixture
    def golden(self) -> Sequence[Golden]:
        assert GOLDEN[0].body.find(CLIENT_KEY.encode()) > 0
        return GOLDEN
