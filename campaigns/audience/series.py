"""What a series uses up by itself: from which of its dates on recipients will have got as many posts as their platform allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from campaigns.audience.places import Place, period_of
from campaigns.life.dates import dates
from campaigns.shapes import Schedule
from scrm.channel_campaigns import ReceiveLimit

AHEAD = 40
"""Dates that are looked at."""
# Of those who are reached by the first date: how many there are who got so many posts in its period, whoever's they were.
USED = """
select d.connection_id, d.way, used.n as used, count(*)::bigint as people from ({sql}) d
cross join lateral (
  select count(*)::int as n from delivery x where x.contact_id = d.contact_id and x.way = d.way and x.counted_at >= {since}
    and ({everything} or x.account_id = d.account_id)) used
where d.reason = '' and d.connection_id = {connection} and d.way = {way} group by 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Used:
    """``people`` got ``used`` posts in the limit's period of the first date."""

    limit: ReceiveLimit
    used: int
    people: int


def limited(where: Sequence[Place]) -> list[tuple[Place, ReceiveLimit]]:
    return [(place, limit) for place in where for limit in place.limits]


def used_up(schedule: Schedule, start: datetime, found: Sequence[Used]) -> tuple[datetime, int] | None:
    """The first date at which somebody will be over a limit, and how many of them; None: none of the dates that are looked at."""
    if schedule.mode != "recurring":
        return None
    most = min(schedule.times or AHEAD, AHEAD)
    coming = [start, *(one.at for one in islice(dates(schedule, start), most - 1))]
    for number, at in enumerate(coming):
        people = sum(one.people for one in found if _over(one, start, at, coming[:number]))
        if people:
            return at, people
    return None


def _over(one: Used, start: datetime, at: datetime, before: Sequence[datetime]) -> bool:
    begun, times = period_of(one.limit, at)
    same = period_of(one.limit, start)[0] == begun
    return (one.used if same else 0) + sum(earlier >= begun for earlier in before) >= times
