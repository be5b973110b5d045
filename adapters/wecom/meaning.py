"""What one error code means to the person who reads it."""

from __future__ import annotations

from dataclasses import dataclass

from scrm.channel import Sentence


@dataclass(frozen=True, slots=True)
class Meaning:
    """``retry_after`` (seconds) is set when the same call may succeed later."""

    reason: Sentence
    retry_after: float | None = None
    closes_window: bool = False
    needs_admin: bool = False


def rep(zh: str, en: str, *, closes_window: bool = False) -> Meaning:
    """The rep can do something, or has to live with it."""
    return Meaning(Sentence(zh, en), closes_window=closes_window)


def admin(zh: str, en: str) -> Meaning:
    """Only an administrator can mend it."""
    return Meaning(Sentence(zh, en), needs_admin=True)


def later(after: float, zh: str, en: str) -> Meaning:
    return Meaning(Sentence(zh, en), retry_after=after)
