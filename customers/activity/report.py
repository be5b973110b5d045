"""The report of what was done: by person, by day, week or month, and both."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from customers.activity.sums import SUMS
from customers.reports.asking import Asked, Unit
from customers.tasks.times import end_of_day
from scrm.company import FACTS
from scrm.db import Tx
from scrm.views import View

FIGURES = ("follow_ups", "touched", "new_customers", "tasks_done", "tasks_overdue")


class ActivityCell(View):
    """``agent_id`` null: all of them; ``bucket`` null: the whole time. ``touched``: customers who were followed up, each counted
    once, so that they do not add up. ``tasks_overdue``: those that fell due then and were not done in time."""

    agent_id: int | None
    bucket: date | None
    follow_ups: int = 0
    touched: int = 0
    new_customers: int = 0
    tasks_done: int = 0
    tasks_overdue: int = 0


class Activity(View):
    """``cells`` hold what is not nothing. ``agents``: those who are named in them, who did most first."""

    first: date
    last: date
    unit: Unit
    time_zone: str
    buckets: list[date]
    agents: list[int]
    cells: list[ActivityCell]


def stretch(asked: Asked, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments from which and until which."""
    second = timedelta(seconds=1)
    return end_of_day(asked.first - timedelta(days=1), zone) + second, end_of_day(asked.last, zone) + second


async def activity(tx: Tx, asked: Asked, now: datetime) -> Activity:
    facts = await FACTS.load(tx)
    begin, end = stretch(asked, facts.clock)
    held: dict[tuple[int | None, date | None], dict[str, Any]] = {}
    for row in await tx.fetch(SUMS, facts.zone, begin, end, asked.unit, asked.owner_ids, now):
        cell = held.setdefault((row["agent_id"], row["bucket"]), {})
        cell[row["what"]] = row["n"]
        if row["what"] == "follow_ups":
            cell["touched"] = row["touched"]
    cells = [
        ActivityCell(agent_id=agent, bucket=bucket, **values)
        for (agent, bucket), values in held.items()
        if any(values.values())
    ]
    whole = [one for one in cells if one.bucket is None and one.agent_id is not None]
    whole.sort(key=lambda one: (-one.follow_ups, -one.tasks_done, -one.new_customers, one.agent_id or 0))
    return Activity(
        first=asked.first,
        last=asked.last,
        unit=asked.unit,
        time_zone=facts.zone,
        buckets=asked.buckets(),
        agents=[one.agent_id for one in whole if one.agent_id is not None],
        cells=cells,
    )
