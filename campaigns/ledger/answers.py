"""Who answered a post, and for whom a follow-up was made: seen with the messages that come in, and folded now and then.

An answer within the run's ``reply_days`` counts for the newest post before it. Batches of messages pay for this only while there is a post of
the last month.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from inbox.text import clean
from scrm.channel import MessageReceived, Occurrence, SenderKind
from scrm.normalise import Batch
from scrm.services import Services, Work

LONGEST = timedelta(days=31)
FRESH, QUIET = timedelta(seconds=30), timedelta(seconds=1)
"""How long it is believed that there is such a post, and that there is none."""

LATELY = "select exists (select from campaign_run where created_at > $1)"
REPLIED = """
update delivery d set replied_at = w.at, updated_at = $4 from (
  select distinct on (x.external_id) l.id, x.at from unnest($2::text[], $3::timestamptz[]) x (external_id, at)
  join contact k on k.connection_id = $1 and k.external_id = x.external_id
  cross join lateral (
    select d.id, d.sent_at, r.options from delivery d join campaign_run r on r.id = d.run_id
    where d.contact_id = k.id and d.state = 'sent' and d.replied_at is null and d.sent_at < x.at + interval '1 second' order by d.sent_at desc limit 1) l
  where x.at <= l.sent_at + make_interval(days => coalesce((l.options ->> 'reply_days')::int, 3)) order by x.external_id, x.at
) w where d.id = w.id and d.replied_at is null returning d.campaign_id
"""
FINISHED = """
update broadcast_ticket set look_at = $3 where connection_id = $1 and platform_id = any($2::text[]) and state = 'asked' and look_at > $3
"""
FOLLOWED = """
with made as (select * from follow_up where id > $2 order by id limit $3),
told as (
  update delivery d set followed_at = w.at, updated_at = $1 from (
    select distinct on (d.id) d.id, f.created_at as at from made f
    join delivery d on d.customer_id = f.customer_id and d.counted_at is not null and d.state = 'sent' and d.followed_at is null
      and d.sent_at < f.created_at and f.created_at <= d.sent_at + interval '30 days'
    order by d.id, f.created_at
  ) w where d.id = w.id
)
select count(*) as n, max(id) as last, max(id) filter (where created_at < $4) as settled from made
"""
MARK = "select mark from campaign_followed for update skip locked"
MOVE = "update campaign_followed set mark = $1 where mark < $1"
STEP = 500
SETTLED = timedelta(minutes=5)
"""Numbers are handed out in one order and committed in another: what is younger is looked at again the next time."""


class Answers:
    """A handler of batches, after the inbox has understood them. Platforms tell time in seconds, so an answer of the same second counts."""

    def __init__(self) -> None:
        self._asked_at: datetime | None = None
        self._lately = False

    async def heed(self, work: Work, batch: Batch) -> None:
        if not await self._posts(work):
            return
        said: dict[str, datetime] = {}
        finished: list[str] = []
        for item in batch.items:
            event = item.event
            if isinstance(event, MessageReceived) and event.sender is SenderKind.CUSTOMER and event.group is None:
                key = clean(event.contact.external_id)
                said[key] = min(said.get(key, event.sent_at), event.sent_at)
            elif isinstance(event, Occurrence) and event.name == "broadcast.finished":
                finished.append(str(event.data.get("broadcast_id", "")))
        if said:
            rows = await work.tx.fetch(REPLIED, batch.connection.id, list(said), list(said.values()), work.now)
            for campaign_id in {row["campaign_id"] for row in rows}:
                work.ring("campaign", campaign_id)
        if finished:
            await work.tx.execute(FINISHED, batch.connection.id, finished, work.now)
            work.ring("ticket", batch.connection.id)

    async def _posts(self, work: Work) -> bool:
        if self._asked_at is None or work.now - self._asked_at > (FRESH if self._lately else QUIET):
            self._lately = bool(await work.tx.fetchval(LATELY, work.now - LONGEST))
            self._asked_at = work.now
        return self._lately


async def fold_follow_ups(services: Services) -> bool:
    """All follow-ups made since the last time, for the customers of posts; one process at a time."""
    async with services.work() as work:
        after = await work.tx.fetchval(MARK)
        if after is None:
            return False
        begun = after
        while True:
            told = await work.tx.fetchrow(FOLLOWED, work.now, after, STEP, work.now - SETTLED)
            assert told is not None
            if told["settled"] is not None:
                begun = max(begun, told["settled"])
            if told["n"] < STEP:
                break
            after = told["last"]
        await work.tx.execute(MOVE, begun)
    return False
