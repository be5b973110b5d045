"""Working time against a slow and simple count of minutes, and the days that are not like the others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inbox.hours import ALWAYS, KNOWN_YEARS, OFFICE, Calendar, DayException, Plan, Span, calendar, spans_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 20, tzinfo=UTC)


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    edges = sorted(draw(st.lists(st.integers(0, 1440), unique=True, max_size=6)))
    return tuple(Span(start=a, end=b) for a, b in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = tuple(draw(spans()) for _ in range(7))
    exceptions = tuple(
        DayException(day=START.date() + timedelta(days=draw(st.integers(-2, 20))), spans=draw(spans()))
        for _ in range(draw(st.integers(0, 2)))
    )
    return Calendar(
        Plan(weekly=weekly, holidays=draw(st.booleans()), exceptions=exceptions),
        draw(st.sampled_from([SHANGHAI, BERLIN, UTC])),
    )


moments = st.integers(0, 14 * 1440).map(lambda minute: START + timedelta(minutes=minute))
"""With the change to summer time on March 29 among them."""


def is_open_slowly(one: Calendar, at: datetime) -> bool:
    local = at.astimezone(one.zone)
    minute = local.hour * 60 + local.minute
    return any(span.start <= minute < span.end for span in spans_of(one.plan, local.date()))


@settings(max_examples=150, deadline=None)
@given(calendars(), moments)
def test_open_is_what_the_wall_clock_says(one: Calendar, at: datetime) -> None:
    local = at.astimezone(one.zone)
    if local.fold == 0 and local.date() != date(2026, 3, 29):
        assert one.is_open(at) == is_open_slowly(one, at)


@settings(max_examples=80, deadline=None)
@given(calendars(), moments, st.integers(0, 3 * 1440))
def test_working_seconds_are_the_open_minutes(one: Calendar, begin: datetime, minutes: int) -> None:
    finish = begin + timedelta(minutes=minutes)
    slowly = sum(60 for n in range(minutes) if one.is_open(begin + timedelta(minutes=n)))
    assert one.working_seconds(begin, finish) == slowly


@settings(max_examples=150, deadline=None)
@given(calendars(), moments, moments, moments)
def test_working_seconds_add_up(one: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    a, b, c = sorted((a, b, c))
    assert one.working_seconds(a, c) == one.working_seconds(a, b) + one.working_seconds(b, c)
    assert 0 <= one.working_seconds(a, c) <= (c - a).total_seconds()
    assert one.working_seconds(c, a) == 0 or a == c


@settings(max_examples=150, deadline=None)
@given(calendars(), moments, st.integers(1, 200_000))
def test_adding_working_time_is_the_inverse_of_measuring_it(one: Calendar, at: datetime, seconds: int) -> None:
    due = one.add_working_seconds(at, seconds)
    if due is None:
        assert one.working_seconds(at, at + timedelta(days=399)) < seconds
    else:
        assert one.working_seconds(at, due) == seconds
        # And it is the first such moment.
        assert one.working_seconds(at, due - timedelta(seconds=1)) == seconds - 1


@settings(max_examples=150, deadline=None)
@given(calendars(), moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(one: Calendar, at: datetime) -> None:
    opens = one.next_open(at)
    if opens is None:
        assert one.working_seconds(at, at + timedelta(days=399)) == 0
    else:
        assert opens >= at
        assert one.is_open(opens)
        assert one.working_seconds(at, opens) == 0
        closes = one.closes(opens)
        if closes is not None and closes - opens < timedelta(days=30):
            assert not one.is_open(closes)
            assert one.working_seconds(opens, closes) == (closes - opens).total_seconds()


def test_a_day_in_an_office() -> None:
    one = Calendar(OFFICE.model_copy(update={"holidays": False}), SHANGHAI)
    friday = datetime(2026, 11, 20, 17, 58, tzinfo=SHANGHAI)
    assert one.add_working_seconds(friday, 300) == datetime(2026, 11, 23, 9, 3, tzinfo=SHANGHAI)
    assert one.working_seconds(friday, datetime(2026, 11, 23, 9, 3, tzinfo=SHANGHAI)) == 300
    assert one.next_open(datetime(2026, 11, 20, 18, 0, tzinfo=SHANGHAI)) == datetime(2026, 11, 23, 9, tzinfo=SHANGHAI)
    assert one.closes(friday) == datetime(2026, 11, 20, 18, tzinfo=SHANGHAI)


def test_holidays_and_the_weekends_worked_for_them() -> None:
    """2025: National Day from Wednesday, October 1 to 8; Sunday, September 28 and Saturday, October 11 are worked."""
    assert spans_of(OFFICE, date(2025, 10, 1)) == ()
    assert spans_of(OFFICE, date(2025, 10, 8)) == ()
    assert spans_of(OFFICE, date(2025, 10, 9)) == OFFICE.weekly[0]
    assert spans_of(OFFICE, date(2025, 10, 11)) == OFFICE.weekly[0]
    assert spans_of(OFFICE, date(2025, 10, 12)) == ()
    without = OFFICE.model_copy(update={"holidays": False})
    assert spans_of(without, date(2025, 10, 1)) == OFFICE.weekly[0]
    assert spans_of(without, date(2025, 10, 11)) == ()


def test_a_shop_that_is_open_on_sundays_keeps_its_sundays() -> None:
    shop = Plan(weekly=((Span(start=600, end=1200),),) * 7)
    assert spans_of(shop, date(2025, 10, 12)) == (Span(start=600, end=1200),)
    assert spans_of(shop, date(2025, 10, 11)) == (Span(start=600, end=1200),)
    assert spans_of(shop, date(2025, 10, 1)) == ()


def test_own_exceptions_win_over_everything() -> None:
    half = (Span(start=540, end=720),)
    plan = OFFICE.model_copy(
        update={"exceptions": (DayException(day=date(2025, 10, 1), spans=half), DayException(day=date(2025, 10, 9)))}
    )
    assert spans_of(plan, date(2025, 10, 1)) == half
    assert spans_of(plan, date(2025, 10, 9)) == ()


def test_years_that_are_not_decided_yet_go_by_the_week() -> None:
    unknown = max(KNOWN_YEARS) + 1
    assert unknown not in KNOWN_YEARS
    national_day = date(unknown, 10, 1)
    assert spans_of(OFFICE, national_day) == OFFICE.weekly[national_day.weekday()]


def test_always_open_never_closes() -> None:
    one = calendar(ALWAYS, "Asia/Shanghai")
    assert one.is_open(START)
    assert one.working_seconds(START, START + timedelta(days=3)) == 3 * 86_400
    assert one.add_working_seconds(START, 90_000) == START + timedelta(seconds=90_000)


def test_never_open_has_no_next_opening() -> None:
    one = Calendar(Plan(weekly=((),) * 7), SHANGHAI)
    assert one.next_open(START) is None
    assert one.add_working_seconds(START, 1) is None
    assert one.working_seconds(START, START + timedelta(days=5)) == 0


def test_night_shifts_cross_midnight_in_two_spans() -> None:
    """Monday 22:00 to Tuesday 06:00 is one opening."""
    night: tuple[tuple[Span, ...], ...] = ((Span(start=1320, end=1440),), (Span(start=0, end=360),), (), (), (), (), ())
    one = Calendar(Plan(weekly=night, holidays=False), SHANGHAI)
    monday = datetime(2026, 11, 23, 22, 30, tzinfo=SHANGHAI)
    assert one.closes(monday) == datetime(2026, 11, 24, 6, 0, tzinfo=SHANGHAI)
    assert one.add_working_seconds(monday, 2 * 3600) == datetime(2026, 11, 24, 0, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "weekly",
    [
        [[{"start": 600, "end": 600}], [], [], [], [], [], []],
        [[{"start": 600, "end": 1441}], [], [], [], [], [], []],
        [[{"start": 600, "end": 700}, {"start": 650, "end": 800}], [], [], [], [], [], []],
        [[], [], [], [], [], []],
    ],
)
def test_plans_that_make_no_sense_are_refused(weekly: list[object]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({"weekly": weekly})
