"""Frequency limits of the API (chapter 3.4): who exceeds a window is refused until that window is over."""

from __future__ import annotations

from simulator.wecom.errors import Refused
from simulator.wecom.settings import HOUR, MINUTE, Settings


class Limits:
    """Counts per corp and API in fixed windows of a minute and an hour, and whatever else has a number per window."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._windows: dict[tuple[str, str, int], tuple[int, int]] = {}

    def count_call(self, corp_id: str, path: str, now: int) -> None:
        """Refused with 45009 over the limit."""
        self.count(corp_id, path, MINUTE, self._settings.api_per_minute, now)
        self.count(corp_id, path, HOUR, self._settings.api_per_hour, now)

    def count(self, owner: str, what: str, seconds: int, limit: int, now: int) -> None:
        if not self.has_room(owner, what, seconds, limit, now):
            raise Refused(45009)

    def has_room(self, owner: str, what: str, seconds: int, limit: int, now: int) -> bool:
        """Counts one, and says whether it was within the limit."""
        key = (owner, what, seconds)
        window, number = self._windows.get(key, (0, 0))
        current = now // seconds
        number = number + 1 if window == current else 1
        self._windows[key] = (current, number)
        return number <= limit

    def clear(self) -> None:
        self._windows.clear()
