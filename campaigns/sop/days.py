"""What begins without anything happening: the dates of a new day, and those who fitted already when a plan was switched on."""

# ruff: noqa: S608 - made of constants; values are parameters
from __future__ import annotations

from datetime import date, timedelta

from campaigns.sop.begin import Beginning, begin
from campaigns.sop.fitting import asking_now, matches
from campaigns.sop.plans import Planned, enabled, switch_off
from campaigns.sop.shapes import Dated
from campaigns.sop.starts import begin_on
from customers.filtering import Arguments
from customers.tasks.times import day_of
from scrm.company import FACTS
from scrm.db import RETRYABLE
from scrm.errors import Unprocessable
from scrm.services import Services, Work

CHUNK = 1000
LOOK_BACK = timedelta(days=7)
"""Days that passed while the service was down are looked at again; whether their steps are still done is decided by the plan."""
NEXT = """
select id from sop where enabled and deleted_at is null and (enrol_at is not null or looked_on < $1)
order by id limit 1 for update skip locked
"""
LOOKED = "update sop set looked_on = $2 where id = $1"
GO_ON = "update sop set enrol_position = $2 where id = $1"
ENROLLED = "update sop set enrol_at = null, enrol_position = 0 where id = $1"


async def look(services: Services) -> bool:
    """One day, or one chunk of customers, of one plan. True: there may be more."""
    try:
        async with services.work() as work:
            zone = (await FACTS.load(work.tx)).clock
            today = day_of(work.now, zone)
            sop_id = await work.tx.fetchval(NEXT, today)
            if sop_id is None:
                return False
            plans = await enabled(work.tx, sop_id)
            if not plans:
                await switch_off(work, sop_id, "not_understood")
                return True
            try:
                async with work.tx.transaction():
                    await _look(work, plans[0], today)
            except Unprocessable:
                await switch_off(work, sop_id, "bad_filter")
    except RETRYABLE:
        pass
    return True


async def _look(work: Work, planned: Planned, today: date) -> None:
    asking, zone = await asking_now(work.tx, work.now), (await FACTS.load(work.tx)).clock
    if isinstance(planned.plan.start, Dated):
        day = max((planned.looked_on or today) + timedelta(days=1), today - LOOK_BACK)
        day = min(day, today)
        await begin_on(work, planned, day, asking, zone, Arguments())
        await work.tx.execute(LOOKED, planned.id, day)
        if planned.enrol_at is not None:
            await work.tx.execute(ENROLLED, planned.id)
        return
    if planned.looked_on is not None:
        await work.tx.execute(LOOKED, planned.id, None)
    if planned.enrol_at is None:
        return
    arguments = Arguments()
    fits = matches(planned.plan, asking, arguments)
    after = arguments.add(planned.enrol_position, "bigint")
    rows = await work.tx.fetch(
        f"select u.id from customer u where u.id > {after} and {fits} order by u.id limit {CHUNK}", *arguments.values
    )
    what = f"match:{planned.enrol_at.isoformat()}"
    await begin(work, planned, [Beginning(row["id"], what, planned.enrol_at) for row in rows], zone)
    if len(rows) < CHUNK:
        await work.tx.execute(ENROLLED, planned.id)
    else:
        await work.tx.execute(GO_ON, planned.id, rows[-1]["id"])
