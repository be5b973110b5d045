"""``scrm figures check | rebuild``: proves that the figures are what the events and the messages say, or counts them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from customers.reports import sums
from inbox import figures, figures_check
from inbox.queries import one_moment
from inbox.rulebook import GENERAL
from scrm.services import Services


@dataclass(frozen=True, slots=True)
class Report:
    """``differences``: lines of a table, each with what was told and what is so; empty when all is equal."""

    first: date
    last: date
    days: int
    answers: int
    uncounted: int
    """Events that the next round of counting will add."""
    differences: list[tuple[str, str, str, str]]


async def check_figures(services: Services, first: date | None, last: date | None) -> Report:
    """Days are the company's; without any, from the first event until today."""
    async with one_moment(services.db) as tx:
        zone = (await GENERAL.load(tx)).time_zone
        first, last = await _days(services, tx, zone, first, last)
        begin, finish = figures.bounds(zone, first, last)
        rows = await figures.differences(tx, zone, first, last)
        compared = await figures_check.compare(tx, begin, finish)
        days = await tx.fetchval("select count(*) from figure_day where day >= $1 and day <= $2", first, last)
        uncounted = await tx.fetchval("select count(*) from conversation_event where not counted")
        customers = await sums.compare(tx)
    found = [_figure(dict(row)) for row in rows]
    for missing, answers in (("not recorded", compared.unrecorded), ("no such answer", compared.unfounded)):
        for one in answers:
            what = f"conversation {one.conversation_id}, after message {one.seq}"
            detail = f"agent {one.agent_id}, {one.seconds} s, {'first' if one.first else 'next'}"
            found.append(("messages", what, missing, detail))
    # Sums about customers, of all days: an event of long ago may change with its customer today.
    found += customers.differences
    return Report(first, last, days, compared.answers, uncounted + customers.waiting, found)


async def rebuild_figures(services: Services, first: date | None, last: date | None) -> Report:
    """Counts the days again. What happens meanwhile is not lost: it is counted afterwards."""
    async with services.work() as work:
        zone = (await GENERAL.load(work.tx)).time_zone
        first, last = await _days(services, work.tx, zone, first, last)
        await figures.rebuild(work.tx, zone, first, last)
        work.ring("figures")
    await sums.rebuild(services)
    return await check_figures(services, first, last)


async def _days(services: Services, tx: Any, zone: str, first: date | None, last: date | None) -> tuple[date, date]:
    today = await tx.fetchval("select ($1::timestamptz at time zone $2)::date", services.clock.now(), zone)
    if first is None:
        # A zone that was changed may have moved the first day by one.
        oldest = await tx.fetchval("select (min(at) at time zone $1)::date from conversation_event", zone)
        counted = await tx.fetchval("select min(day) from figure_day")
        first = min((day for day in (oldest, counted) if day is not None), default=today)
    return first, last or today + timedelta(days=1)


def _figure(row: dict[str, Any]) -> tuple[str, str, str, str]:
    whose = f"{row['day']}, account {row['account_id']}, agent {row['agent_id']}"
    values = ", ".join(f"{name} {row[name]}" for name in figures.COLUMNS if row[name] not in (0, []))
    return "figures", whose, f"{row['told_by']} say", values
