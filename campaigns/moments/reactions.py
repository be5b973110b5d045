"""What customers made of a member's moment: to whom it was shown, who liked and who commented, for two weeks, ever more rarely.

The words of comments are not told by platforms. Each like and comment is kept once and told in the customer's story once; somebody whom we do
not know yet is looked up again at every look.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from customers.timeline import Line, tell
from scrm.channel_campaigns import MomentReactions, Moments
from scrm.db import Row
from scrm.errors import RetryLater, SendError
from scrm.services import Services, Work

log = logging.getLogger(__name__)

SOONEST, LATEST = timedelta(minutes=2), timedelta(hours=12)
DAYS = timedelta(days=14)

DUE = """
select p.id, p.run_id, p.account_id, p.published_at, p.look_at, t.moment_id, t.connection_id, t.campaign_id, a.external_id as member, c.name
from moment_post p join moment_task t on t.id = p.task_id join account a on a.id = p.account_id join campaign c on c.id = t.campaign_id
join connection n on n.id = t.connection_id
where p.look_at <= $1 and p.state = 'published' and n.paused_at is null order by p.look_at, p.id limit 1
"""
HOLD = "update moment_post set look_at = $2 where id = $1 and look_at <= $3 returning id"
AGAIN = "update moment_post set look_at = $2 where id = $1"
ADD = """
insert into moment_reaction (post_id, run_id, kind, external_id, at)
select $1, $2, w.kind, w.external_id, w.at from unnest($3::text[], $4::text[], $5::timestamptz[]) w (kind, external_id, at)
on conflict (post_id, kind, external_id, at) do nothing
"""
# A contact that is on its way to another customer is waited for.
KNOW = """
with known as (
  select k.id, k.external_id, k.customer_id from contact k where k.connection_id = $2 and k.external_id in (
    select external_id from moment_reaction where post_id = $1 and contact_id is null and customer_id is null) for share
)
update moment_reaction r set contact_id = k.id, customer_id = k.customer_id from known k
where r.post_id = $1 and r.customer_id is null and r.contact_id is null and k.external_id = r.external_id
returning r.customer_id, r.contact_id, r.kind, r.at
"""
COUNT = """
update moment_post p set shown = $2, look_at = $3,
  likes = (select count(distinct external_id) from moment_reaction where post_id = p.id and kind = 'like'),
  comments = (select count(*) from moment_reaction where post_id = p.id and kind = 'comment')
where p.id = $1
"""
STORY = {"like": "moment.liked", "comment": "moment.commented"}


async def look(services: Services) -> bool:
    """One published moment that is due to be asked about. True: there may be more."""
    now = services.clock.now()
    post = await services.db.fetchrow(DUE, now)
    if post is None:
        return False
    if await services.db.fetchval(HOLD, post["id"], now + timedelta(minutes=2), now) is None:
        return True
    loaded = services.connections.held(post["connection_id"])
    if loaded is None or not isinstance(loaded.adapter, Moments):
        return True
    try:
        shown = await _shown(loaded.adapter, post)
        reactions = await loaded.adapter.moment_reactions(post["moment_id"], post["member"])
    except SendError as error:
        if not isinstance(error, RetryLater):
            log.info("reactions to moment %s of account %s: %s", post["moment_id"], post["account_id"], error)
        after = timedelta(seconds=error.after) if isinstance(error, RetryLater) else timedelta(0)
        await services.db.execute(AGAIN, post["id"], _next(post, now, at_least=after))
        return True
    async with services.work() as work:
        await _keep(work, post, reactions)
        await work.tx.execute(COUNT, post["id"], shown, _next(post, now))
        work.ring("campaign", post["campaign_id"])
    return True


def _next(post: Row, now: datetime, *, at_least: timedelta = timedelta(0)) -> datetime | None:
    """None: no more."""
    age: timedelta = now - post["published_at"]
    if age > DAYS:
        return None
    return now + max(min(max(age / 6, SOONEST), LATEST), at_least)


async def _shown(adapter: Moments, post: Row) -> int:
    shown, cursor = 0, ""
    while True:
        page, cursor = await adapter.moment_receivers(post["moment_id"], post["member"], cursor)
        shown += len(page)
        if not cursor:
            return shown


async def _keep(work: Work, post: Row, reactions: MomentReactions) -> None:
    found: Sequence[tuple[str, str, datetime]] = [
        *(("like", who, at) for who, at in reactions.likes),
        *(("comment", who, at) for who, at in reactions.comments),
    ]
    if found:
        columns = [list(column) for column in zip(*found, strict=True)]
        await work.tx.execute(ADD, post["id"], post["run_id"], *columns)
    known = await work.tx.fetch(KNOW, post["id"], post["connection_id"])
    await tell(
        work,
        [
            Line(
                row["customer_id"], STORY[row["kind"]], at=row["at"], account_id=post["account_id"], contact_id=row["contact_id"],
                object_kind="campaign", object_id=post["campaign_id"], data={"name": post["name"]},
            )
            for row in known
        ],
    )  # fmt: skip
