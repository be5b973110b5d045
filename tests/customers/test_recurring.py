"""Care that comes again: on the right day and clock in any zone, once for each time it is done."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.tasks.repeat import Anniversary, Every, anniversary_from, following, stored
from customers.tasks.times import day_of, end_of_day, quick_moments, remind_moment
from customers.workdays import is_workday, marked_days, workday_after
from tests.customers.test_follow_ups import customer, me, soon
from tests.http.site import Site

SHANGHAI, BERLIN, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = st.sampled_from([SHANGHAI, BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")])
MOMENTS = st.integers(946_684_800, 3_471_292_800).map(lambda at: datetime.fromtimestamp(at, UTC))


def chain(rule: Every | Anniversary, due: datetime, zone: ZoneInfo, count: int, **fields: Any) -> list[datetime]:
    """The dates of a series whose tasks are each done as they are due."""
    value, found = stored(rule, due, zone), [due]
    for _ in range(count):
        made = following(value, all_day=False, zone=zone, now=found[-1], fields=fields)
        if made is None:
            break
        due, value = made
        found.append(due)
    return found


@given(due=MOMENTS, late=st.timedeltas(timedelta(0), timedelta(days=4000)), zone=ZONES, all_day=st.booleans(),
       rule=st.builds(Every, every=st.integers(1, 366), unit=st.sampled_from(["day", "week", "month"])))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_the_next_one_is_the_first_of_the_series_after_now(
    due: datetime, late: timedelta, zone: ZoneInfo, all_day: bool, rule: Every
) -> None:
    if all_day:
        due = end_of_day(day_of(due, zone), zone)
    now = due + late
    made = following(stored(rule, due, zone), all_day=all_day, zone=zone, now=now, fields={})
    assert made is not None
    found, value = made
    assert found > now
    assert day_of(found, zone) > day_of(due, zone)
    # It stands where the series says, and the step before it would not have been after now.
    days = (day_of(found, zone) - day_of(due, zone)).days
    if rule.unit != "month":
        size = rule.every * (7 if rule.unit == "week" else 1)
        assert days % size == 0
        before = day_of(found, zone) - timedelta(days=size)
    else:
        before = day_of(found, zone) - timedelta(days=31 * rule.every + 3)
    assert before <= max(day_of(now, zone), day_of(due, zone))
    if all_day:
        assert found == end_of_day(day_of(found, zone), zone)
    assert date.fromisoformat(value["origin"][:10]) == day_of(found, zone) or not all_day


def test_ten_o_clock_stays_ten_o_clock_when_clocks_change() -> None:
    first = datetime(2026, 3, 27, 10, tzinfo=BERLIN)
    clocks = [at.astimezone(BERLIN).time() for at in chain(Every(every=1, unit="day"), first, BERLIN, 6)]
    assert set(clocks) == {time(10)}
    # Half past two does not exist on the 29th; it is back on the 30th.
    gap = [
        at.astimezone(BERLIN).time() for at in chain(Every(), datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN), BERLIN, 2)
    ]
    assert gap == [time(2, 30), time(3, 30), time(2, 30)]
    china = chain(Every(), datetime(2026, 3, 27, 10, tzinfo=SHANGHAI), SHANGHAI, 200)
    assert {b - a for a, b in itertools.pairwise(china)} == {timedelta(days=1)}


def test_the_31st_stays_the_31st_after_february() -> None:
    days = [at.astimezone(SHANGHAI).date().isoformat() for at in chain(
        Every(unit="month"), datetime(2026, 1, 31, 10, tzinfo=SHANGHAI), SHANGHAI, 3)]  # fmt: skip
    assert days == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    ends = chain(Every(every=10, until=date(2026, 2, 15)), datetime(2026, 1, 31, 10, tzinfo=SHANGHAI), SHANGHAI, 9)
    assert len(ends) == 2


def test_birthdays_come_each_year_also_on_the_29th_of_february() -> None:
    rule = Anniversary(field="fborn", days_before=3)
    fields = {"fborn": "2000-02-29"}
    now = datetime(2026, 11, 28, tzinfo=UTC)
    first = anniversary_from(rule, fields, clock=time(10), zone=SHANGHAI, now=now)
    assert first == datetime(2027, 2, 25, 10, tzinfo=SHANGHAI)
    days = [at.astimezone(SHANGHAI).date().isoformat() for at in chain(rule, first, SHANGHAI, 2, **fields)]
    assert days == ["2027-02-25", "2028-02-26", "2029-02-25"]
    assert anniversary_from(rule, {}, clock=None, zone=SHANGHAI, now=now) is None


def test_quick_moments_know_the_holidays() -> None:
    # The Wednesday before the national holiday (1st to 7th of October; the 10th, a Saturday, is worked).
    now = datetime(2026, 9, 30, 15, 0, tzinfo=SHANGHAI)
    found = {one.key: one.at.astimezone(SHANGHAI).isoformat()[:16] for one in quick_moments(now, SHANGHAI)}
    assert found == {
        "evening": "2026-09-30T18:00", "tomorrow": "2026-10-01T10:00", "workday": "2026-10-08T10:00",
        "three_days": "2026-10-10T10:00",
    }  # fmt: skip
    assert not is_workday(date(2026, 10, 7))
    assert is_workday(date(2026, 10, 10))
    assert workday_after(date(2026, 9, 30), 3) == date(2026, 10, 10)
    marks = marked_days(date(2026, 9, 28), date(2026, 10, 11))
    assert [one.day.day for one in marks if one.working] == [10]
    assert [one.day.day for one in marks if not one.working] == [1, 2, 3, 4, 5, 6, 7]


def test_reminders_of_what_is_close_come_when_it_is_due() -> None:
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    due = now + timedelta(minutes=5)
    assert remind_moment(due, all_day=False, before=10, zone=SHANGHAI, now=now) == due
    assert remind_moment(now + timedelta(hours=2), all_day=False, before=30, zone=SHANGHAI, now=now) == now + timedelta(
        minutes=90
    )
    whole = end_of_day(date(2026, 3, 3), SHANGHAI)
    assert remind_moment(whole, all_day=True, before=0, zone=SHANGHAI, now=now) == datetime(
        2026, 3, 3, 9, tzinfo=SHANGHAI
    )
    assert remind_moment(now - timedelta(hours=1), all_day=False, before=0, zone=SHANGHAI, now=now) is None


async def test_done_makes_the_next_one_once_however_often_it_is_said(site: Site) -> None:
    rep = await site.signed_in("rep")
    whose = await customer(site, me(rep))
    body = {"client_token": "weekly-care", "customer_id": whose, "text": "回访", "due_at": soon(hours=1), "repeat": {"kind": "every", "every": 1, "unit": "week"}}  # fmt: skip
    task = await rep.post("/api/tasks", body, status=201)
    path = f"/api/tasks/{task['id']}/done"
    await asyncio.gather(*(rep.call("POST", path, json={"version": 1}) for _ in range(6)))
    rows = await site.services.db.fetch("select id, state, due_at, previous_id from task order by id")
    assert [(row["state"], row["previous_id"]) for row in rows] == [("done", None), ("open", task["id"])]
    assert abs(rows[1]["due_at"] - rows[0]["due_at"] - timedelta(days=7)) < timedelta(seconds=1)
    # Opened again the next one goes; done again there is one.
    assert (await rep.call("POST", f"/api/tasks/{task['id']}/reopen", json={"version": 2}))[0] == 200
    assert await site.services.db.fetchval("select count(*) from task") == 1
    assert (await rep.call("POST", path, json={"version": 3}))[0] == 200
    assert await site.services.db.fetchval("select count(*) from task where state = 'open'") == 1


async def test_of_two_who_complete_and_move_one_wins_and_the_other_is_told(site: Site) -> None:
    rep, boss = await site.signed_in("rep"), await site.signed_in("manager")
    whose = await customer(site, me(rep))
    outcomes = set()
    for n in range(6):
        task = await rep.post(
            "/api/tasks", {"client_token": f"race-task-{n}", "customer_id": whose, "due_at": soon(hours=1)}, status=201
        )
        later = soon(days=3)
        done, moved = await asyncio.gather(
            rep.call("POST", f"/api/tasks/{task['id']}/done", json={"version": 1}),
            boss.call("PATCH", f"/api/tasks/{task['id']}", json={"version": 1, "due_at": later}),
        )
        row = await site.services.db.fetchrow("select state, due_at, version from task where id = $1", task["id"])
        assert row is not None
        assert row["version"] == 2
        assert sorted((done[0], moved[0])) == [200, 409]
        refused = (done if done[0] == 409 else moved)[1]
        assert refused["error"] == "changed_meanwhile"
        assert (row["state"] == "done") == (done[0] == 200)
        assert (row["due_at"] == datetime.fromisoformat(later)) == (moved[0] == 200)
        outcomes.add(done[0])
    due = await site.services.db.fetchval("select next_due_at from customer where id = $1", whose)
    assert due == await site.services.db.fetchval("select min(due_at) from task where state = 'open'")


@pytest.mark.parametrize("act", ["done", "cancel", "move"])
async def test_many_at_once_are_undone_as_one(site: Site, act: str) -> None:
    rep = await site.signed_in("rep")
    whose = await customer(site, me(rep))
    ids = [
        (await rep.post("/api/tasks", {"client_token": f"bulk-task-{n}", "customer_id": whose, "due_at": soon(hours=n + 1)}, status=201))["id"]
        for n in range(4)
    ]  # fmt: skip
    state = "select md5(string_agg(id::text || state || due_at || coalesce(remind_at::text, ''), ',' order by id)) from task"
    before = await site.services.db.fetchval(state)
    body = {"ids": [*ids, 99999], "act": act, **({"days": 2} if act == "move" else {})}
    async with rep.http.post(f"{site.base}/api/tasks/bulk", json=body, headers={"X-CSRF-Token": rep.csrf}) as answer:
        assert await answer.json() == {"changed": 4, "skipped": 1}
        step = answer.headers["X-Undo-Step"].split(";")
    assert step[2] == "4"
    assert await site.services.db.fetchval(state) != before
    assert (await rep.post(f"/api/undo/{step[0]}"))["restored"] == 4
    assert await site.services.db.fetchval(state) == before
