"""InspectionResults over time, by employee and by item; and how well customers were served."""

from __future__ import annotations

from audit.quality.views import (
    AgentResult,
    InspectionResults,
    ItemResult,
    PeriodQuery,
    ServiceReport,
    ServiceRow,
    WeekResult,
)
from inbox.queries import SEEN
from scrm.db import Tx
from scrm.permissions import Scope

REACHED = SEEN.replace("($2 or", "($2::boolean or").replace("= $3 ", "= $3::bigint ")
SCORED = f"""
with scored as (
  select s.id, s.agent_id, s.day, s.percent, s.passed, s.vetoed, s.sheet_version_id from quality_sample s
  join conversation c on c.id = s.conversation_id join account a on a.id = c.account_id
  where s.state <> 'due' and s.day between $1 and $5 and {REACHED} and ($6::bigint is null or s.agent_id = $6)
    and ($7::bigint is null or s.agent_id in (select agent_id from team_member where team_id = $7))
), marked as (
  select s.id, s.day, m.points, m.most, m.vetoed, i ->> 'name' as name from scored s
  join quality_sheet_version v on v.id = s.sheet_version_id cross join lateral jsonb_array_elements(v.items) i
  join quality_mark m on m.sample_id = s.id and m.item = i ->> 'key'
)
"""  # noqa: S608 - made of constants
AGENTS = f"""
{SCORED} select agent_id, count(*) as samples, round(avg(percent), 1)::float8 as average, count(*) filter (where passed) as passed,
  count(*) filter (where vetoed) as vetoed
from scored group by agent_id order by average, agent_id
"""  # noqa: S608 - made of constants
# An item that has a veto and no points has no share: it counts as had when it did not fail.
SHARE = """
round(100.0 * sum(case when most > 0 then points when vetoed then 0 else 1 end) / sum(greatest(most, 1)), 1)::float8
"""
ITEMS = f"""
{SCORED} select name, count(*) as samples, {SHARE} as share, count(*) filter (where vetoed) as vetoed from marked group by name order by share, name
"""  # noqa: S608 - made of constants
WEEKS = f"""
{SCORED} select date_trunc('week', day::timestamp)::date as week, '' as name, count(*) as samples, round(avg(percent), 1)::float8 as share
from scored group by 1
union all
select date_trunc('week', day::timestamp)::date, name, count(*), {SHARE} from marked group by 1, 2 order by 1, 2
"""  # noqa: S608 - made of constants
# As inbox/response_report.py: of accounts that are seen whole, and one's own answers.
FIGURES = """
with f as (
  select f.agent_id, f.first_seconds, f.next_seconds, f.sla_met, f.sla_breached, f.scores from figure_day f join account a on a.id = f.account_id
  where f.day between $1 and $5 and f.agent_id > 0
    and ($2::boolean or ($4::bigint[] is not null and (a.team_id is null or a.team_id = any($4))) or f.agent_id = $3::bigint)
)
select agent_id, sum(cardinality(first_seconds) + cardinality(next_seconds))::bigint as answers, sum(sla_met)::bigint as sla_met,
  sum(sla_breached)::bigint as sla_breached, sum(cardinality(scores))::bigint as surveys,
  (select round(avg(s), 2)::float8 from f g cross join lateral unnest(g.scores) s where g.agent_id = f.agent_id) as survey_score,
  (select percentile_disc(0.5) within group (order by s) from f g cross join lateral unnest(g.first_seconds) s where g.agent_id = f.agent_id) as first_median,
  (select percentile_disc(0.9) within group (order by s) from f g cross join lateral unnest(g.first_seconds) s where g.agent_id = f.agent_id) as first_p90,
  (select percentile_disc(0.5) within group (order by s) from f g cross join lateral unnest(g.next_seconds) s where g.agent_id = f.agent_id) as next_median
from f group by agent_id
"""
TALKS = f"""
select t.agent_id, count(distinct t.conversation_id) as conversations, sum(t.messages)::bigint as messages, sum(t.after_hours)::bigint as after_hours
from talk_day t join conversation c on c.id = t.conversation_id join account a on a.id = c.account_id
where t.day between $1 and $5 and t.agent_id > 0 and {REACHED} group by t.agent_id
"""  # noqa: S608 - made of constants
UNANSWERED = f"""
select coalesce(c.assignee_id, i.agent_id) as agent_id, count(*) as unanswered
from talk_day t join conversation c on c.id = t.conversation_id join account a on a.id = c.account_id
left join agent_identity i on i.connection_id = a.connection_id and i.external_id = a.external_id
where t.day between $1 and $5 and t.agent_id = 0 and c.group_key = '' and {REACHED} and coalesce(c.assignee_id, i.agent_id) is not null
  and not exists (select from talk_day o where o.conversation_id = t.conversation_id and o.day = t.day and o.agent_id <> 0)
group by 1
"""  # noqa: S608 - made of constants
PEOPLE = """
select id from agent where id = any($1::bigint[]) and ($2::bigint is null or id = $2)
  and ($3::bigint is null or id in (select agent_id from team_member where team_id = $3)) order by name, id
"""
EMPTY = {
    "conversations": 0, "messages": 0, "after_hours": 0, "unanswered": 0, "answers": 0, "first_median": None, "first_p90": None,
    "next_median": None, "sla_met": 0, "sla_breached": 0, "survey_score": None, "surveys": 0, "inspected": 0, "inspection": None,
}  # fmt: skip


async def results(tx: Tx, scope: Scope, query: PeriodQuery) -> InspectionResults:
    asked = (*_asked(scope, query), query.agent_id, query.team_id)
    return InspectionResults(
        agents=[AgentResult(**row) for row in await tx.fetch(AGENTS, *asked)],
        items=[ItemResult(**row) for row in await tx.fetch(ITEMS, *asked)],
        weeks=[WeekResult(**row) for row in await tx.fetch(WEEKS, *asked)],
    )


async def service(tx: Tx, scope: Scope, query: PeriodQuery) -> ServiceReport:
    """One line for each employee of whom something is told within the asker's reach."""
    asked = _asked(scope, query)
    found: dict[int, dict[str, object]] = {}
    for sql in (TALKS, UNANSWERED, FIGURES):
        for row in await tx.fetch(sql, *asked):
            found.setdefault(row["agent_id"], {}).update(row)
    for row in await tx.fetch(AGENTS, *asked, None, None):
        found.setdefault(row["agent_id"], {}).update(inspected=row["samples"], inspection=row["average"])
    people = [row["id"] for row in await tx.fetch(PEOPLE, list(found), query.agent_id, query.team_id)]
    rows = [ServiceRow.model_validate({**EMPTY, **found[one], "agent_id": one}) for one in people]
    return ServiceReport(first=query.first, last=query.last, rows=rows)


def _asked(scope: Scope, query: PeriodQuery) -> tuple[object, ...]:
    return query.first, scope.everything, scope.agent_id, scope.teams, query.last
