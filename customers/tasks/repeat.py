"""Care that comes again: every so many days, weeks or months, or around a date that stands in the customer's fields.

Pure functions of calendar and clock. A series keeps its ``origin``, the place on the calendar where this occurrence belongs: moving
one occurrence does not move the series, the 31st stays the 31st after February, and ten o'clock stays ten o'clock when clocks change.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from customers.tasks.times import day_of, end_of_day, moment

FARTHEST = date(2200, 1, 1)


class Every(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["every"] = "every"
    every: Annotated[int, Field(ge=1, le=366)] = 1
    unit: Literal["day", "week", "month"] = "day"
    until: date | None = None
    """The last day on which one may fall."""


class Anniversary(BaseModel):
    """Each year around the day that stands in a date field: a birthday, a renewal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["anniversary"] = "anniversary"
    field: Annotated[str, Field(pattern=r"^f[0-9a-z]{1,20}$")]
    days_before: Annotated[int, Field(ge=0, le=90)] = 0


Repeat = Annotated[Every | Anniversary, Field(discriminator="kind")]
_REPEAT: TypeAdapter[Every | Anniversary] = TypeAdapter(Repeat)


def stored(repeat: Every | Anniversary, due_at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """As it stands in the row: the rule, and where this occurrence belongs."""
    origin = due_at.astimezone(zone).replace(tzinfo=None, microsecond=0)
    return {**repeat.model_dump(mode="json"), "origin": origin.isoformat(), "day": origin.day}


def restored(value: Mapping[str, Any] | None) -> Every | Anniversary | None:
    """The rule without its place. None for what is none (any more)."""
    if value is None:
        return None
    try:
        return _REPEAT.validate_python({name: one for name, one in value.items() if name not in ("origin", "day")})
    except ValidationError:
        return None


def following(
    value: Mapping[str, Any], *, all_day: bool, zone: ZoneInfo, now: datetime, fields: Mapping[str, Any]
) -> tuple[datetime, dict[str, Any]] | None:
    """When the next one is due, and what is stored with it: after this one's place and after now, so that what was left undone for
    weeks does not come back for each of them. None when the series has ended, or the field is empty."""
    rule = restored(value)
    if rule is None:
        return None
    origin = datetime.fromisoformat(str(value["origin"]))
    anchor = int(value.get("day") or origin.day)
    number = 1
    if isinstance(rule, Every):
        number = _first_step(rule, origin, now, zone)
    while True:
        day = (
            _step(rule, origin.date(), anchor, number)
            if isinstance(rule, Every)
            else _year(rule, origin.date(), number, fields)
        )
        if day is None or day >= FARTHEST or (isinstance(rule, Every) and rule.until is not None and day > rule.until):
            return None
        due = end_of_day(day, zone) if all_day else moment(day, origin.time(), zone)
        if day > origin.date() and due > now:
            place = datetime.combine(day, origin.time())
            return due, {**rule.model_dump(mode="json"), "origin": place.isoformat(), "day": anchor}
        number += 1


def anniversary_from(
    rule: Anniversary, fields: Mapping[str, Any], *, clock: time | None, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The first one from today on; ``clock`` None: the whole day. None when the field holds no date."""
    today = day_of(now, zone)
    for number in range(-1, 4):
        day = _year(rule, today, number, fields)
        if day is None:
            return None
        due = end_of_day(day, zone) if clock is None else moment(day, clock, zone)
        if due > now:
            return due
    return None


def _first_step(rule: Every, origin: datetime, now: datetime, zone: ZoneInfo) -> int:
    """A step from which it is not far to the first one after now: years of neglect must not be counted day by day."""
    days = (day_of(now, zone) - origin.date()).days
    longest = {"day": 1, "week": 7, "month": 31}[rule.unit] * rule.every
    return max(1, days // longest - 1)


def _step(rule: Every, day: date, anchor: int, number: int) -> date | None:
    try:
        if rule.unit != "month":
            return day + timedelta(days=number * rule.every * (7 if rule.unit == "week" else 1))
        months = day.year * 12 + day.month - 1 + number * rule.every
        year, month = months // 12, months % 12 + 1
        return date(year, month, min(anchor, monthrange(year, month)[1]))
    except (OverflowError, ValueError):
        return None


def _year(rule: Anniversary, day: date, number: int, fields: Mapping[str, Any]) -> date | None:
    try:
        born = date.fromisoformat(str(fields.get(rule.field) or "")[:10])
        year = day.year + number - 1
        # Who was born on a 29th of February is thought of on the 28th.
        held = date(year, born.month, min(born.day, monthrange(year, born.month)[1]))
        return held - timedelta(days=rule.days_before)
    except (OverflowError, ValueError):
        return None
