"""The adapter conformance kit and test helpers, shipped with the package. Importing it needs pytest."""

import pytest

# Before the import, so that a failing check shows the values it compared.
pytest.register_assert_rewrite(
    "scrm.testing.ability_checks",
    "scrm.testing.asking_checks",
    "scrm.testing.broadcast_checks",
    "scrm.testing.contact_checks",
    "scrm.testing.hand_over_checks",
    "scrm.testing.limit_checks",
    "scrm.testing.moment_checks",
    "scrm.testing.send_checks",
    "scrm.testing.webhook_checks",
)

from scrm.testing.company import Act, Company  # noqa: E402
from scrm.testing.context import MemoryCache, MemoryState, memory_context, outgoing_media  # noqa: E402
from scrm.testing.contract import ChannelContract  # noqa: E402
from scrm.testing.crowd import Crowd  # noqa: E402
from scrm.testing.harness import Delivered, Golden, Harness, Sample, SendFault  # noqa: E402
from scrm.testing.team import Errand, Team  # noqa: E402

__all__ = [
    "Act",
    "ChannelContract",
    "Company",
    "Crowd",
    "Delivered",
    "Errand",
    "Golden",
    "Harness",
    "MemoryCache",
    "MemoryState",
    "Sample",
    "SendFault",
    "Team",
    "memory_context",
    "outgoing_media",
]
