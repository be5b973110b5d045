"""Plans are made, changed (each change of what a plan says is a new version), switched on and off, and put away."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from campaigns.sop.fitting import asking_now, matches, stays
from campaigns.sop.reading import begin_reading
from campaigns.sop.shapes import NAMES, Added, Dated, Reached, SopPlan, Tagged
from customers.filtering import Arguments
from customers.let_in import colleagues
from customers.tasks.times import day_of
from scrm.company import FACTS
from scrm.db import Row, Tx
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import CAMPAIGNS_WRITE, CUSTOMERS_WRITE, Principal
from scrm.services import Work
from scrm.trail import record
from scrm.undo import Kind, Step, Undone, remember
from scrm.variables import names_in
from scrm.views import Input, Line

DELETED = "sop.delete"
MOST = 100
INSERT = """
insert into sop (name, client_token, created_by, created_at, updated_at) values ($1, $2, $3, $4, $4)
on conflict (created_by, client_token) do nothing returning id
"""
MADE = "select id from sop where created_by = $1 and client_token = $2"
VERSION = "insert into sop_version (sop_id, version, data, by_id, at) values ($1, $2, $3, $4, $5)"
LOCK = "select * from sop where id = $1 and deleted_at is null for no key update"
DATA = "select data from sop_version where sop_id = $1 and version = $2"
CHANGE = "update sop set name = $2, version = $3, problem = '', updated_at = $4 where id = $1"
ENABLE = """
update sop set enabled = true, enabled_at = $2, problem = '', looked_on = $3, enrol_at = $4, enrol_position = 0, updated_at = $2 where id = $1
"""
DISABLE = "update sop set enabled = false, enrol_at = null, updated_at = $2 where id = $1"
DELETE = "update sop set deleted_at = $2, enabled = false, enrol_at = null where id = $1"
RESTORE = "update sop set deleted_at = null where id = $1 and deleted_at is not null returning id"
Token = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


class NewSop(Input):
    client_token: Token
    name: Line
    plan: SopPlan


class SopChange(Input):
    """What is given is changed. ``version``: the one that was seen."""

    version: Annotated[int, Field(ge=1)]
    name: Line | None = None
    plan: SopPlan | None = None


class Enabling(Input):
    """``also_matching``: it begins for those who fit already, too."""

    also_matching: bool = False


async def create(work: Work, principal: Principal, new: NewSop, *, address: str) -> tuple[int, bool]:
    """Switched off. Its id, and whether it is new. Raises :class:`Unprocessable`."""
    await check(work, new.plan)
    if await work.tx.fetchval("select count(*) from sop where deleted_at is null") >= MOST:
        raise Unprocessable(f"There are {MOST} plans already. Take one out first.", code="too_many")
    made = await work.tx.fetchval(INSERT, new.name, new.client_token, principal.agent_id, work.now)
    if made is None:
        return int(await work.tx.fetchval(MADE, principal.agent_id, new.client_token)), False
    await work.tx.execute(VERSION, made, 1, new.plan.model_dump(mode="json"), principal.agent_id, work.now)
    await _note(work, principal, "sop.created", made, address)
    return int(made), True


async def change(work: Work, principal: Principal, sop_id: int, said: SopChange, *, address: str) -> None:
    """Who is under way goes on as the plan was. Raises :class:`NotFound`, :class:`Unprocessable`, :class:`Conflict`."""
    row = await held(work, sop_id)
    if row["version"] != said.version:
        raise Conflict("Somebody changed this plan meanwhile; look at it again.", code="changed_meanwhile")
    version = row["version"]
    if said.plan is not None:
        await check(work, said.plan)
        data = said.plan.model_dump(mode="json")
        if data != await work.tx.fetchval(DATA, sop_id, version):
            version += 1
            await work.tx.execute(VERSION, sop_id, version, data, principal.agent_id, work.now)
    await work.tx.execute(CHANGE, sop_id, said.name or row["name"], version, work.now)
    await _note(work, principal, "sop.changed", sop_id, address, version=version)


async def enable(work: Work, principal: Principal, sop_id: int, said: Enabling, *, address: str) -> None:
    """Counts what happens from now on. Again is harmless. Raises :class:`NotFound`, :class:`Unprocessable` when what it speaks of is gone."""
    row = await held(work, sop_id)
    if row["enabled"]:
        return
    plan = SopPlan.model_validate(await work.tx.fetchval(DATA, sop_id, row["version"]))
    await check(work, plan)
    await begin_reading(work)
    dated = isinstance(plan.start, Dated)
    yesterday = day_of(work.now, (await FACTS.load(work.tx)).clock) - timedelta(days=1)
    enrol_at = work.now if said.also_matching and not dated else None
    await work.tx.execute(ENABLE, sop_id, work.now, yesterday if dated else None, enrol_at)
    await _note(work, principal, "sop.enabled", sop_id, address, also_matching=said.also_matching)


async def disable(work: Work, principal: Principal, sop_id: int, *, address: str) -> None:
    """Nobody begins and no step is done while it is off. Again is harmless. Raises :class:`NotFound`."""
    row = await held(work, sop_id)
    if row["enabled"]:
        await work.tx.execute(DISABLE, sop_id, work.now)
        await _note(work, principal, "sop.disabled", sop_id, address)


async def delete(work: Work, principal: Principal, sop_id: int, *, address: str) -> Step:
    """Its steps stop; taken back, it is there again, switched off. Raises :class:`NotFound`."""
    await held(work, sop_id)
    await work.tx.execute(DELETE, sop_id, work.now)
    await _note(work, principal, "sop.deleted", sop_id, address)
    return await remember(work, principal, DELETED, {"id": sop_id})


async def restore(work: Work, principal: Principal, data: dict[str, Any]) -> Undone:
    if await work.tx.fetchval(RESTORE, data["id"]) is None:
        raise Conflict("It is there already.", code="changed_meanwhile")
    await _note(work, principal, "sop.restored", data["id"], "")
    return Undone()


def undo_kinds() -> dict[str, Kind]:
    return {DELETED: Kind(CAMPAIGNS_WRITE, restore)}


async def matching(work: Work, sop_id: int) -> int:
    """How many fit now and are not under way. Raises :class:`NotFound`, :class:`Unprocessable`."""
    row = await work.tx.fetchrow("select * from sop where id = $1 and deleted_at is null", sop_id)
    if row is None:
        raise NotFound("There is no such plan.")
    plan = SopPlan.model_validate(await work.tx.fetchval(DATA, sop_id, row["version"]))
    if isinstance(plan.start, Dated):
        return 0
    arguments = Arguments()
    fits = matches(plan, await asking_now(work.tx, work.now), arguments)
    this = arguments.add(sop_id, "bigint")
    been = "true" if not plan.again else "e.state = 'under_way'"
    sql = (
        f"select count(*) from customer u where {fits} and not exists ("  # noqa: S608 - made of constants
        f"select from sop_entry e where e.customer_id = u.id and e.sop_id = {this} and {been})"
    )
    return int(await work.tx.fetchval(sql, *arguments.values))


async def held(work: Work, sop_id: int) -> Row:
    row = await work.tx.fetchrow(LOCK, sop_id)
    if row is None:
        raise NotFound("There is no such plan.")
    return row


async def check(work: Work, plan: SopPlan) -> None:
    """Raises :class:`Unprocessable` for what is not there: tags, stages, codes, fields, variables, people, conditions."""
    start = plan.start
    if isinstance(start, Tagged):
        await _there(work.tx, "tag", start.tag_ids, "plan.start.tag_ids", "One of these tags does not exist.")
    elif isinstance(start, Reached):
        await _there(work.tx, "stage", start.stage_ids, "plan.start.stage_ids", "One of these stages does not exist.")
    elif isinstance(start, Added):
        await _there(
            work.tx, "contact_code", start.code_ids, "plan.start.code_ids", "One of these codes does not exist."
        )
    elif (
        await work.tx.fetchval("select kind from custom_field where key = $1 and archived_at is null", start.field)
        != "date"
    ):
        raise Unprocessable("There is no such date field.", fields={"plan.start.field": "Choose a date field."})
    for number, step in enumerate(plan.steps):
        unknown = [name for name in names_in(step.words) if name not in NAMES]
        if unknown:
            raise Unprocessable(
                f"There is no variable {', '.join(unknown)}.", fields={f"plan.steps.{number}.words": "Choose one of the list."}
            )  # fmt: skip
    if plan.deputy_id is not None:
        found = (await colleagues(work, [plan.deputy_id])).get(plan.deputy_id)
        if found is None or not found.may(CUSTOMERS_WRITE):
            raise Unprocessable(
                "This person cannot do tasks.", fields={"plan.deputy_id": "Choose an active colleague."}
            )
    stays(plan, await asking_now(work.tx, work.now), Arguments())


async def _there(tx: Tx, table: str, ids: tuple[int, ...], field: str, sentence: str) -> None:
    sql = f"select count(*) from {table} where id = any($1::bigint[]) and archived_at is null"  # noqa: S608 - three constants
    if await tx.fetchval(sql, list(ids)) != len(set(ids)):
        raise Unprocessable(sentence, fields={field: "Choose from the list."})


async def _note(work: Work, principal: Principal, action: str, sop_id: int, address: str, **detail: Any) -> None:
    work.ring("sop", sop_id)
    await record(
        work, action, agent_id=principal.agent_id, object_kind="sop", object_id=sop_id, address=address, detail=detail
    )
