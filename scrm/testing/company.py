"""What an adapter's author gives to the kit for the abilities of :mod:`scrm.channel_contacts`: a company whose people, customers and
groups do as they are told, on the same simulated platform as the :class:`~scrm.testing.harness.Harness`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from scrm.channel import Adapter, Event
from scrm.channel_contacts import CodeSpec
from scrm.testing.harness import SendFault

Act = Literal["code", "greeting", "transfer", "notice"]


class Company(Protocol):
    """Needed for the abilities that the adapter has; a method of an ability that it lacks may raise ``NotImplementedError``."""

    employee: str
    """The id, as ``person_id`` writes it, of somebody who serves customers and has none yet."""
    colleague: str
    """Another one, who may take customers over."""

    def customer(self, name: str) -> str:
        """A new person outside, whom nobody knows yet. Returns the contact's id."""
        ...

    def knows(self, account_id: str, contact_id: str) -> None:
        """They have been contacts all along: no event tells of it."""
        ...

    async def adds(self, adapter: Adapter, contact_id: str, *, source: str = "") -> Sequence[Event]:
        """The customer adds the employee (through a code with this ``source``). What ``adapter`` makes of the platform's
        webhook."""
        ...

    async def edits(self, adapter: Adapter, contact_id: str, remark: str) -> Sequence[Event] | None:
        """The employee writes another remark in the platform's own client. None where the platform tells nobody of it."""
        ...

    async def deletes(self, adapter: Adapter, contact_id: str, *, by_contact: bool) -> Sequence[Event] | None:
        """The customer deletes the employee, or the employee the customer. None where that side cannot: followers leave an
        account, and it cannot send them away."""
        ...

    def scans(self, code_id: str, contact_id: str) -> str:
        """The customer scans a code and adds whose turn it is; returns the account."""
        ...

    def greetings(self, contact_id: str) -> Sequence[str]:
        """The texts of the greetings that the customer has got."""
        ...

    def tag_of_others(self, group: str, name: str) -> str:
        """A tag that people made on the platform. Returns its external id."""
        ...

    def group(self, name: str, contact_ids: Sequence[str]) -> str:
        """A customer group of the employee. Returns its external id."""
        ...

    def dissolves(self, group_id: str) -> None: ...

    def leaves(self, account_id: str) -> None:
        """Somebody leaves the company."""
        ...

    def refuses(self, contact_id: str) -> None:
        """The customer refuses the hand-over that waits."""
        ...

    def days_pass(self, days: float) -> None:
        """What waits for its time happens."""
        ...

    def notices(self, person_id: str) -> Sequence[str]:
        """Titles of the cards that somebody of the company has got."""
        ...

    def lose_answer(self, act: Act, fault: SendFault) -> None:
        """The next call of this kind meets this fault."""
        ...

    def code(self, source: str) -> CodeSpec:
        """A code of the employee that the platform takes."""
        ...
