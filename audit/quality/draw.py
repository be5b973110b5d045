"""Drawing samples: by rule, by chance, and so that the same seed draws the same again.

A stretch is what was said in a conversation on one day; whoever wrote most of it for the company is judged. Of each employee those come
whose (seed, conversation, day) have the smallest hash. What was drawn for a plan once is not drawn for it again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, timedelta

from audit.quality.plans import data_of
from audit.quality.views import DrawInput, PlanData
from inbox.list_sql import Arguments
from inbox.queries import SEEN
from scrm.auth import principal_of
from scrm.company import FACTS
from scrm.db import Row
from scrm.errors import NotFound, Unprocessable
from scrm.jobs import Job
from scrm.permissions import AUDIT_REVIEW, Principal, Scope
from scrm.services import Services, Work
from scrm.sessions import WHO
from scrm.trail import record

DRAW_DUE = "quality.draw_due"
EVERY_SECONDS = 600
TICKS: Mapping[str, int] = {DRAW_DUE: EVERY_SECONDS}
PLAN = "select * from quality_plan where id = $1 and deleted_at is null for update"
SCHEDULED = "select id, schedule from quality_plan where schedule <> 'demand' and deleted_at is null order by id"
VERSION = """
select id from quality_sheet_version where sheet_id = $1 and published_at is not null order by version desc limit 1
"""
BEGIN = """
insert into quality_draw (plan_id, occasion, seed, first_day, last_day, data, asked_by, drawn_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (plan_id, occasion) do nothing returning id
"""
# $1 the plan, then the scope as in SEEN.
STRETCHES = f"""
select t.conversation_id, t.day, min(t.first_seq) as first_seq, max(t.last_seq) as last_seq, sum(t.messages)::int as messages,
  (array_agg(t.agent_id order by t.messages desc, t.agent_id) filter (where t.agent_id > 0))[1] as agent_id
from talk_day t join conversation c on c.id = t.conversation_id join account a on a.id = c.account_id
where t.day between {{first}} and {{last}} and {SEEN} {{channels}} group by t.conversation_id, t.day
"""  # noqa: S608 - made of constants
STRETCHES = STRETCHES.replace("($2 or", "($2::boolean or").replace("= $3 ", "= $3::bigint ")
DRAW = """
with stretch as ({stretches}), wanted as (
  select w.* from stretch w join agent g on g.id = w.agent_id
  where not exists (select from quality_sample s where s.plan_id = $1 and s.conversation_id = w.conversation_id and s.day = w.day) {conditions}
), ranked as (
  select w.*, row_number() over (partition by agent_id order by md5({seed} || ':' || conversation_id || ':' || day), conversation_id, day) as place,
    count(*) over (partition by agent_id) as of
  from wanted w
), drawn as (
  insert into quality_sample (plan_id, draw_id, sheet_version_id, conversation_id, day, agent_id, first_seq, last_seq, messages)
  select $1, {draw}, {version}, conversation_id, day, agent_id, first_seq, last_seq, messages from ranked
  where place <= {most} order by md5({seed} || ':' || conversation_id || ':' || day), conversation_id, day
  on conflict do nothing returning id
)
update quality_draw set candidates = (select count(*) from wanted), drawn = (select count(*) from drawn) where id = {draw}
returning drawn
"""
ALERTED = """
and exists (select from alert al where al.conversation_id = w.conversation_id and (al.happened_at at time zone {zone})::date = w.day)
"""
SLOW = """
and exists (select from message m join lateral (
    select b.direction, b.sent_at from message b where b.conversation_id = m.conversation_id and b.seq < m.seq and b.direction in ('in', 'out')
    order by b.seq desc limit 1
  ) b on b.direction = 'in'
  where m.conversation_id = w.conversation_id and m.seq between w.first_seq and w.last_seq and m.direction = 'out' and m.sender_kind = 'agent'
    and m.sent_at - b.sent_at >= make_interval(mins => {minutes}))
"""
SCORED = """
and exists (select from survey v where v.conversation_id = w.conversation_id and v.score <= {score}
  and (v.answered_at at time zone {zone})::date between w.day and w.day + 3)
"""
OWNER = f"select {WHO} from agent a join role r on r.key = a.role where a.id = $1 and a.disabled_at is null"  # noqa: S608 - made of constants
LATE = timedelta(hours=3)
"""After midnight, a period that is over is still waited for: what was said comes in late."""


async def draw_on_demand(work: Work, principal: Principal, plan_id: int, body: DrawInput) -> int:
    """How many were drawn. The same token draws once. Raises :class:`NotFound`, :class:`Unprocessable` without a published sheet."""
    plan = await _plan(work, plan_id)
    drawn = await _draw(
        work, Scope.of(principal), plan, f"ask:{body.client_token}", body.first, body.last, principal.agent_id
    )
    if drawn is None:
        known = "select drawn from quality_draw where plan_id = $1 and occasion = $2"
        return int(await work.tx.fetchval(known, plan_id, f"ask:{body.client_token}"))
    await record(
        work, "quality_plan.drawn", agent_id=principal.agent_id, object_kind="quality_plan", object_id=plan_id,
        detail={"drawn": drawn, "first": body.first.isoformat(), "last": body.last.isoformat()},
    )  # fmt: skip
    return drawn


async def draw_due(services: Services, _: Job) -> None:
    """For plans by week or month, the last one that is over; each in its own unit of work."""
    today = (services.clock.now() - LATE).astimezone((await FACTS.load(services.db)).clock).date()
    for row in await services.db.fetch(SCHEDULED):
        first, last = last_period(row["schedule"], today)
        async with services.work() as work:
            plan = await work.tx.fetchrow(PLAN, row["id"])
            if plan is None or plan["schedule"] != row["schedule"]:
                continue
            owner = await _owner(work, plan["owner_id"])
            if owner is None or await work.tx.fetchval(VERSION, plan["sheet_id"]) is None:
                continue
            await _draw(work, Scope.of(owner), plan, f"{row['schedule']}:{first}", first, last, None)


def last_period(schedule: str, today: date) -> tuple[date, date]:
    """The last whole week (from Monday) or month before ``today``."""
    if schedule == "weekly":
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(days=7), monday - timedelta(days=1)
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


async def _plan(work: Work, plan_id: int) -> Row:
    plan = await work.tx.fetchrow(PLAN, plan_id)
    if plan is None:
        raise NotFound("There is no such plan.")
    return plan


async def _owner(work: Work, agent_id: int) -> Principal | None:
    """As they are now; None when they may no longer review."""
    row = await work.tx.fetchrow(OWNER, agent_id)
    if row is None:
        return None
    principal = principal_of(row)
    return principal if principal.may(AUDIT_REVIEW) else None


async def _draw(
    work: Work, scope: Scope, plan: Row, occasion: str, first: date, last: date, asked_by: int | None
) -> int | None:
    """None: it was drawn for this occasion already. The plan's row is held: two drawings do not take the same stretch."""
    version = await work.tx.fetchval(VERSION, plan["sheet_id"])
    if version is None:
        raise Unprocessable("Publish the score sheet of this plan first.", code="sheet_unpublished")
    seed = secrets.token_hex(8)
    draw_id = await work.tx.fetchval(
        BEGIN, plan["id"], occasion, seed, first, last, plan["data"], asked_by, work.now
    )  # fmt: skip
    if draw_id is None:
        return None
    zone = (await FACTS.load(work.tx)).zone
    return await take(work, scope, plan["id"], draw_id, version, data_of(plan), seed, first, last, zone)


async def take(
    work: Work, scope: Scope, plan_id: int, draw_id: int, version_id: int, data: PlanData, seed: str, first: date, last: date, zone: str
) -> int:  # fmt: skip
    """Draws, and returns how many."""
    arguments = Arguments()
    arguments.values += [plan_id, scope.everything, scope.agent_id, scope.teams]
    channels = f"and a.channel = any({arguments.add(data.channels, 'text[]')})" if data.channels else ""
    stretches = STRETCHES.format(
        first=arguments.add(first, "date"), last=arguments.add(last, "date"), channels=channels
    )
    amount = arguments.add(data.amount, "int")
    sql = DRAW.format(
        stretches=stretches,
        conditions=_conditions(arguments, data, zone),
        seed=arguments.add(seed, "text"),
        draw=arguments.add(draw_id, "bigint"),
        version=arguments.add(version_id, "bigint"),
        most=amount if data.by == "number" else f"ceil(of * {amount} / 100.0)",
    )
    return int(await work.tx.fetchval(sql, *arguments.values))


def _conditions(arguments: Arguments, data: PlanData, zone: str) -> str:
    wanted, asked = "", data.conditions
    if data.agent_ids or data.team_ids:
        agents, teams = arguments.add(data.agent_ids, "bigint[]"), arguments.add(data.team_ids, "bigint[]")
        member = f"exists (select from team_member k where k.agent_id = w.agent_id and k.team_id = any({teams}))"
        wanted += f"and (w.agent_id = any({agents}) or {member})"
    if asked.messages_at_least is not None:
        wanted += f" and w.messages >= {arguments.add(asked.messages_at_least, 'int')}"
    if asked.had_alert:
        wanted += ALERTED.format(zone=arguments.add(zone, "text"))
    if asked.slow_minutes is not None:
        wanted += SLOW.format(minutes=arguments.add(asked.slow_minutes, "int"))
    if asked.survey_at_most is not None:
        wanted += SCORED.format(score=arguments.add(asked.survey_at_most, "int"), zone=arguments.add(zone, "text"))
    return wanted


JOBS = {DRAW_DUE: draw_due}
