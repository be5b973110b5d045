"""The adapter passes the conformance kit, against the simulated platform, in each of the three modes of pushes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence

import pytest

from adapters.wechat_oa.adapter import OfficialAccountAdapter
from scrm.testing import ChannelContract, Golden
from scrm.testing.webhook_checks import WebhookChecks
from tests.adapters.wechat_oa.golden import GOLDEN
from tests.adapters.wechat_oa.harness import APP_ID, CUSTOMER, Followers, OfficialAccountHarness


class TestOfficialAccount(ChannelContract):
    @pytest.fixture
    async def harness(self, harness: OfficialAccountHarness) -> OfficialAccountHarness:
        return harness

    @pytest.fixture
    async def adapter(self, adapter: OfficialAccountAdapter) -> OfficialAccountAdapter:
        return adapter

    @pytest.fixture
    async def unreachable(
        self, harness: OfficialAccountHarness, adapter: OfficialAccountAdapter
    ) -> OfficialAccountAdapter:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return harness.build(f"http://127.0.0.1:{free.getsockname()[1]}")

    @pytest.fixture
    def golden(self) -> Sequence[Golden]:
        return GOLDEN

    @pytest.fixture
    def company(self, harness: OfficialAccountHarness) -> Followers:
        """Without the harness's own customer: the kit counts who follows."""
        harness.simulator.control.change_person(APP_ID, CUSTOMER, {"follows": False})
        return Followers(harness)

    @pytest.fixture
    def crowd(self, harness: OfficialAccountHarness) -> Followers:
        return Followers(harness)


@pytest.mark.parametrize("mode", ["plain", "compatible"])
class TestOtherModes(WebhookChecks):
    @pytest.fixture
    async def harness(self, mode: str) -> AsyncIterator[OfficialAccountHarness]:
        harness = OfficialAccountHarness(mode)  # type: ignore[arg-type]
        await harness.start()
        yield harness
        await harness.stop()

    @pytest.fixture
    async def adapter(self, harness: OfficialAccountHarness) -> OfficialAccountAdapter:
        return await harness.connect()

    @pytest.fixture
    def golden(self) -> Sequence[Golden]:
        return GOLDEN[:5]
