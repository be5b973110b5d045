"""What an adapter's author gives to the kit for :class:`~scrm.channel_campaigns.Broadcasts`: people who can be reached by one call, on
the same simulated platform as the :class:`~scrm.testing.harness.Harness`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scrm.channel import Adapter, Event, Kind
from scrm.channel_campaigns import SpreadPost
from scrm.testing.harness import SendFault


class Crowd(Protocol):
    account: str
    """The id of the account that speaks to them."""

    def person(self, name: str) -> str:
        """A new person who can be reached. Returns the contact's id."""
        ...

    def leaves(self, contact_id: str) -> None:
        """The person can no longer be reached (does not follow any more)."""
        ...

    def got(self, contact_id: str) -> Sequence[str]:
        """The texts of the posts that somebody has got, previews too, oldest first; empty texts for other kinds."""
        ...

    def post(self, kind: Kind, text: str, key: str) -> SpreadPost:
        """Something valid of a kind that is in :attr:`~scrm.channel_campaigns.Broadcasts.broadcast_kinds`."""
        ...

    def hold(self) -> None:
        """From now on posts stay under way until they are ended."""
        ...

    async def ends(self, adapter: Adapter, broadcast_id: str, *, refused: bool) -> Sequence[Event]:
        """A post that is under way goes out, or is refused by the platform's own check. What ``adapter`` makes of the webhook."""
        ...

    def lose_answer(self, fault: SendFault) -> None:
        """The next post meets this fault."""
        ...

    def throttle(self) -> None:
        """The next post is refused because of too many requests."""
        ...
