"""The recipients' quiet hours when something goes later than it was planned: after a pause, a throttle, or hours without a service."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.life.dates import moment
from campaigns.shapes import Schedule


def until(schedule: Schedule, now: datetime) -> datetime | None:
    """When the quiet hours end in which ``now`` lies; None when it lies in none."""
    quiet = schedule.quiet
    if quiet is None or quiet.begin == quiet.end:
        return None
    zone = ZoneInfo(schedule.zone)
    here = now.astimezone(zone)
    first, last, clock = (
        time.fromisoformat(quiet.begin),
        time.fromisoformat(quiet.end),
        here.time().replace(tzinfo=None),
    )
    late, early = clock >= first, clock < last
    if not (late and early if first < last else late or early):
        return None
    day = here.date() + timedelta(days=1 if first > last and late else 0)
    return moment(datetime.combine(day, last), zone).at
