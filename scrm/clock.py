"""Time as an argument: code asks a clock, tests move one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests and simulators."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta | float) -> None:
        """Moves forward by a duration; a number means seconds."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)


class ShiftedClock:
    """The system clock plus an offset that can be changed; for simulators that must also move by themselves."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, by: timedelta | float) -> None:
        self.offset += by if isinstance(by, timedelta) else timedelta(seconds=by)


def from_seconds(value: float | int | str) -> datetime:
    """A Unix time in seconds as an aware UTC moment. Raises ``ValueError`` for what is no time."""
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (OverflowError, OSError, TypeError) as error:
        raise ValueError(f"not a Unix time: {value!r}") from error


def from_millis(value: float | int | str) -> datetime:
    """A Unix time in milliseconds as an aware UTC moment. Raises ``ValueError`` for what is no time."""
    try:
        return from_seconds(float(value) / 1000)
    except TypeError as error:
        raise ValueError(f"not a Unix time: {value!r}") from error


def monotonic() -> float:
    """Seconds that never run backwards; for measuring durations only."""
    return time.monotonic()
