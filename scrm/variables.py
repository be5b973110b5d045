"""Names in a text that stand for something: ``{{customer.name}}``. Which names there are is the affair of who fills them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

VARIABLE = re.compile(r"\{\{\s*([a-z][a-z_.]{0,40})\s*\}\}")
WEEKDAYS = "一二三四五六日"
MOMENTS: tuple[str, ...] = ("today", "tomorrow", "now", "weekday", "greeting")
"""The names that :func:`of_moment` knows."""


def names_in(text: str) -> list[str]:
    """Each once, in order; also those that do not exist."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Puts the values in. Names without a value, and braces with a name that does not exist, are left alone."""
    return VARIABLE.sub(lambda found: values.get(found[1], "").strip() or found[0], text)


def of_moment(here: datetime) -> dict[str, str]:
    """``here``: by the company's clock."""
    return {
        "today": _day(here),
        "tomorrow": _day(here + timedelta(days=1)),
        "now": f"{here:%H:%M}",
        "weekday": f"星期{WEEKDAYS[here.weekday()]}",
        "greeting": _greeting(here.hour),
    }


def _day(day: datetime) -> str:
    return f"{day.month}月{day.day}日"


def _greeting(hour: int) -> str:
    if hour < 5:
        return "您好"
    if hour < 11:
        return "早上好"
    if hour < 13:
        return "中午好"
    return "下午好" if hour < 18 else "晚上好"
