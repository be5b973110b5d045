"""Inspection plans: which chats are looked at, and how many of each employee."""

from __future__ import annotations

from audit.quality.views import DrawView, PlanData, PlanInput, PlanList, PlanView
from inbox.queries import SEEN
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal, Scope
from scrm.services import Work
from scrm.trail import record

ALL = f"""
select p.id, p.name, p.sheet_id, p.schedule, p.data, p.version, p.owner_id, p.updated_at, n.due, n.samples
from quality_plan p cross join lateral (
  select count(*) filter (where s.state = 'due') as due, count(*) as samples from quality_sample s
  join conversation c on c.id = s.conversation_id join account a on a.id = c.account_id where s.plan_id = p.id and {SEEN}
) n where p.deleted_at is null and ($1::bigint is null or p.id = $1) order by p.id desc limit 500
""".replace("$2 or", "$2::boolean or").replace("= $3 ", "= $3::bigint ")  # noqa: S608 - made of constants
# How many were drawn is told to those who see everything: it would tell others of chats that they do not see.
DRAWS = """
select plan_id, id, first_day, last_day, seed, case when $2 then candidates else 0 end as candidates, case when $2 then drawn else 0 end as drawn,
  asked_by, drawn_at
from (select d.*, row_number() over (partition by plan_id order by id desc) as place from quality_draw d where plan_id = any($1::bigint[])) d
where place <= 5 order by id desc
"""
ADD = """
insert into quality_plan (name, sheet_id, schedule, data, owner_id, created_at, updated_at, client_token)
select $1, s.id, $3, $4, $5, $6, $6, $7 from quality_sheet s where s.id = $2
on conflict (owner_id, client_token) do nothing returning id
"""
CHANGE = """
update quality_plan set name = $3, sheet_id = $4, schedule = $5, data = $6, owner_id = $7, updated_at = $8, version = version + 1, client_token = null
where id = $1 and version = $2 and deleted_at is null and exists (select from quality_sheet where id = $4) returning id
"""
DELETE = "update quality_plan set deleted_at = $2 where id = $1 and deleted_at is null"


async def plans(tx: Tx, scope: Scope) -> PlanList:
    return PlanList(plans=await _views(tx, scope, None))


async def one_plan(tx: Tx, scope: Scope, plan_id: int) -> PlanView:
    """Raises :class:`NotFound`."""
    found = await _views(tx, scope, plan_id)
    if not found:
        raise NotFound("There is no such plan.")
    return found[0]


async def _views(tx: Tx, scope: Scope, plan_id: int | None) -> list[PlanView]:
    rows = await tx.fetch(ALL, plan_id, scope.everything, scope.agent_id, scope.teams)
    draws: dict[int, list[DrawView]] = {row["id"]: [] for row in rows}
    for row in await tx.fetch(DRAWS, list(draws), scope.everything):
        draws[row["plan_id"]].append(DrawView(**{name: row[name] for name in DrawView.model_fields}))
    return [PlanView(**{**dict(row), "data": data_of(row), "draws": draws[row["id"]]}) for row in rows]


def data_of(row: Row) -> PlanData:
    return PlanData.model_validate(row["data"])


async def add(work: Work, principal: Principal, body: PlanInput) -> int:
    values = body.data.model_dump(mode="json")
    made: int | None = await work.tx.fetchval(
        ADD, body.name, body.sheet_id, body.schedule, values, principal.agent_id, work.now, body.client_token
    )
    if made is None:
        known = "select id from quality_plan where owner_id = $1 and client_token = $2"
        found = await work.tx.fetchval(known, principal.agent_id, body.client_token)
        if found is None:
            raise Unprocessable("There is no such score sheet.", fields={"sheet_id": "Choose one of the list."})
        return int(found)
    await _told(work, principal, "quality_plan.added", made)
    return made


async def change(work: Work, principal: Principal, plan_id: int, body: PlanInput) -> None:
    """Raises :class:`NotFound`, :class:`Conflict` when somebody was quicker."""
    await one_plan(work.tx, Scope.of(principal), plan_id)
    done = await work.tx.fetchval(
        CHANGE, plan_id, body.version or 0, body.name, body.sheet_id, body.schedule, body.data.model_dump(mode="json"),
        principal.agent_id, work.now,
    )  # fmt: skip
    if done is None:
        raise Conflict("Somebody changed this plan meanwhile, or its sheet is gone. Look at it again.", code="changed")
    await _told(work, principal, "quality_plan.changed", plan_id)


async def delete(work: Work, principal: Principal, plan_id: int) -> None:
    """What was drawn stays, and can be scored."""
    if await work.tx.execute(DELETE, plan_id, work.now) == "UPDATE 0":
        raise NotFound("There is no such plan.")
    await _told(work, principal, "quality_plan.deleted", plan_id)


async def _told(work: Work, principal: Principal, act: str, plan_id: int) -> None:
    await record(work, act, agent_id=principal.agent_id, object_kind="quality_plan", object_id=plan_id)
