"""Which days people in China work: weekdays without public holidays, and the weekends that make up for them.

The state decides each year's days late in the year before; of years that are not known yet only the weekends are."""

from __future__ import annotations

from datetime import date, timedelta

from chinese_calendar import constants

from scrm.views import SentenceView, View

KNOWN_YEARS = frozenset(day.year for day in constants.holidays)
CHINESE = {one.value: str(one.chinese) for one in constants.Holiday}


class MarkedDay(View):
    """A day that is not like its weekday. ``working``: people work although it is a weekend."""

    day: date
    working: bool
    name: SentenceView


def is_workday(day: date) -> bool:
    if day.year in KNOWN_YEARS:
        if day in constants.holidays:
            return False
        if day in constants.workdays:
            return True
    return day.weekday() < 5


def workday_after(day: date, count: int = 1) -> date:
    """The working day that is ``count`` working days later."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def workday_from(day: date) -> date:
    """``day`` itself when people work then, else the next such day."""
    return day if is_workday(day) else workday_after(day)


def marked_days(first: date, last: date) -> list[MarkedDay]:
    """In order, both ends included."""
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        name = constants.holidays.get(day) or constants.workdays.get(day)
        if name is not None:
            working = day in constants.workdays and day not in constants.holidays
            zh, en = CHINESE.get(str(name), str(name)), str(name)
            words = SentenceView(
                code="", zh=f"{zh}调休上班" if working else zh, en=f"{en}: working day" if working else en
            )
            found.append(MarkedDay(day=day, working=working, name=words))
    return found
