"""The five fields of cron: minute, hour, day of month, month, day of week (0 or 7 is Sunday, names are understood).

As cron does: when both days are limited, one of them is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST = 100
SHORTCUTS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}


@dataclass(frozen=True, slots=True)
class Cron:
    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool

    def fits(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_month or by_week if self.either else by_month and by_week


def parse(text: str) -> Cron:
    """Raises ``ValueError`` with a sentence."""
    fields = SHORTCUTS.get(text.strip().lower(), text.strip().lower()).split()
    if len(text) > LONGEST or len(fields) != 5:
        raise ValueError("Write five fields: minute, hour, day, month, weekday, such as 30 9 * * 1-5.")
    minutes, hours = _field(fields[0], 0, 59), _field(fields[1], 0, 23)
    days, months = _field(fields[2], 1, 31), _field(fields[3], 1, 12, MONTHS, 1)
    weekdays = frozenset(one % 7 for one in _field(fields[4], 0, 7, WEEKDAYS, 0))
    return Cron(
        times=tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days=days,
        months=months,
        weekdays=weekdays,
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )


def _field(text: str, least: int, most: int, names: tuple[str, ...] = (), first: int = 0) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        among, _, step = part.partition("/")
        begin, _, end = among.partition("-")
        low = least if among == "*" else _number(begin, names, first)
        high = _number(end, names, first) if end else most if among == "*" or step else low
        every = _number(step, (), 0) if step else 1
        if not least <= low <= high <= most or every < 1 or ("-" in among and not end) or ("/" in part and not step):
            raise ValueError(f"{part} does not fit: from {least} to {most}.")
        found |= set(range(low, high + 1, every))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    if text in names:
        return names.index(text) + first
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise ValueError(f"{text or 'nothing'} is no number.")
    return int(text)
