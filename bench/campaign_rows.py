"""Rows of the benchmark of campaigns: friends of members, campaigns and their runs, ledgers in the middle of their work."""

from __future__ import annotations

from typing import Any

from bench.customers import CUSTOMERS, PEOPLE
from scrm.db import Database

MEMBERS = 50
FRIENDS = """
insert into account (connection_id, channel, external_id, name) select {connection}, 'wecom_member', 'member' || n, '员工' || n
  from generate_series(1, {members}) n;
insert into contact (connection_id, external_id, customer_id, name) select {connection}, 'wm' || id, id, name from customer;
insert into contact_link (contact_id, account_id, state, added_at)
  select k.id, a.id, 'active', now() from contact k join account a on a.external_id = 'member' || (1 + k.id % {members});
"""
CAMPAIGN = """
insert into campaign (kind, name, state, content, schedule, options, created_at, updated_at)
values ('message', $1, 'running', $2, '{"mode": "now", "quiet": null}', $3, now(), now()) returning id
"""
RUN = """
insert into campaign_run (campaign_id, due_at, state, content, audience, options, created_at, frozen_at)
values ($1, now(), $2, $3, $4, $5, now(), case when $2 = 'running' then now() end) returning id
"""
# A tenth has been sent, one in a hundred failed, some wait for a member; most are planned.
LEDGER = """
insert into delivery (run_id, campaign_id, customer_id, contact_id, account_id, connection_id, conversation_id, way, state, reason, due_at,
  sent_at, counted_at, created_at, updated_at)
select r.id, r.campaign_id, k.customer_id, k.id, l.account_id, k.connection_id, case when k.id % 10 < 5 then k.id end,
  case when k.id % 10 < 5 then 'reply' else 'task' end,
  case when k.id % 100 = 3 then 'failed' when k.id % 10 = 0 then 'sent' when k.id % 10 in (8, 9) then 'asked' else 'planned' end,
  case when k.id % 100 = 3 then 'refused' else '' end, now() - interval '1 minute', case when k.id % 10 = 0 then now() end, now(), now(), now()
from campaign_run r, contact k join contact_link l on l.contact_id = k.id where r.id = $1 and k.id <= $2 order by k.id
"""


async def people(db: Database, number: int, connection: int) -> None:
    async with db.pool.acquire() as tx:
        await tx.execute("set synchronous_commit = off; set maintenance_work_mem = '512MB'")
        await tx.execute(PEOPLE)
        await tx.execute("set session_replication_role = replica")
        await tx.execute(CUSTOMERS.replace("$1", str(number)), timeout=3600)
        await tx.execute(FRIENDS.format(connection=connection, members=MEMBERS), timeout=3600)
        await tx.execute("set session_replication_role = origin; set synchronous_commit = on")
        await tx.execute("vacuum (analyze)", timeout=3600)


async def campaign(
    db: Database, *, state: str, audience: dict[str, Any] | None = None, options: dict[str, Any] | None = None
) -> int:
    """A campaign that goes on, with a run in this state; the run."""
    content = {"post": {"text": "老客专享：周末到店有礼"}}
    made = await db.fetchval(CAMPAIGN, "周末到店", content, options or {})
    run: int = await db.fetchval(RUN, made, state, content, audience or {}, options or {})
    return run


async def ledger(db: Database, run: int, number: int) -> None:
    async with db.pool.acquire() as tx:
        await tx.execute(LEDGER, run, number, timeout=3600)
