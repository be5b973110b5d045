"""When a campaign is due. Wall-clock times of the schedule's own zone become moments; daylight saving is exact: a time that is skipped
is due at the moment when the clock jumps, a time that comes twice is due the first time, and what falls together is due once."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

from campaigns.life import cron
from campaigns.shapes import Calendar, Schedule
from scrm.errors import Unprocessable

SHOWN = 10
FAR = timedelta(days=8 * 366 + 1)
"""29 February comes once in eight years at worst."""
CLOSEST = timedelta(hours=1)
LOOKED_AT = 60
"""Dates of a series that are looked at for being too close."""


@dataclass(frozen=True, slots=True)
class Due:
    """``shift``: what daylight saving did to it."""

    at: datetime
    shift: str = ""


def dates(schedule: Schedule, after: datetime) -> Iterator[Due]:
    """Those of a series later than ``after``, as long as it lasts (``times`` is the caller's affair); or the one of a single campaign."""
    if schedule.mode == "at" and schedule.at is not None and schedule.at > after:
        yield Due(schedule.at.astimezone(UTC))
    if schedule.mode != "recurring":
        return
    fits, times = _pattern(schedule)
    zone, last = ZoneInfo(schedule.zone), after
    day = after.astimezone(zone).date() - timedelta(days=1)
    end = day + FAR
    while day < end:
        for clock in times if fits(day) else ():
            due = moment(datetime.combine(day, clock), zone)
            if schedule.until is not None and due.at > schedule.until:
                return
            if due.at > last:
                yield due
                last, end = due.at, day + FAR
        day += timedelta(days=1)


def first_after(schedule: Schedule, after: datetime) -> datetime | None:
    return next((due.at for due in dates(schedule, after)), None)


def moment(wall: datetime, zone: ZoneInfo) -> Due:
    """``wall`` without a zone. A skipped time is the moment of the jump, a doubled one its first."""
    early, late = (wall.replace(tzinfo=zone, fold=fold) for fold in (1, 0))
    before, behind = late.utcoffset(), early.utcoffset()
    if before == behind:
        return Due(late.astimezone(UTC))
    first = late.astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return Due(first, "doubled")
    return Due(_jump(early.astimezone(UTC), first, zone), "skipped")


def _jump(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second after the clock jumped, between a moment before and one after it."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def check(schedule: Schedule) -> None:
    """Raises :class:`Unprocessable` for a schedule that means nothing. Whether its dates still lie ahead is another question."""
    if schedule.zone not in available_timezones():
        raise _wrong("zone", "Write a time zone of the IANA list, such as Asia/Shanghai.")
    if schedule.mode == "at" and not _moment(schedule.at):
        raise _wrong("at", "Say when, with its zone: 2026-12-01T09:30:00+08:00.")
    if schedule.mode == "recurring":
        _check_series(schedule)


def _moment(said: datetime | None) -> bool:
    return said is not None and said.tzinfo is not None and 2000 <= said.year <= 2200


def _check_series(schedule: Schedule) -> None:
    if (schedule.calendar is None) == (not schedule.cron.strip()):
        raise _wrong("calendar", "Choose days and a time, or write a cron line: one of them.")
    if schedule.until is not None and not _moment(schedule.until):
        raise _wrong("until", "Write the end with its zone.")
    if schedule.calendar is not None:
        _check_days(schedule.calendar)
    else:
        try:
            cron.parse(schedule.cron)
        except ValueError as error:
            raise _wrong("cron", str(error)) from error
    endless = schedule.model_copy(update={"until": None})
    some = [due.at for due in islice(dates(endless, datetime(2026, 1, 1, tzinfo=UTC)), LOOKED_AT)]
    if not some:
        raise _wrong("cron" if schedule.cron else "calendar", "This never happens. Choose days that exist.")
    if any(later - earlier < CLOSEST for earlier, later in pairwise(some)):
        raise _wrong("cron", "Runs are at least an hour apart. Choose fewer.")


def _check_days(calendar: Calendar) -> None:
    days = set(calendar.days)
    if calendar.every == "week" and (not days or not days <= set(range(1, 8))):
        raise _wrong("calendar", "Choose days of the week, from 1 (Monday) to 7.")
    if calendar.every == "month" and (not days or not days <= {*range(1, 32), -1}):
        raise _wrong("calendar", "Choose days of the month, from 1 to 31, or -1 for the last.")


def _pattern(schedule: Schedule) -> tuple[Callable[[date], bool], tuple[time, ...]]:
    calendar = schedule.calendar
    if calendar is None:
        line = cron.parse(schedule.cron)
        return line.fits, line.times
    days = frozenset(calendar.days)
    fits: dict[str, Callable[[date], bool]] = {
        "day": lambda day: True,
        "week": lambda day: day.isoweekday() in days,
        "month": lambda day: day.day in days or (-1 in days and day.day == monthrange(day.year, day.month)[1]),
    }
    return fits[calendar.every], (time.fromisoformat(calendar.time),)


def _wrong(field: str, words: str) -> Unprocessable:
    return Unprocessable(words, fields={f"schedule.{field}": words})
