"""Who adds whom on which day: in turns, so that nobody has two more than another; full days first; working days only. The same list and
the same people give the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count

from customers.workdays import workday_after, workday_from


def split(n: int, agent_ids: Sequence[int], first_day: date, per_day: int) -> Iterator[tuple[int, date]]:
    """For each of ``n`` numbers in order: the employee and the day."""
    day = workday_from(first_day)
    given = 0
    for number in count():
        if number == n:
            return
        if given == per_day * len(agent_ids):
            day, given = workday_after(day), 0
        yield agent_ids[number % len(agent_ids)], day
        given += 1
