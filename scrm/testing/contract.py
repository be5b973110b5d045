"""The conformance kit for channel adapters.

Subclass :class:`ChannelContract`, give it four fixtures, run pytest, read what fails::

    from scrm.testing import ChannelContract

    class TestMyChannel(ChannelContract):
        @pytest.fixture
        async def harness(self): ...        # a scrm.testing.Harness around your simulated platform

        @pytest.fixture
        async def adapter(self, harness): ...       # built against it, with a time limit for answers below a second

        @pytest.fixture
        async def unreachable(self, harness): ...   # the same connection with a base address where nobody listens

        @pytest.fixture
        def golden(self): ...               # payloads with the events they must become

The checks are ordinary test methods; nothing in the kit knows any platform. Checks of an ability that the adapter does not
have pass. ``docs/writing-an-adapter.md`` is the guide.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scrm.channel import Adapter
from scrm.testing.ability_checks import AbilityChecks
from scrm.testing.harness import Golden, Harness
from scrm.testing.limit_checks import LimitChecks
from scrm.testing.send_checks import SendChecks
from scrm.testing.webhook_checks import WebhookChecks


class ChannelContract(WebhookChecks, SendChecks, LimitChecks, AbilityChecks):
    """Everything the service relies on. A subclass overrides the four fixtures."""

    @pytest.fixture
    def harness(self) -> Harness:
        raise NotImplementedError("override the fixture `harness`: your simulated platform")

    @pytest.fixture
    def adapter(self, harness: Harness) -> Adapter:
        raise NotImplementedError("override the fixture `adapter`: the adapter under test, connected to the harness")

    @pytest.fixture
    def unreachable(self, harness: Harness) -> Adapter:
        raise NotImplementedError("override the fixture `unreachable`: the same adapter where nobody listens")

    @pytest.fixture
    def golden(self) -> Sequence[Golden]:
        raise NotImplementedError("override the fixture `golden`: payloads with their events")
