"""Moments of the company's calendar and clock: ends of days, reminders, and the quick ones that people mean."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from customers.workdays import is_workday, workday_after, workday_from
from scrm.views import View

MORNING = time(10, 0)
EVENING = time(18, 0)
TOLD_AT = time(9, 0)
"""When one is reminded of what is due on a day without a time."""

MomentName = Literal["evening", "tomorrow", "workday", "three_days", "monday", "week"]


class QuickMoment(View):
    key: MomentName
    at: datetime


def moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """What that clock shows on that day, in UTC. A time that the clocks skip is the one after the gap."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last second of a day: what has only a day is due then, so it comes after what has a time, and is late tomorrow."""
    return moment(day + timedelta(days=1), time(), zone) - timedelta(seconds=1)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def remind_moment(
    due_at: datetime, *, all_day: bool, before: int | None, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """``before`` in minutes; None: no reminder. When that moment has passed, the reminder comes when the task is due; a task that
    is late has none."""
    if before is None or due_at <= now:
        return None
    from_ = moment(day_of(due_at, zone), TOLD_AT, zone) if all_day else due_at
    wanted = from_ - timedelta(minutes=before)
    if wanted > now:
        return wanted
    return from_ if from_ > now else (None if all_day else due_at)


def quick_moments(now: datetime, zone: ZoneInfo) -> list[QuickMoment]:
    """Today at six, tomorrow at ten, the next working day when that is another one, three working days on, Monday (or the first
    working day after it), a week on. Those that have passed or are the same as an earlier one are left out."""
    today = day_of(now, zone)
    tomorrow = today + timedelta(days=1)
    monday = workday_from(today + timedelta(days=7 - today.weekday()))
    wanted: list[tuple[MomentName, datetime]] = [
        ("evening", moment(today, EVENING, zone)),
        ("tomorrow", moment(tomorrow, MORNING, zone)),
    ]
    if not is_workday(tomorrow):
        wanted.append(("workday", moment(workday_after(today), MORNING, zone)))
    wanted += [
        ("three_days", moment(workday_after(today, 3), MORNING, zone)),
        ("monday", moment(monday, MORNING, zone)),
        ("week", moment(workday_from(today + timedelta(days=7)), MORNING, zone)),
    ]
    found: dict[datetime, MomentName] = {}
    for key, at in wanted:
        if at > now + timedelta(minutes=15):
            found.setdefault(at, key)
    return [QuickMoment(key=key, at=at) for at, key in sorted(found.items())]
