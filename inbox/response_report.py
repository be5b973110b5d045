"""How quickly customers were answered, by day, week or month and by who answered: from the figures of each day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from customers.reports.asking import ReportQuery, asked, bucket
from inbox.queries import one_moment
from scrm.db import Tx
from scrm.http import Request, Route
from scrm.permissions import INBOX_TEAM, Principal, Scope
from scrm.views import View

# Medians of any selection are exact: the figures keep every answer's seconds.
_ANSWERS = """
with f as (
  select {what} as what, f.day, f.agent_id, first_seconds, next_seconds, sla_met, sla_breached from figure_day f
  join account a on a.id = f.account_id
  where f.day between $1 and $2 and ($3 or ($4::bigint[] is not null and (a.team_id is null or a.team_id = any($4))) or f.agent_id = $5)
    and ($6::bigint is null or f.agent_id = $6)
    and ($7::bigint is null or f.agent_id in (select agent_id from team_member where team_id = $7))
)
select f.what, sum(cardinality(first_seconds) + cardinality(next_seconds))::bigint as answers,
  sum(sla_met)::bigint as sla_met, sum(sla_breached)::bigint as sla_breached,
  (select percentile_disc(0.5) within group (order by s) from f g cross join lateral unnest(g.first_seconds) s
   where g.what is not distinct from f.what) as first_median,
  (select percentile_disc(0.5) within group (order by s) from f g cross join lateral unnest(g.next_seconds) s
   where g.what is not distinct from f.what) as next_median
from f group by 1 order by 1
"""
BY_DAY = _ANSWERS.format(what="date_trunc($8, f.day::timestamp)::date")
BY_AGENT = _ANSWERS.format(what="f.agent_id").replace(
    "($7::bigint is null", "($8::text is not null) and ($7::bigint is null"
)


class ResponseRow(View):
    """Working seconds until the first answer, and until each later one; null: there was none."""

    answers: int
    first_median: int | None
    next_median: int | None
    sla_met: int
    sla_breached: int


class ResponseDay(ResponseRow):
    day: date


class ResponseAgent(ResponseRow):
    """``agent_id`` 0: in the platform's own client, or by nobody known."""

    agent_id: int


class ResponseReport(View):
    first: date
    last: date
    unit: Literal["day", "week", "month"]
    days: list[ResponseDay]
    agents: list[ResponseAgent]


async def report(tx: Tx, principal: Principal, query: ReportQuery, now: datetime) -> ResponseReport:
    """Of the accounts that the asker sees whole, and of their own answers."""
    period = await asked(tx, principal, query, now)
    scope = Scope.of(principal)
    arguments = (
        period.first, period.last, scope.everything, scope.teams, scope.agent_id, query.owner_id, query.team_id, period.unit,
    )  # fmt: skip
    days = {bucket(row["what"], period.unit): row for row in await tx.fetch(BY_DAY, *arguments)}
    agents = await tx.fetch(BY_AGENT, *arguments)
    names = ("answers", "first_median", "next_median", "sla_met", "sla_breached")
    empty = {"answers": 0, "first_median": None, "next_median": None, "sla_met": 0, "sla_breached": 0}
    return ResponseReport(
        first=period.first, last=period.last, unit=period.unit,
        days=[ResponseDay(day=day, **({name: days[day][name] for name in names} if day in days else empty)) for day in period.buckets()],
        agents=[ResponseAgent(agent_id=row["what"], **{name: row[name] for name in names}) for row in agents],
    )  # fmt: skip


async def responses(request: Request, query: ReportQuery) -> ResponseReport:
    async with one_moment(request.services.db) as tx:
        return await report(tx, request.principal, query, request.services.clock.now())


def api_routes() -> list[Route]:
    return [
        Route(
            "GET", "/api/reports/responses", responses, INBOX_TEAM, "How quickly customers were answered", errors=(404,)
        ),
    ]
