"""When a step is due: by the company's clock, outside of the quiet hours, never before the step before it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.shapes import Quiet
from campaigns.sop.shapes import SopPlan, SopStep
from customers.tasks.times import day_of, moment


def due(plan: SopPlan, number: int, began_at: datetime, zone: ZoneInfo, *, after: datetime | None = None) -> datetime:
    """``after``: when the step before was due. An hour of the first day that had passed when it began is now."""
    at = max(_wanted(plan.steps[number], began_at, zone), began_at, after or began_at)
    return outside(plan.quiet, at, zone)


def _wanted(step: SopStep, began_at: datetime, zone: ZoneInfo) -> datetime:
    if step.at is None:
        return began_at + timedelta(minutes=step.minutes or 0)
    return moment(day_of(began_at, zone) + timedelta(days=step.days), time.fromisoformat(step.at), zone)


def outside(quiet: Quiet | None, at: datetime, zone: ZoneInfo) -> datetime:
    """``at``, or the end of the quiet hours that it falls into."""
    if quiet is None or quiet.begin == quiet.end:
        return at
    begin, end = time.fromisoformat(quiet.begin), time.fromisoformat(quiet.end)
    here = at.astimezone(zone)
    clock = here.time()
    if begin < end:
        return moment(here.date(), end, zone) if begin <= clock < end else at
    if clock >= begin:
        return moment(here.date() + timedelta(days=1), end, zone)
    return moment(here.date(), end, zone) if clock < end else at
