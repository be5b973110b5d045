"""Deliveries that are answers in an open window: messages of their conversations, through the same outbox as a rep's answers.

A chunk is one unit of work: deliveries become ``sending`` and their messages are queued together, or nothing happened. The outbox then sends
each once; what became of it is read back here. The token of a message names the delivery and the attempt, so a second chunk finds the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.ledger import aside, quiet
from campaigns.ledger.content import as_messages
from campaigns.shapes import Posts, Schedule
from inbox.posts import Post, Sender, post
from scrm.channel import Capabilities
from scrm.db import RETRYABLE, Row
from scrm.services import Services, Work

CHUNK = 200
UNDER_WAY = 2000
"""Of one run: more would only wait in the outbox, where a pause does not reach them."""

# Runs of which something is due: the first entry of the index for each, whatever the planner thinks of their number.
RUNS = f"""
select r.id, r.campaign_id, r.content, c.name as campaign, c.schedule, a.id as agent_id, a.name as agent_name, {aside.KNOWN.format("replies")}
from campaign_run r join campaign c on c.id = r.campaign_id left join agent a on a.id = c.created_by
cross join lateral (
  select from delivery d where d.run_id = r.id and d.way = 'reply' and d.state = 'planned' and d.due_at <= $1 order by d.due_at limit 1) due
where r.state in ('running', 'freezing') and c.state = 'running' and {aside.READY.format("replies")} order by r.id
"""  # noqa: S608 - made of constants
UNDER = "select count(*) from delivery where run_id = $1 and state = 'sending' and way = 'reply'"
CLAIM = """
select d.id, d.conversation_id, d.attempt, a.channel from delivery d join account a on a.id = d.account_id
where d.run_id = $1 and d.state = 'planned' and d.way = 'reply' and d.due_at <= $2
  and exists (select from campaign c where c.id = d.campaign_id and c.state = 'running')
order by d.due_at, d.id limit $3 for update of d skip locked
"""
SENDING = "update delivery set state = 'sending', counted_at = $2, updated_at = $2 where id = any($1::bigint[])"
FAILED = """
update delivery d set state = 'failed', reason = w.reason, detail = w.detail, counted_at = null, updated_at = $4
from unnest($1::bigint[], $2::text[], $3::jsonb[]) w (id, reason, detail) where d.id = w.id
"""
# A delivery is as many messages as it has parts; it is as far as the least of them.
OUTCOMES = """
with open as (
  select d.id, d.conversation_id, d.attempt from delivery d
  where d.run_id = $1 and d.state = 'sending' and d.way = 'reply' order by d.id limit 5000 for update skip locked
),
found as (
  select o.id, count(*) filter (where m.state in ('queued', 'sending')) as waits, count(*) filter (where m.state = 'sent') as sent,
    count(*) filter (where m.state = 'failed') as failed, count(*) filter (where m.state = 'uncertain') as uncertain, count(*) as n,
    max(m.sent_at) as at, max(m.id) as message_id, (array_agg(m.reason order by m.seq) filter (where m.reason is not null))[1] as reason
  from open o join message m on m.conversation_id = o.conversation_id
    and m.client_token = any(array(select 'campaign:' || o.id || ':' || o.attempt || '-' || n from generate_series(0, 9) n))
  group by o.id
)
update delivery d set message_id = f.message_id, updated_at = $2, detail = f.reason,
  state = case when f.uncertain > 0 then 'uncertain' when f.failed > 0 then 'failed' else 'sent' end,
  reason = case when f.uncertain > 0 then coalesce(f.reason ->> 'code', 'unknown') when f.failed > 0 and f.sent > 0 then 'partly_sent'
    when f.failed > 0 then coalesce(f.reason ->> 'code', 'refused') else '' end,
  sent_at = case when f.sent > 0 then f.at end, counted_at = case when f.sent + f.uncertain > 0 then coalesce(f.at, $2) end
from found f where d.id = f.id and f.waits = 0
returning d.id, d.customer_id, d.state
"""


async def send_due(services: Services) -> bool:
    """A chunk of each running run. True: there may be more at once."""
    more, now = False, services.clock.now()
    for run in await services.db.fetch(RUNS, now):
        try:
            async with aside.alone(services, run["id"], "replies", known=run["aside"]):
                if await _may(services, run, now):
                    async with services.work() as work:
                        more = await _chunk(services, work, run) or more
        except RETRYABLE:
            more = True
    return more


async def _may(services: Services, run: Row, now: datetime) -> bool:
    if quiet.until(Schedule.model_validate(run["schedule"]), now) is not None:
        return False
    return bool(await services.db.fetchval(UNDER, run["id"]) < UNDER_WAY)


async def _chunk(services: Services, work: Work, run: Row) -> bool:
    rows = await work.tx.fetch(CLAIM, run["id"], work.now, CHUNK)
    if not rows:
        return False
    posts = Posts.model_validate(run["content"])
    wanted = [_post(row, posts) for row in rows]
    sender = Sender(run["agent_id"], run["agent_name"] or "")
    outcome = await post(work, wanted, _able(services, rows), sender)
    ids = {one.token: row["id"] for one, row in zip(wanted, rows, strict=True)}
    await work.tx.execute(SENDING, [ids[token] for token, error in outcome.items() if error is None], work.now)
    refused = [(ids[token], error.code, {"en": error.detail}) for token, error in outcome.items() if error is not None]
    if refused:
        await work.tx.execute(FAILED, *[list(column) for column in zip(*refused, strict=True)], work.now)
    work.ring("campaign", run["campaign_id"])
    return len(rows) == CHUNK


def _post(row: Row, posts: Posts) -> Post:
    content = posts.of(row["channel"])
    token = f"campaign:{row['id']}:{row['attempt']}"
    return Post(row["conversation_id"], token, as_messages(content), content.unnamed)


def _able(services: Services, rows: Sequence[Row]) -> Mapping[str, Capabilities]:
    found = {channel: services.connections.capabilities(channel) for channel in {row["channel"] for row in rows}}
    return {channel: able for channel, able in found.items() if able is not None}


async def settle(work: Work, run_id: int, now: datetime) -> list[dict[str, Any]]:
    """What became of messages under way, as (id, customer_id, state)."""
    return [dict(row) for row in await work.tx.fetch(OUTCOMES, run_id, now)]
