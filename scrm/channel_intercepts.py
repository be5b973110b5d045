"""Fifth page of the contract: words that a platform itself looks for while its people write, before the message leaves.

As on the other pages an ability is a protocol, found with ``isinstance``. Methods raise ``RetryLater``, ``Rejected`` and, where something may
have been done, ``Uncertain``. Such rules know their words and people only: no exceptions, no patterns, and nobody is told what they stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class InterceptLimits:
    """Characters of a name and of a word; words and people of a rule; rules in all."""

    name: int
    word: int
    words: int
    people: int
    rules: int


@dataclass(frozen=True, slots=True)
class InterceptRule:
    """``block``: the message does not leave; else its writer is warned. ``members``: ``external_id`` of their accounts."""

    name: str
    words: tuple[str, ...]
    block: bool
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InterceptEntry:
    external_id: str
    name: str


@runtime_checkable
class Intercepts(Protocol):
    intercept_channel: str
    """The channel whose accounts are the people."""
    intercept_limits: InterceptLimits

    async def intercepts(self) -> Sequence[InterceptEntry]:
        """Those that this service made there."""
        ...

    async def add_intercept(self, rule: InterceptRule) -> str:
        """Returns what it is called there. A second call makes a second rule: look for the name first when in doubt."""
        ...

    async def change_intercept(self, external_id: str, rule: InterceptRule, before: Sequence[str]) -> None:
        """``before``: the people it was for until now."""
        ...

    async def delete_intercept(self, external_id: str) -> None: ...
