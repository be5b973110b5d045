"""What an adapter's author gives to the kit for :class:`~scrm.channel_campaigns.AsksMembers` and
:class:`~scrm.channel_campaigns.Moments`: people of the company who do what they are asked to, and their customers, on the same simulated
platform as the :class:`~scrm.testing.harness.Harness`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from scrm.channel_contacts import AttachmentKind, GreetingPart
from scrm.testing.harness import SendFault

Errand = Literal["ask", "moment"]


class Team(Protocol):
    """A method of an ability that the adapter lacks may raise ``NotImplementedError``."""

    member: str
    """The id of an account that can be asked, without customers yet."""
    colleague: str
    """Another one."""

    def now(self) -> datetime:
        """The platform's time."""
        ...

    def customer(self, name: str) -> str:
        """A new person on the list of the member. Returns the contact's id."""
        ...

    def stranger(self, name: str) -> str:
        """A new person whom the member does not know."""
        ...

    def group(self, name: str) -> str:
        """A customer group of the member. Returns its id."""
        ...

    def leaves(self, contact_id: str) -> None:
        """The customer wants no more of the member, who cannot reach them any longer; nobody is told."""
        ...

    def part(self, kind: AttachmentKind) -> GreetingPart:
        """Something valid to attach."""
        ...

    # Posts that a member sends

    def asked(self) -> Sequence[str]:
        """The texts of all tasks that the platform has made, also of those that were taken back, oldest first."""
        ...

    def confirms(self, task_id: str) -> None:
        """The member sends a task. Nothing happens when it was taken back."""
        ...

    def got(self, external_id: str) -> Sequence[str]:
        """The texts of what a customer or group got in this way."""
        ...

    # Moments

    def tag(self, name: str, contact_ids: Sequence[str]) -> str:
        """A new tag on these customers of the member. Returns the platform's id."""
        ...

    def posted(self) -> Sequence[str]:
        """The texts of all moments that the platform has made or is making, oldest first."""
        ...

    def publishes(self, moment_id: str, account_id: str) -> None:
        """Nothing happens when it was taken back."""
        ...

    def sees(self, contact_id: str) -> Sequence[str]:
        """The texts of moments that a customer sees."""
        ...

    def likes(self, moment_id: str, account_id: str, who: str) -> None:
        """``who``: a customer who sees it, or a colleague."""
        ...

    def comments(self, moment_id: str, account_id: str, who: str) -> None: ...

    # The platform

    def lose_answer(self, errand: Errand, fault: SendFault) -> None:
        """The next call that makes a task or a moment meets this fault."""
        ...

    def throttle(self, errand: Errand) -> None:
        """The next one is refused because of too many requests."""
        ...
