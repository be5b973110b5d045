"""For which days and whose customers a report is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from customers.board import BoardQuery, owners
from scrm.company import FACTS
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.permissions import Principal
from scrm.views import Id, Input

Unit = Literal["day", "week", "month"]
LONGEST = 1100
MOST_BUCKETS = 400
DEFAULT = 30


class ReportQuery(Input):
    """Days are the company's; without any, the last thirty. ``owner_id`` and ``team_id``: whose customers, within reach."""

    first: date | None = None
    last: date | None = None
    unit: Unit = "day"
    owner_id: Id | None = None
    team_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    first: date
    last: date
    unit: Unit
    owner_ids: list[int] | None
    """None: everybody's, and nobody's (0 in the sums)."""

    def buckets(self) -> list[date]:
        """The first day of each, also of those in which nothing happened."""
        found, day = [], bucket(self.first, self.unit)
        while day <= self.last:
            found.append(day)
            day = bucket(day + timedelta(days={"day": 1, "week": 7, "month": 31}[self.unit]), self.unit)
        return found


def bucket(day: date, unit: Unit) -> date:
    """The day, its Monday, or the first of its month."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


async def asked(tx: Tx, principal: Principal, query: ReportQuery, now: datetime) -> Asked:
    """Raises :class:`Unprocessable` for a period that is none or too long, :class:`NotFound` for people outside of the reach."""
    zone = (await FACTS.load(tx)).clock
    last = query.last or now.astimezone(zone).date()
    try:
        first = query.first or last - timedelta(days=DEFAULT - 1)
    except OverflowError:
        first = last
    if first > last:
        raise Unprocessable("The period ends before it begins.", fields={"first": "Choose an earlier day."})
    if (last - first).days >= LONGEST or last.year > 9000:
        raise Unprocessable(f"A report covers at most {LONGEST} days.", fields={"first": "Choose a later day."})
    if query.unit == "day" and (last - first).days >= MOST_BUCKETS:
        raise Unprocessable(
            f"At most {MOST_BUCKETS} days can be shown one by one.", fields={"unit": "Choose weeks or months."}
        )
    whose = await owners(tx, principal, BoardQuery(whose="all", owner_id=query.owner_id, team_id=query.team_id))
    return Asked(first, last, query.unit, whose.ids)
