"""Working time: whether somebody answers at a moment, and how much of a stretch of time counts.

Pure functions of a weekly plan, public holidays and own exceptions, in the company's time zone. Seconds of working time are real
seconds inside the spans, so clocks that jump (summer time) change nothing but how long a span is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from chinese_calendar import constants
from pydantic import BaseModel, ConfigDict, Field, model_validator

DAY = 24 * 60
FARTHEST = 400
"""Days that are looked ahead for the next opening."""

KNOWN_YEARS = frozenset(day.year for day in constants.holidays)
"""Years whose public holidays and make-up working days have been decided and are known here."""

Minute = Annotated[int, Field(ge=0, le=DAY)]


class Span(BaseModel):
    """Minutes of a day, ``end`` not included; 1440 is midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Minute
    end: Minute

    @model_validator(mode="after")
    def _forward(self) -> Span:
        if self.start >= self.end:
            raise ValueError("A span ends after it starts; split one that crosses midnight.")
        return self


Spans = Annotated[tuple[Span, ...], Field(max_length=12)]


class DayException(BaseModel):
    """A day that is not like its weekday; without spans it is off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date
    spans: Spans = ()
    note: Annotated[str, Field(max_length=100)] = ""


class Plan(BaseModel):
    """``weekly``: from Monday. ``holidays``: public holidays are off, and on make-up working days at weekends people work as on a
    Monday. Exceptions win over both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weekly: Annotated[tuple[Spans, ...], Field(min_length=7, max_length=7)]
    holidays: bool = True
    exceptions: Annotated[tuple[DayException, ...], Field(max_length=400)] = ()

    @model_validator(mode="after")
    def _apart(self) -> Plan:
        for spans in (*self.weekly, *(one.spans for one in self.exceptions)):
            ordered = sorted(spans, key=lambda span: span.start)
            if any(left.end > right.start for left, right in itertools.pairwise(ordered)):
                raise ValueError("Two spans of a day overlap.")
        return self


ALWAYS = Plan(weekly=((Span(start=0, end=DAY),),) * 7, holidays=False)
OFFICE = Plan(weekly=((Span(start=9 * 60, end=18 * 60),),) * 5 + ((), ()))


@dataclass(frozen=True, slots=True)
class Calendar:
    """A plan somewhere on earth."""

    plan: Plan
    zone: tzinfo

    def is_open(self, at: datetime) -> bool:
        for start, end in self._from(at):
            if at < end:
                return start <= at
        return False

    def next_open(self, at: datetime) -> datetime | None:
        """``at`` itself while it is open; None when it stays closed for more than a year."""
        for start, end in self._from(at):
            if at < end:
                return max(start, at)
        return None

    def closes(self, at: datetime) -> datetime | None:
        """When the opening that holds ``at`` ends; None while it is closed. Spans that touch are one opening."""
        until: datetime | None = None
        for start, end in self._from(at):
            if until is None and start <= at < end:
                until = end
            elif until is not None:
                if start > until or until - at > timedelta(days=FARTHEST):
                    break
                until = end
            elif start > at:
                break
        return until

    def working_seconds(self, begin: datetime, finish: datetime) -> float:
        """How much of [begin, finish) counts; 0 when it is the wrong way round."""
        if finish <= begin:
            return 0.0
        if self.plan == ALWAYS:
            return (finish - begin).total_seconds()
        total = 0.0
        for start, end in self._spans(begin.astimezone(self.zone).date() - timedelta(days=1), None):
            if start >= finish:
                break
            if end > begin:
                total += (min(end, finish) - max(start, begin)).total_seconds()
        return total

    def add_working_seconds(self, at: datetime, seconds: float) -> datetime | None:
        """The first moment by which so much working time has passed since ``at``. None when there is not that much within the
        time that is looked ahead."""
        if seconds <= 0:
            return at
        left = seconds
        for start, end in self._from(at):
            begin = max(start, at)
            if end <= begin:
                continue
            here = (end - begin).total_seconds()
            if here >= left:
                return begin + timedelta(seconds=left)
            left -= here
        return None

    # ------------------------------------------------------------------ inside

    def _from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        return self._spans(at.astimezone(self.zone).date() - timedelta(days=1), FARTHEST)

    def _spans(self, day: date, days: int | None) -> Iterator[tuple[datetime, datetime]]:
        """In order and never overlapping, in UTC."""
        last = datetime.min.replace(tzinfo=UTC)
        count = 0
        while days is None or count < days:
            for span in spans_of(self.plan, day):
                start, end = max(self._moment(day, span.start), last), self._moment(day, span.end)
                if start < end:
                    yield start, end
                    last = end
            if day == date.max:
                return
            if days is None:
                # Somebody has to stop: the caller does at its end, and an empty plan has nothing to stop at.
                yield self._moment(day, DAY), self._moment(day, DAY)
            day += timedelta(days=1)
            count += 1

    def _moment(self, day: date, minute: int) -> datetime:
        if minute == DAY:
            day, minute = day + timedelta(days=1), 0
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).astimezone(UTC)


def calendar(plan: Plan, zone: str) -> Calendar:
    """Raises ``ZoneInfoNotFoundError`` for a zone that is none."""
    return Calendar(plan, ZoneInfo(zone))


def spans_of(plan: Plan, day: date) -> tuple[Span, ...]:
    """The spans of one day, in order."""
    for one in plan.exceptions:
        if one.day == day:
            return tuple(sorted(one.spans, key=lambda span: span.start))
    own = plan.weekly[day.weekday()]
    if plan.holidays and day.year in KNOWN_YEARS:
        if day in constants.holidays:
            return ()
        if day in constants.workdays and not own:
            own = next((spans for spans in plan.weekly[:5] if spans), ())
    return tuple(sorted(own, key=lambda span: span.start))


def holiday_name(day: date) -> str:
    """The public holiday, in English as the calendar says it; empty for other days."""
    found = constants.holidays.get(day)
    return str(found) if found else ""
