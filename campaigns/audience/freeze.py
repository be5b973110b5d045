"""Runs that begin: each recipient becomes a delivery, chunk by chunk, with the place moved in the same transaction, so that a process that
dies leaves nothing half done and another goes on where it was. Nothing is frozen while the campaign is paused or cancelled.
"""

from __future__ import annotations

import logging
from datetime import datetime

from campaigns.audience.decide import Moment, decide, due, spread_key
from campaigns.audience.groups import decide_groups
from campaigns.audience.places import places
from campaigns.audience.whose import COMPANY
from campaigns.ledger import aside
from campaigns.shapes import Audience, Options, Schedule
from customers.filtering import Arguments
from scrm.db import RETRYABLE, Row
from scrm.errors import ApiError
from scrm.services import Services, Work

# ruff: noqa: S608 - made of constants; values are parameters

log = logging.getLogger(__name__)

CHUNK = 5000
TAKE = f"""
select r.*, c.schedule, {aside.KNOWN.format("freeze")} from campaign_run r join campaign c on c.id = r.campaign_id
where r.state = 'freezing' and c.state = 'running' and c.kind = 'message' and c.deleted_at is null and {aside.READY.format("freeze")}
order by r.id limit 1 for update of r skip locked
"""
# One chunk at a time in the whole service: two would not see each other's parts when they count what somebody got already.
ALONE = "select pg_try_advisory_xact_lock($1)"
LOCK_KEY = 7_226_046
GO_ON = "update campaign_run set position = $2 where id = $1"
FROZEN = "update campaign_run set state = 'running', frozen_at = $2, position = $3 where id = $1"
BROKEN = "update campaign_run set state = 'running', frozen_at = $2, reason = $3 where id = $1"
INSERT = """
insert into delivery (run_id, campaign_id, customer_id, group_chat_id, contact_id, account_id, connection_id, conversation_id, way, state, reason,
  due_at, counted_at, created_at, updated_at)
"""


async def freeze(services: Services) -> bool:
    """One chunk of the oldest run that begins. True: there may be more."""
    run: Row | None = None
    try:
        async with services.work() as work:
            run = await work.tx.fetchrow(TAKE, work.now)
            if run is None or not await work.tx.fetchval(ALONE, LOCK_KEY):
                return False
            await _chunk_or_reason(services, work, run)
            work.ring("campaign", run["campaign_id"])
            work.ring("delivery", run["id"])
    except RETRYABLE:
        return True
    except Exception as error:
        if run is None or aside.is_nobodys(error):
            raise
        log.exception("run %s cannot be frozen", run["id"])
        await aside.put(services, run["id"], "freeze", error)
        return True
    if run["aside"]:
        await aside.forget(services, run["id"], "freeze")
    return True


async def _chunk_or_reason(services: Services, work: Work, run: Row) -> None:
    try:
        async with work.tx.transaction():
            await _chunk(services, work, run)
    except ApiError as error:
        # A field or segment of the filter is gone: nobody gets anything, and the run says why.
        log.warning("run %s cannot be frozen: %s", run["id"], error.detail)
        reason = {
            "code": "audience_gone",
            "zh": "人群条件已失效，无法确定收件人。",
            "en": f"The audience cannot be found any more. {error.detail}",
        }
        await work.tx.execute(BROKEN, run["id"], work.now, reason)


async def _chunk(services: Services, work: Work, run: Row) -> None:
    audience, options = Audience.model_validate(run["audience"]), Options.model_validate(run["options"])
    schedule = Schedule.model_validate(run["schedule"])
    where = places(services.connections, audience, options)
    moment = Moment(work.now, max(run["due_at"], work.now))
    if audience.of == "groups":
        sql, arguments, after = decide_groups(audience, where)
        limit: int | None = None
    else:
        decision = await decide(
            work.tx, COMPANY, audience, options, where, moment, campaign_id=run["campaign_id"], limit=CHUNK
        )
        sql, arguments, after, limit = decision.sql, decision.arguments, decision.after, CHUNK
        arguments[after] = run["position"]
    written = await _write(work, run, schedule, moment.at, sql, Arguments(arguments), groups=audience.of == "groups")
    if limit is None or written["n"] < limit:
        await work.tx.execute(FROZEN, run["id"], work.now, written["last"] or run["position"])
    else:
        await work.tx.execute(GO_ON, run["id"], written["last"])


async def _write(
    work: Work, run: Row, schedule: Schedule, begin: datetime, sql: str, arguments: Arguments, *, groups: bool
) -> Row:
    key = "group_chat_id" if groups else "customer_id"
    at = due(schedule, begin, arguments, spread_key(key))
    run_id, campaign_id = arguments.add(run["id"], "bigint"), arguments.add(run["campaign_id"], "bigint")
    now = arguments.add(work.now, "timestamptz")
    who = "null::bigint, d.group_chat_id" if groups else "d.customer_id, null::bigint"
    found: Row | None = await work.tx.fetchrow(
        f"""
with d as ({sql}),
timed as (select d.*, case when d.reason = '' then {at} else {now} end as due_at from d),
written as (
  {INSERT}
  select {run_id}, {campaign_id}, {who}, d.contact_id, d.account_id, d.connection_id, d.conversation_id, d.way,
    case when d.reason = '' then 'planned' else 'skipped' end, d.reason, d.due_at, case when d.reason = '' then d.due_at end, {now}, {now}
  from timed d on conflict do nothing
)
select count(*) as n, max(d.{key}) as last from d
""",
        *arguments.values,
    )
    assert found is not None
    return found
