"""Conditions on times of the customer, and on dates of the company's own fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from customers.field_indexes import value_of
from customers.filtering import values
from customers.filtering.asking import Asking
from customers.filtering.known import Known
from customers.filtering.periods import DAY, PERIODS, midnight, today
from customers.filtering.places import Arguments
from customers.filtering.tree import Condition

Span = tuple[date | datetime | None, date | datetime | None]
"""From (included) to (not included); None: open."""


def time(known: Known, one: Condition, asking: Asking, arguments: Arguments) -> str:
    column = known.column
    if one.op in ("empty", "filled"):
        return f"{column} is {'not ' if one.op == 'filled' else ''}null"
    if one.op == "not_last_days":
        # Longer ago, or never.
        since = asking.now - timedelta(days=values.days(one.value))
        return f"({column} is null or {column} < {arguments.add(since, 'timestamptz')})"
    begin, end = _moments(one, asking)
    return _within(column, begin, end, lambda at: arguments.add(at, "timestamptz"))


def custom_date(key: str, one: Condition, asking: Asking, arguments: Arguments) -> str:
    """Dates are text that sorts as they do."""
    column = value_of(key, "date")
    this = today(asking.now, asking.zone)
    if one.op == "not_last_days":
        since = arguments.add((this - timedelta(days=values.days(one.value))).isoformat(), "text")
        return f"(not (u.fields ? '{key}') or {column} < {since})"
    begin, end = _days(one, this)
    return f"(u.fields ? '{key}' and {_within(column, begin, end, lambda at: arguments.add(at.isoformat(), 'text'))})"


def _moments(one: Condition, asking: Asking) -> Span:
    now = asking.now
    if one.op == "last_days":
        return now - timedelta(days=values.days(one.value)), now + timedelta(microseconds=1)
    if one.op == "next_days":
        return now, now + timedelta(days=values.days(one.value))
    if one.op == "overdue":
        return None, now
    begin, end = _days(one, today(now, asking.zone))
    return (
        midnight(begin, asking.zone) if begin is not None else None,
        midnight(end, asking.zone) if end is not None else None,
    )


def _days(one: Condition, this: date) -> tuple[date | None, date | None]:
    if one.op == "period":
        name = values.one_text(one.value)
        if name not in PERIODS:
            raise ValueError(f"Give one of {', '.join(PERIODS)}.")
        return PERIODS[name](this)
    if one.op == "between":
        first, last = (values.one_day(value) for value in values.pair(one.value))
        return first, last + DAY
    if one.op == "last_days":
        return this - timedelta(days=values.days(one.value)), this + DAY
    if one.op == "next_days":
        return this, this + timedelta(days=values.days(one.value) + 1)
    if one.op in ("overdue", "due"):
        return None, this if one.op == "overdue" else this + DAY
    wanted = values.one_day(one.value)
    return (None, wanted) if one.op == "before" else (wanted, None)


def _within(column: str, begin: date | None, end: date | None, place: Callable[[date], str]) -> str:
    parts = [f"{column} >= {place(begin)}"] if begin is not None else []
    parts += [f"{column} < {place(end)}"] if end is not None else []
    return f"({' and '.join(parts)})"
