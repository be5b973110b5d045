"""Planned deliveries that are due become calls of a platform for many: a ticket and its deliveries are one unit of work, and then
:mod:`campaigns.ledger.calls` makes the call."""

from __future__ import annotations

from campaigns.ledger import aside, quiet
from campaigns.shapes import Schedule
from scrm.channel_campaigns import AsksMembers, Broadcasts
from scrm.connections import Loaded
from scrm.db import RETRYABLE
from scrm.outbox import new_idempotency_key
from scrm.services import Services, Work

RIPE = """
select d.run_id, d.campaign_id, d.connection_id, d.account_id, d.way, a.channel, d.group_chat_id is not null as groups
from delivery d join account a on a.id = d.account_id
where d.run_id = $1 and d.way = $2 and d.state = 'planned' and d.due_at <= $3 order by d.due_at, d.id limit 1
"""
# Runs and ways of which something is due: the first entry of the index for each, whatever the planner thinks of their number.
RUNNING = f"""
select r.id, w.way, c.schedule, {aside.KNOWN.format("tickets")} from campaign_run r join campaign c on c.id = r.campaign_id
cross join (values ('task'), ('broadcast')) w (way)
cross join lateral (
  select from delivery d where d.run_id = r.id and d.way = w.way and d.state = 'planned' and d.due_at <= $1 order by d.due_at limit 1) due
where r.state = 'running' and c.state = 'running' and {aside.READY.format("tickets")} order by r.id
"""  # noqa: S608 - made of constants
PICK = """
select d.id from delivery d where d.run_id = $1 and d.way = $2 and d.account_id = $3 and d.state = 'planned' and d.due_at <= $4
  and exists (select from campaign c where c.id = d.campaign_id and c.state = 'running')
order by d.due_at, d.id limit $5 for update of d skip locked
"""
TICKET = """
insert into broadcast_ticket (run_id, campaign_id, connection_id, account_id, way, idempotency_key, n, part, due_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, (select count(*) from broadcast_ticket where run_id = $1 and account_id = $4), $8, $8) returning id
"""
TAKEN = "update delivery set state = 'sending', ticket_id = $2, counted_at = $3, updated_at = $3 where id = any($1::bigint[])"
TOO_FEW = "update delivery set state = 'failed', reason = 'too_few', counted_at = null, updated_at = $2 where id = any($1::bigint[])"


async def make(services: Services) -> bool:
    """Tickets for what is due. True: there may be more."""
    more, now = False, services.clock.now()
    for run in await services.db.fetch(RUNNING, now):
        try:
            async with aside.alone(services, run["id"], "tickets", known=run["aside"]):
                if quiet.until(Schedule.model_validate(run["schedule"]), now) is None:
                    async with services.work() as work:
                        more = await _make(services, work, run["id"], run["way"]) or more
        except RETRYABLE:
            more = True
    return more


async def _make(services: Services, work: Work, run_id: int, way: str) -> bool:
    ripe = await work.tx.fetchrow(RIPE, run_id, way, work.now)
    if ripe is None:
        return False
    most, least = _sizes(services.connections.held(ripe["connection_id"]), way, groups=ripe["groups"])
    # Two processes that make tickets of one account would leave a rest too small for a call.
    await work.tx.execute("select pg_advisory_xact_lock($1, $2)", 7_226_044, ripe["account_id"] % 2**31)
    ids = [row["id"] for row in await work.tx.fetch(PICK, run_id, way, ripe["account_id"], work.now, most + least)]
    if not ids:
        return True
    if len(ids) > most:
        ids = ids[: most if len(ids) >= most + least else most - least]
    if len(ids) < least:
        await work.tx.execute(TOO_FEW, ids, work.now)
        return True
    ticket = await work.tx.fetchval(
        TICKET, run_id, ripe["campaign_id"], ripe["connection_id"], ripe["account_id"], way, new_idempotency_key(), len(ids), work.now
    )  # fmt: skip
    await work.tx.execute(TAKEN, ids, ticket, work.now)
    work.ring("ticket", run_id)
    work.ring("campaign", ripe["campaign_id"])
    return True


def _sizes(loaded: Loaded | None, way: str, *, groups: bool) -> tuple[int, int]:
    if loaded is None:
        return 1000, 1
    adapter = loaded.adapter
    if way == "task" and isinstance(adapter, AsksMembers):
        return (adapter.group_task_batch if groups else adapter.task_batch), 1
    if way == "broadcast" and isinstance(adapter, Broadcasts):
        return adapter.broadcast_batch, adapter.broadcast_least
    return 1000, 1
