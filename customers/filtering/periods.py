"""Days as people mean them: today, last week, the last seven days, in the company's time zone. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def _month(day: date, by: int) -> date:
    months = day.year * 12 + day.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def _week(day: date, by: int) -> tuple[date, date]:
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=by)
    return monday, monday + timedelta(weeks=1)


PERIODS: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda day: (day, day + DAY),
    "yesterday": lambda day: (day - DAY, day),
    "tomorrow": lambda day: (day + DAY, day + 2 * DAY),
    "this_week": lambda day: _week(day, 0),
    "last_week": lambda day: _week(day, -1),
    "next_week": lambda day: _week(day, 1),
    "this_month": lambda day: (_month(day, 0), _month(day, 1)),
    "last_month": lambda day: (_month(day, -1), _month(day, 0)),
    "next_month": lambda day: (_month(day, 1), _month(day, 2)),
    "this_year": lambda day: (date(day.year, 1, 1), date(day.year + 1, 1, 1)),
}
"""From the first day to the one after the last."""


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()
