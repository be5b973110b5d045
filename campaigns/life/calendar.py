"""Everything that is scheduled and that ran, in a stretch of days; what it loads on each account; and what gets in each other's way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from typing import Literal

from pydantic import model_validator

from campaigns.life.dates import dates
from campaigns.life.facts import ChannelWay
from campaigns.life.rows import Kind, RunState
from campaigns.shapes import Audience, CampaignState, Schedule
from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.views import Input, SentenceView, View

LONGEST = 62
MOST_OF_ONE = 200
"""Dates of one campaign."""
MOST = 1000
"""Campaigns and runs that are looked at."""
NEAR = timedelta(hours=1)

AHEAD = """
select id, kind, name, state, audience, schedule, next_at, recipients from campaign
where deleted_at is null and kind <> 'invite' and ((next_at is not null and next_at < $1) or state = 'waiting')
  and state in ('waiting', 'scheduled', 'running', 'paused') order by next_at nulls last, id limit $2
"""
RUNS = """
select r.id, r.campaign_id, r.due_at, r.state, c.kind, c.name, c.state as campaign_state from campaign_run r
join campaign c on c.id = r.campaign_id and c.deleted_at is null
where r.due_at >= $1 and r.due_at < $2 order by r.due_at, r.id limit $3
"""
STARTED = """
select campaign_id, count(*) filter (where state <> 'missed') as n, max(id) filter (where state <> 'missed') as last
from campaign_run where campaign_id = any($1::bigint[]) group by campaign_id
"""
LOADS = """
select run_id, account_id, sum(n)::bigint as n from delivery_tally
where run_id = any($1::bigint[]) and account_id is not null and state <> 'skipped' group by run_id, account_id having sum(n) > 0
"""
ACCOUNTS = "select id, channel, name from account where disabled_at is null order by id"


class CalendarQuery(Input):
    """Days by the company's clock, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _stretch(self) -> CalendarQuery:
        if not date(2000, 1, 1) <= self.first <= self.last <= date(2200, 1, 1):
            raise ValueError("The last day comes after the first.")
        if (self.last - self.first).days >= LONGEST:
            raise ValueError(f"Look at {LONGEST} days at most.")
        return self


class CalendarEntry(View):
    """A run (``run_id``), or a date to come. ``n``: recipients, of a date to come as many as there were when it was submitted;
    null: not known."""

    campaign_id: int
    kind: Kind
    name: str
    at: datetime
    day: date
    state: CampaignState
    run_id: int | None
    run_state: RunState | None
    n: int | None


class AccountLoad(View):
    """``posts``: campaigns that go through this account on the day. ``n``: to so many people, as far as it is known."""

    day: date
    account_id: int
    account_name: str
    channel: str
    posts: int
    n: int


class Clash(View):
    """``limit``: more posts in a day than the platform lets one person get; ``near``: within an hour, over the same accounts."""

    day: date
    kind: Literal["limit", "near"]
    campaign_ids: list[int]
    account_ids: list[int]
    rule: SentenceView | None


class CampaignCalendar(View):
    time_zone: str
    entries: list[CalendarEntry]
    loads: list[AccountLoad]
    clashes: list[Clash]


@dataclass(frozen=True, slots=True)
class Entry:
    view: CalendarEntry
    loads: Mapping[int, int]
    """People by account; 0: not known."""

    @property
    def to_come(self) -> bool:
        return self.view.run_state in (None, "freezing", "running")


async def calendar(
    tx: Tx, query: CalendarQuery, now: datetime, ways: Mapping[str, Sequence[ChannelWay]]
) -> CampaignCalendar:
    zone = (await FACTS.load(tx)).clock
    begin = datetime.combine(query.first, time(), zone)
    end = datetime.combine(query.last + timedelta(days=1), time(), zone)
    accounts = {row["id"]: row for row in await tx.fetch(ACCOUNTS)}
    ahead = await tx.fetch(AHEAD, end, MOST)
    runs = await tx.fetch(RUNS, begin, end, MOST)
    started = {row["campaign_id"]: row for row in await tx.fetch(STARTED, [row["id"] for row in ahead])}
    wanted = [*(row["id"] for row in runs), *(row["last"] for row in started.values() if row["last"] is not None)]
    loads: dict[int, dict[int, int]] = defaultdict(dict)
    for row in await tx.fetch(LOADS, wanted):
        loads[row["run_id"]][row["account_id"]] = row["n"]
    entries = [_of_run(row, loads[row["id"]], begin) for row in runs]
    for row in ahead:
        history = started.get(row["id"])
        likely = loads.get(history["last"], {}) if history is not None and history["last"] is not None else {}
        over = likely or dict.fromkeys(_accounts_of(row, accounts, ways), 0)
        done = history["n"] if history is not None else 0
        entries += [_to_come(row, at, over, begin) for at in _dates_of(row, done, now, end) if at >= begin]
    entries.sort(key=lambda one: (one.view.at, one.view.campaign_id))
    return CampaignCalendar(
        time_zone=zone.key,
        entries=[one.view for one in entries],
        loads=_loads(entries, accounts),
        clashes=_clashes(entries, accounts, ways),
    )


def _dates_of(row: Row, done: int, now: datetime, end: datetime) -> list[datetime]:
    schedule = Schedule.model_validate(row["schedule"])
    first = [row["next_at"]] if row["next_at"] is not None else []
    later = (one.at for one in dates(schedule, row["next_at"] or now))
    left = MOST_OF_ONE if schedule.times is None else max(schedule.times - done, 0)
    some = [*first, *islice(takewhile(lambda at: at < end, later), MOST_OF_ONE)]
    return some[: min(left, MOST_OF_ONE)]


def _accounts_of(row: Row, accounts: Mapping[int, Row], ways: Mapping[str, Sequence[ChannelWay]]) -> list[int]:
    """Through which accounts it may go, while no run of it has told. A moment takes nothing of what posts may reach people there."""
    if row["kind"] == "moment":
        return []
    audience = Audience.model_validate(row["audience"])
    named, channels = set(audience.account_ids), set(audience.channels) or set(ways)
    return [
        one for one, at in accounts.items() if at["channel"] in channels & set(ways) and (not named or one in named)
    ]


def _of_run(row: Row, loads: Mapping[int, int], begin: datetime) -> Entry:
    view = CalendarEntry(
        campaign_id=row["campaign_id"],
        kind=row["kind"],
        name=row["name"],
        at=row["due_at"],
        day=row["due_at"].astimezone(begin.tzinfo).date(),
        state=row["campaign_state"],
        run_id=row["id"],
        run_state=row["state"],
        n=sum(loads.values()) if row["kind"] == "message" else None,
    )
    return Entry(view, loads)


def _to_come(row: Row, at: datetime, loads: Mapping[int, int], begin: datetime) -> Entry:
    view = CalendarEntry(
        campaign_id=row["id"],
        kind=row["kind"],
        name=row["name"],
        at=at,
        day=at.astimezone(begin.tzinfo).date(),
        state=row["state"],
        run_id=None,
        run_state=None,
        n=sum(loads.values()) or row["recipients"],
    )
    return Entry(view, loads)


def _loads(entries: Sequence[Entry], accounts: Mapping[int, Row]) -> list[AccountLoad]:
    posts: dict[tuple[date, int], set[int]] = defaultdict(set)
    people: dict[tuple[date, int], int] = defaultdict(int)
    for entry in entries:
        for account_id, n in entry.loads.items():
            posts[entry.view.day, account_id].add(entry.view.campaign_id)
            people[entry.view.day, account_id] += n
    return [
        AccountLoad(
            day=day,
            account_id=account_id,
            account_name=accounts[account_id]["name"],
            channel=accounts[account_id]["channel"],
            posts=len(posts[day, account_id]),
            n=people[day, account_id],
        )
        for day, account_id in sorted(posts)
        if account_id in accounts
    ]


def _clashes(
    entries: Sequence[Entry], accounts: Mapping[int, Row], ways: Mapping[str, Sequence[ChannelWay]]
) -> list[Clash]:
    """The same campaigns clash once, over all the accounts that they share."""
    found: dict[tuple[date, Literal["limit", "near"], tuple[int, ...]], set[int]] = defaultdict(set)
    rules: dict[int, SentenceView] = {}
    by_place: dict[tuple[date, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        for account_id in entry.loads if entry.to_come else ():
            by_place[entry.view.day, account_id].append(entry)
    for (day, account_id), here in by_place.items():
        if account_id not in accounts or len(here) < 2:
            continue
        limit = _a_day(ways.get(accounts[account_id]["channel"], ()))
        if limit is not None and len(here) > limit[0]:
            found[day, "limit", _ids(here)].add(account_id)
            rules[account_id] = limit[1]
        for one, other in pairwise(here):
            if other.view.at - one.view.at < NEAR and one.view.campaign_id != other.view.campaign_id:
                found[day, "near", _ids([one, other])].add(account_id)
    return [
        Clash(
            day=day,
            kind=kind,
            campaign_ids=list(campaign_ids),
            account_ids=sorted(places),
            rule=rules.get(min(places)) if kind == "limit" else None,
        )
        for (day, kind, campaign_ids), places in sorted(found.items())
    ]


def _a_day(ways: Sequence[ChannelWay]) -> tuple[int, SentenceView] | None:
    """How many posts of a day one person gets there."""
    daily = [(one.times, one.rule) for way in ways for one in way.limits if one.period == "day" and one.times > 0]
    return min(daily, key=lambda one: one[0], default=None)


def _ids(entries: Sequence[Entry]) -> tuple[int, ...]:
    return tuple(sorted({one.view.campaign_id for one in entries}))
