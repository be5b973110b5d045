"""The team at work: who has what open, who waits longest, and how today goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import Field

from inbox import rulebook
from inbox.attendance import Status
from inbox.counts import TALLIES
from inbox.crew import load as load_crew
from inbox.shapes import CONVERSATION, FROM_CONVERSATION, conversation_view
from inbox.views import ConversationView
from scrm.db import Row, Tx
from scrm.permissions import Scope
from scrm.views import Id, Input, View

WAITING_SHOWN = 50
ACCOUNTS = "select id, team_id from account where disabled_at is null"
WAITING = f"""
with longest as (
  select x.id, x.waiting_since from unnest($1::bigint[]) w (account_id) cross join lateral (
    select c.id, c.waiting_since from conversation c where c.account_id = w.account_id and c.waiting_since is not null
      and c.status = 'open' order by c.waiting_since, c.id limit {WAITING_SHOWN}) x
  order by x.waiting_since, x.id limit {WAITING_SHOWN}
)
select {CONVERSATION} from longest l join {FROM_CONVERSATION} on c.id = l.id order by l.waiting_since, l.id
"""  # noqa: S608 - made of constants
QUEUED = "select count(*) from conversation where route_state = 'queued' and account_id = any($1::bigint[])"
FIGURES = "select * from figure_day where day >= $1 and day <= $2 and account_id = any($3::bigint[])"
PEOPLE = "select id, name, avatar, role, status_at, away_reason from agent"


class TeamQuery(Input):
    """``day``: in the company's time zone, today when absent."""

    account_id: Id | None = None
    team_id: Id | None = None
    day: date | None = None


class ResponseView(View):
    """Working seconds until an answer. Without answers there is no median."""

    count: int
    median: int | None
    p90: int | None


class FiguresView(View):
    opened: int
    reopened: int
    closed: int
    assigned: int
    transferred: int
    queued: int
    answered: int
    first: ResponseView
    next: ResponseView
    sla_met: int
    sla_breached: int
    auto_replied: int
    surveys_sent: int
    scores: list[int] = Field(description="How often 1, 2, 3, 4 and 5 were given.")
    satisfaction: float | None = Field(description="The mean of the scores.")


class RepView(View):
    agent_id: int
    name: str
    avatar: str
    role: str
    status: Status
    away_reason: str
    status_at: datetime
    team_ids: list[int]
    open: int
    waiting: int
    unread: int
    capacity: int
    today: FiguresView


class AccountFigures(View):
    account_id: int
    team_id: int | None
    open: int
    waiting: int
    unassigned: int
    today: FiguresView


class TeamOverview(View):
    at: datetime
    day: date
    time_zone: str
    reps: list[RepView]
    queued: int = Field(description="Conversations that wait for somebody to become free.")
    open: int
    waiting: int
    unassigned: int
    longest: list[ConversationView] = Field(description="Waiting customers, longest first.")
    accounts: list[AccountFigures]
    today: FiguresView


async def overview(tx: Tx, scope: Scope, query: TeamQuery, now: datetime) -> TeamOverview:
    """Of the accounts that the asking agent sees whole. To be read in one moment."""
    book = await rulebook.load(tx)
    accounts = {row["id"]: row["team_id"] for row in await tx.fetch(ACCOUNTS) if scope.covers_account(row["team_id"])}
    if query.account_id is not None:
        accounts = {one: team for one, team in accounts.items() if one == query.account_id}
    if query.team_id is not None:
        accounts = {one: team for one, team in accounts.items() if team == query.team_id}
    ids = sorted(accounts)
    day = query.day or now.astimezone(book.zone).date()
    figures = await tx.fetch(FIGURES, day, day, ids)
    tallies = [row for row in await tx.fetch(TALLIES) if row["account_id"] in accounts]
    longest = await tx.fetch(WAITING, ids)
    return TeamOverview(
        at=now,
        day=day,
        time_zone=book.general.time_zone,
        reps=await _reps(tx, book, scope, query, tallies, figures),
        queued=await tx.fetchval(QUEUED, ids),
        open=sum(row["open"] for row in tallies),
        waiting=sum(row["waiting"] for row in tallies),
        unassigned=sum(row["open"] for row in tallies if row["assignee_id"] is None),
        longest=[conversation_view(row) for row in longest],
        accounts=[_account(one, accounts[one], tallies, figures) for one in ids],
        today=add_up(figures),
    )


async def _reps(
    tx: Tx,
    book: rulebook.Rulebook,
    scope: Scope,
    query: TeamQuery,
    tallies: Sequence[Row],
    figures: Sequence[Row],
) -> list[RepView]:
    """Everybody who answers and belongs to what is looked at, or has something of it."""
    people = {row["id"]: row for row in await tx.fetch(PEOPLE)}
    crew = await load_crew(tx, book.flow)
    load: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in tallies:
        for place, name in enumerate(("open", "waiting", "unread")):
            load[row["assignee_id"] or 0][place] += row[name]
    by_agent: dict[int, list[Row]] = defaultdict(list)
    for row in figures:
        by_agent[row["agent_id"]].append(row)
    found = []
    for one in crew.colleagues.values():
        busy = one.id in load or one.id in by_agent
        belongs = one.answers and (
            query.team_id in one.team_ids
            if query.team_id
            else scope.everything or bool(one.team_ids & set(scope.team_ids))
        )
        if (one.disabled and not busy) or not (busy or (belongs and not one.oversees)):
            continue
        person, (opened, waiting, unread) = people[one.id], load[one.id]
        found.append(
            RepView(
                agent_id=one.id, name=one.name, avatar=person["avatar"], role=person["role"],
                status="away" if one.disabled else one.status,  # type: ignore[arg-type]
                away_reason=person["away_reason"], status_at=person["status_at"], team_ids=sorted(one.team_ids),
                open=opened, waiting=waiting, unread=unread, capacity=one.capacity, today=add_up(by_agent[one.id]),
            )
        )  # fmt: skip
    rank = {"online": 0, "busy": 1, "away": 2}
    return sorted(found, key=lambda rep: (rank[rep.status], -rep.waiting, -rep.open, rep.agent_id))


def _account(account_id: int, team_id: int | None, tallies: Sequence[Row], figures: Sequence[Row]) -> AccountFigures:
    here = [row for row in tallies if row["account_id"] == account_id]
    return AccountFigures(
        account_id=account_id,
        team_id=team_id,
        open=sum(row["open"] for row in here),
        waiting=sum(row["waiting"] for row in here),
        unassigned=sum(row["open"] for row in here if row["assignee_id"] is None),
        today=add_up([row for row in figures if row["account_id"] == account_id]),
    )


def add_up(rows: Iterable[Row]) -> FiguresView:
    """The figures of any rows of ``figure_day`` together."""
    rows = list(rows)

    def count(name: str) -> int:
        return sum(row[name] for row in rows)

    def collect(name: str) -> list[int]:
        return sorted(value for row in rows for value in row[name])

    first, following, scores = collect("first_seconds"), collect("next_seconds"), collect("scores")
    return FiguresView(
        opened=count("opened"), reopened=count("reopened"), closed=count("closed"), assigned=count("assigned"),
        transferred=count("transferred"), queued=count("queued"), answered=len(first) + len(following),
        first=_response(first), next=_response(following), sla_met=count("sla_met"), sla_breached=count("sla_breached"),
        auto_replied=count("auto_replied"), surveys_sent=count("surveys_sent"),
        scores=[scores.count(points) for points in range(1, 6)],
        satisfaction=round(sum(scores) / len(scores), 2) if scores else None,
    )  # fmt: skip


def _response(seconds: Sequence[int]) -> ResponseView:
    """``seconds`` is sorted; the value at or above the rank, as ``percentile_disc`` of SQL."""
    return ResponseView(count=len(seconds), median=_at(seconds, 0.5), p90=_at(seconds, 0.9))


def _at(values: Sequence[int], part: float) -> int | None:
    if not values:
        return None
    rank = max(-int(-part * len(values) // 1) - 1, 0)
    return values[min(rank, len(values) - 1)]
