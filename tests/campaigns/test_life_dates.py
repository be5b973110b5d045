"""When campaigns are due: daylight saving of foreign zones, cron, and four processes whose clocks differ."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from campaigns.life.dates import check, dates, moment
from campaigns.shapes import Calendar, Schedule
from scrm.db import Database
from scrm.errors import Unprocessable


def walls(schedule: Schedule, after: datetime, n: int) -> list[str]:
    zone = ZoneInfo(schedule.zone)
    return [
        f"{due.at.astimezone(zone):%m-%d %H:%M}{due.shift and ' ' + due.shift}"
        for due in islice(dates(schedule, after), n)
    ]  # fmt: skip


def cron_of(line: str, zone: str) -> Schedule:
    return Schedule(mode="recurring", cron=line, zone=zone)


def test_a_skipped_time_is_due_when_the_clock_jumps() -> None:
    before = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
    assert walls(cron_of("30 2 * * *", "Europe/Berlin"), before, 3) == [
        "03-28 02:30", "03-29 03:00 skipped", "03-30 02:30",
    ]  # fmt: skip


def test_a_doubled_time_is_due_once_the_first_time() -> None:
    before = datetime(2026, 10, 31, 12, 0, tzinfo=UTC)
    daily = list(islice(dates(cron_of("30 1 * * *", "America/New_York"), before), 2))
    assert [due.at for due in daily] == [
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 2, 6, 30, tzinfo=UTC),
    ]  # fmt: skip


def test_every_hour_means_every_hour_of_the_clock() -> None:
    spring = datetime(2026, 3, 8, 5, 30, tzinfo=UTC)
    assert walls(cron_of("0 * * * *", "America/New_York"), spring, 3) == [
        "03-08 01:00", "03-08 03:00 skipped", "03-08 04:00",
    ]  # fmt: skip
    autumn = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    assert walls(cron_of("0 * * * *", "America/New_York"), autumn, 3) == [
        "11-01 01:00 doubled", "11-01 02:00", "11-01 03:00",
    ]  # fmt: skip


def test_jumps_of_half_an_hour_and_of_a_whole_day() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert moment(datetime(2026, 10, 4, 2, 15), lord_howe).at == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)  # noqa: DTZ001
    samoa = cron_of("0 9 * * *", "Pacific/Apia")
    assert walls(samoa, datetime(2011, 12, 29, 0, 0, tzinfo=UTC), 3) == [
        "12-29 09:00", "12-31 00:00 skipped", "12-31 09:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("calendar", "first"),
    [
        (Calendar(every="day", time="09:00"), ["06-01 09:00", "06-02 09:00"]),
        (Calendar(every="week", days=(1, 7), time="09:00"), ["06-01 09:00", "06-07 09:00"]),
        (Calendar(every="month", days=(31,), time="09:00"), ["07-31 09:00", "08-31 09:00"]),
        (Calendar(every="month", days=(-1,), time="09:00"), ["06-30 09:00", "07-31 09:00"]),
    ],
)
def test_days_of_the_week_and_of_the_month(calendar: Calendar, first: list[str]) -> None:
    schedule = Schedule(mode="recurring", calendar=calendar)
    check(schedule)
    assert walls(schedule, datetime(2026, 5, 31, 20, 0, tzinfo=UTC), 2) == first


def test_a_series_ends_with_its_last_day() -> None:
    until = datetime(2026, 6, 2, 1, 0, tzinfo=UTC)
    schedule = Schedule(mode="recurring", calendar=Calendar(every="day", time="09:00"), until=until)
    assert walls(schedule, datetime(2026, 5, 31, 20, 0, tzinfo=UTC), 5) == ["06-01 09:00", "06-02 09:00"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("30 9 * * 1-5", ["06-01 09:30", "06-02 09:30", "06-03 09:30"]),
        ("0 9,18 * * sun", ["06-07 09:00", "06-07 18:00", "06-14 09:00"]),
        ("0 9 13 * fri", ["06-05 09:00", "06-12 09:00", "06-13 09:00"]),
        ("15 */6 1 jul,aug *", ["07-01 00:15", "07-01 06:15", "07-01 12:15"]),
        ("0 8 29 2 *", ["02-29 08:00", "02-29 08:00", "02-29 08:00"]),
        ("@weekly", ["06-07 00:00", "06-14 00:00", "06-21 00:00"]),
    ],
)
def test_lines_of_cron(line: str, expected: list[str]) -> None:
    assert walls(cron_of(line, "Asia/Shanghai"), datetime(2026, 5, 31, 20, 0, tzinfo=UTC), 3) == expected


@pytest.mark.parametrize(
    "line", ["", "* * * *", "60 9 * * *", "5-1 9 * * *", "x 9 * * *", "0/0 9 * * *", "1- 9 * * *", "*/30 9 * * *"]
)
def test_lines_that_are_refused(line: str) -> None:
    with pytest.raises(Unprocessable):
        check(cron_of(line, "Asia/Shanghai"))


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "America/St_Johns"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    st.integers(0, 23), st.integers(0, 59),
)  # fmt: skip
@examples(max_examples=60, deadline=None)
def test_a_daily_time_comes_once_a_day_in_every_zone(zone: str, begin: datetime, hour: int, minute: int) -> None:
    some = [due.at for due in islice(dates(cron_of(f"{minute} {hour} * * *", zone), begin.replace(tzinfo=UTC)), 30)]
    days = [at.astimezone(ZoneInfo(zone)).date() for at in some]
    assert days == [days[0] + timedelta(days=n) for n in range(30)]
    assert some == sorted(set(some))


PROCESS = """
import asyncio, sys
from datetime import timedelta, datetime, UTC
from pathlib import Path
from scrm.app import providers
from scrm.blobs import Blobs
from scrm.bus import MemoryBus
from scrm.clock import ManualClock
from scrm.config import load_settings
from scrm.connections import Connections
from scrm.db import Database
from scrm.services import Services
from scrm.vault import Vault
from campaigns.life.starting import start_due

async def main(url, folder, begin, skew):
    config = load_settings(None, data_dir=Path(folder), database={"url": url}, secrets={"key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="})
    clock = ManualClock(datetime.fromisoformat(begin) + timedelta(seconds=float(skew)))
    db, vault, bus = await Database.open(url, size=2), Vault.open(config), MemoryBus()
    held = Connections(providers(), db=db, vault=vault, bus=bus, clock=clock)
    services = Services(config, db, bus, Blobs.in_folder(Path(folder)), clock, vault, held)
    print("ready", flush=True)
    # The test says when each step of their common time begins.
    for _ in sys.stdin:
        clock.advance(120)
        while await start_due(services):
            pass
        print("looked", flush=True)
    await db.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_four_processes_with_skewed_clocks_run_each_date_once(
    db: Database, database_url: str, tmp_path: str
) -> None:
    """Over the night in which New York's clocks go back: an hourly campaign, one at the doubled hour, one single date."""
    begin = datetime(2026, 11, 1, 4, 50, tzinfo=UTC)
    series = {"mode": "recurring", "zone": "America/New_York"}
    schedules = [
        {**series, "cron": "0 * * * *"},
        {**series, "cron": "30 1 * * *"},
        {"mode": "at", "at": "2026-11-01T06:10:00Z"},
    ]
    firsts = [
        datetime(2026, 11, 1, 5, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 10, tzinfo=UTC),
    ]
    for schedule, first in zip(schedules, firsts, strict=True):
        await db.execute(
            "insert into campaign (kind, name, state, schedule, next_at, created_at, updated_at) "
            "values ('message', 'n', 'scheduled', $1, $2, $3, $3)",
            schedule, first, begin,
        )  # fmt: skip
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, database_url, str(tmp_path), begin.isoformat(), str(skew),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for skew in (-90, -31, 44, 90)
    ]  # fmt: skip
    await _each(processes, b"ready\n")
    for _ in range(73):
        for one in processes:
            assert one.stdin is not None
            one.stdin.write(b"go\n")
        await _each(processes, b"looked\n")
    for one in processes:
        assert one.stdin is not None
        one.stdin.close()
        assert await one.wait() == 0
    rows = await db.fetch("select campaign_id, due_at, state from campaign_run order by campaign_id, due_at")
    assert {row["state"] for row in rows} == {"freezing"}
    assert [(row["campaign_id"], f"{row['due_at']:%H:%M}") for row in rows] == [
        (1, "05:00"), (1, "07:00"), (2, "05:30"), (3, "06:10"),
    ]  # fmt: skip
    assert await db.fetchval("select count(*) from campaign where state = 'running'") == 3


async def _each(processes: list[asyncio.subprocess.Process], said: bytes) -> None:
    for one in processes:
        assert one.stdout is not None
        assert await asyncio.wait_for(one.stdout.readline(), 240) == said
