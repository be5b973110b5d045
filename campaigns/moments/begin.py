"""Runs that begin: one task per connection and one line per member who is to post it, in one unit of work."""

from __future__ import annotations

from campaigns.moments.places import may_see, members, places
from campaigns.shapes import Audience
from scrm.db import RETRYABLE, Row
from scrm.services import Services, Work

TAKE = """
select r.* from campaign_run r join campaign c on c.id = r.campaign_id
where r.state = 'freezing' and c.state = 'running' and c.kind = 'moment' and c.deleted_at is null
order by r.id limit 1 for update of r skip locked
"""
TASK = """
insert into moment_task (run_id, campaign_id, connection_id, n, due_at, created_at)
values ($1, $2, $3, $4, $5, $5) on conflict (run_id, connection_id) do nothing returning id
"""
POSTS = """
insert into moment_post (task_id, run_id, account_id, may_see)
select $1, $2, w.id, w.n from unnest($3::bigint[], $4::int[]) w (id, n)
"""
BEGUN = "update campaign_run set state = 'running', frozen_at = $2, reason = $3 where id = $1"
NOBODY = {
    "code": "nobody_posts",
    "zh": "没有可以发表朋友圈的成员。",
    "en": "There was no member who could post it.",
}


async def begin(services: Services) -> bool:
    """The oldest run that begins. True: there may be more."""
    try:
        async with services.work() as work:
            run = await work.tx.fetchrow(TAKE)
            if run is None:
                return False
            asked = await _ask(services, work, run)
            await work.tx.execute(BEGUN, run["id"], work.now, None if asked else NOBODY)
            work.ring("campaign", run["campaign_id"])
            work.ring("moment", run["id"])
    except RETRYABLE:
        return True
    return True


async def _ask(services: Services, work: Work, run: Row) -> int:
    """How many members are asked."""
    who = await members(work.tx, places(services.connections), Audience.model_validate(run["audience"]))
    asked = [one for one in who if not one["off"]]
    seen = await may_see(work.tx, [one for one in asked if not one["tagless"]])
    for connection_id in dict.fromkeys(one["connection_id"] for one in asked):
        ids = [one["id"] for one in asked if one["connection_id"] == connection_id]
        task = await work.tx.fetchval(TASK, run["id"], run["campaign_id"], connection_id, len(ids), work.now)
        if task is not None:
            await work.tx.execute(POSTS, task, run["id"], ids, [seen.get(one, 0) for one in ids])
    return len(asked)
