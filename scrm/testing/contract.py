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

        @pytest.fixture
        def company(self, harness): ...     # a scrm.testing.Company; only for abilities of scrm.channel_contacts

        @pytest.fixture
        def crowd(self, harness): ...       # a scrm.testing.Crowd; only for scrm.channel_campaigns.Broadcasts

        @pytest.fixture
        def team(self, harness): ...        # a scrm.testing.Team; only for AsksMembers and Moments of scrm.channel_campaigns

The checks are ordinary test methods; nothing in the kit knows any platform. Checks of an ability that the adapter does not
have pass. ``docs/writing-an-adapter.md`` is the guide.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scrm.channel import Adapter
from scrm.channel_campaigns import AsksMembers, Broadcasts, Moments
from scrm.channel_contacts import (
    GreetsNewContacts,
    KeepsTags,
    KnowsDirectory,
    KnowsGroups,
    KnowsRelations,
    MakesContactCodes,
    NotifiesPeople,
    TransfersRelations,
    WritesRelations,
)
from scrm.testing.ability_checks import AbilityChecks
from scrm.testing.asking_checks import AskingChecks
from scrm.testing.broadcast_checks import BroadcastChecks
from scrm.testing.company import Company
from scrm.testing.contact_checks import ContactChecks
from scrm.testing.crowd import Crowd
from scrm.testing.hand_over_checks import HandOverChecks
from scrm.testing.harness import Golden, Harness
from scrm.testing.limit_checks import LimitChecks
from scrm.testing.moment_checks import MomentChecks
from scrm.testing.send_checks import SendChecks
from scrm.testing.team import Team
from scrm.testing.webhook_checks import WebhookChecks

_OF_CONTACTS = (
    KnowsDirectory,
    KnowsRelations,
    WritesRelations,
    KeepsTags,
    KnowsGroups,
    MakesContactCodes,
    GreetsNewContacts,
    TransfersRelations,
    NotifiesPeople,
)


class ChannelContract(
    WebhookChecks,
    SendChecks,
    LimitChecks,
    AbilityChecks,
    ContactChecks,
    HandOverChecks,
    BroadcastChecks,
    AskingChecks,
    MomentChecks,
):
    """Everything the service relies on. A subclass overrides the four fixtures, ``company`` when the adapter has an ability of
    :mod:`scrm.channel_contacts`, ``crowd`` when it has :class:`~scrm.channel_campaigns.Broadcasts`, ``team`` when it has
    :class:`~scrm.channel_campaigns.AsksMembers` or :class:`~scrm.channel_campaigns.Moments`."""

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
    def company(self, adapter: Adapter) -> Company | None:
        if any(isinstance(adapter, ability) for ability in _OF_CONTACTS):
            raise NotImplementedError(
                "override the fixture `company`: the people and customers of your simulated platform"
            )
        return None

    @pytest.fixture
    def crowd(self, adapter: Adapter) -> Crowd | None:
        if isinstance(adapter, Broadcasts):
            raise NotImplementedError("override the fixture `crowd`: the people whom your simulated platform reaches")
        return None

    @pytest.fixture
    def team(self, adapter: Adapter) -> Team | None:
        if isinstance(adapter, AsksMembers | Moments):
            raise NotImplementedError(
                "override the fixture `team`: the people of the company on your simulated platform"
            )
        return None

    @pytest.fixture
    def golden(self) -> Sequence[Golden]:
        raise NotImplementedError("override the fixture `golden`: payloads with their events")
