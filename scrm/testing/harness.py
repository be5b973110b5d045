"""What an adapter's author gives to the conformance kit: golden payloads, and a platform that does as it is told.

The harness stands between the kit and a simulated platform: a real HTTP server on the loopback interface that enforces the
platform's own rules. The kit never looks behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from scrm.channel import Adapter, Event, JsonObject, Kind, MessageReceived, OutgoingMedia, Raw, WebhookRequest

SendFault = Literal["timeout_before", "timeout_after", "drop_before", "drop_after", "broken_answer", "server_error"]
"""Ways in which the answer to a send is lost; ``before`` and ``after`` the platform has done it. ``broken_answer`` is half of
the answer after doing it, ``server_error`` is HTTP 500."""

GOLDEN_TIME = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Golden:
    """A payload and exactly what it must become. ``source`` as in :class:`~scrm.channel.Raw`."""

    name: str
    body: bytes
    events: Sequence[Event]
    source: str = "webhook"
    received_at: datetime = GOLDEN_TIME

    @property
    def raw(self) -> Raw:
        return Raw(self.source, self.body, self.received_at)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the simulated customer sees in the chat. ``content`` is the picture or file itself, when it is one."""

    kind: Kind
    text: str = ""
    message_id: str = ""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Sample:
    """Something of a kind that the platform takes: with what :class:`~scrm.channel.OutgoingMessage` is filled."""

    text: str = ""
    content: JsonObject = field(default_factory=dict)
    media: OutgoingMedia | None = None


class Harness(Protocol):
    """Drives one simulated platform on which the adapter under test is configured, with one account and one customer."""

    channel: str
    """The channel under test: a key of :attr:`~scrm.channel.Adapter.capabilities`."""

    # Webhooks

    async def webhook(self, text: str) -> WebhookRequest:
        """A genuine request, as the platform would post it for a new event that is about ``text``. Each call is a new event,
        also for equal texts."""
        ...

    def repeated(self, request: WebhookRequest) -> WebhookRequest:
        """The platform's own repetition of that request (its nonce and time may differ, the event is the same)."""
        ...

    def tampered(self, request: WebhookRequest) -> Sequence[WebhookRequest]:
        """What an attacker could make of it without the secret; each must be refused."""
        ...

    # The customer

    async def customer_writes(self, adapter: Adapter, text: str) -> MessageReceived:
        """The customer writes, and ``adapter`` reads it on whatever way messages take (webhook, or ring and pull)."""
        ...

    async def customer_sends_file(self, adapter: Adapter, kind: Kind, content: bytes) -> MessageReceived | None:
        """The same with a file of one of the kinds; None for a kind that customers of this platform cannot send."""
        ...

    async def received(self) -> Sequence[Delivered]:
        """What the customer sees of our messages, oldest first. A recalled message is not seen."""
        ...

    # The platform

    def advance(self, by: timedelta) -> None:
        """Moves the clock of the platform and of the adapter."""
        ...

    def throttle(self) -> None:
        """The next send is refused because of too many requests."""
        ...

    def refuse(self) -> str:
        """The next send is refused for good; returns the code that the adapter must give it, such as ``douyin.28003101``."""
        ...

    def lose_answer(self, fault: SendFault) -> None:
        """The next send meets this fault."""
        ...

    def forget_files(self) -> None:
        """The platform deletes all files of customers."""
        ...

    def sample(self, kind: Kind) -> Sample:
        """Something valid to send of a kind that is in :attr:`~scrm.channel.Capabilities.sends`."""
        ...
