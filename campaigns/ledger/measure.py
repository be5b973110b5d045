"""The ledger's gauges, at a cost that does not grow with it: from the tally, and from the first entry of each index."""

from __future__ import annotations

from scrm.metrics import CAMPAIGN_ASIDE, CAMPAIGN_LATE_SECONDS, CAMPAIGN_OPEN, CAMPAIGN_TICKETS
from scrm.services import Services

OPEN = """
select t.state, sum(t.n)::bigint as n from campaign_run r join delivery_tally t on t.run_id = r.id
where r.state in ('freezing', 'running') and t.state in ('planned', 'sending', 'asked') group by 1
"""
OLDEST = """
select min(o.due_at) from campaign_run r join campaign c on c.id = r.campaign_id
cross join (values ('task'), ('broadcast'), ('reply')) w (way)
cross join lateral (
  select d.due_at from delivery d where d.run_id = r.id and d.way = w.way and d.state = 'planned' and d.due_at <= $1 order by d.due_at limit 1) o
where r.state in ('freezing', 'running') and c.state = 'running'
"""
TICKETS = """
select state, count(*) as n from broadcast_ticket where state in ('queued', 'doubt') group by 1
union all select 'calling', count(*) from broadcast_ticket where state = 'calling'
union all select 'asked', count(*) from broadcast_ticket where state = 'asked' and look_at is not null
"""
ASIDE = "select count(distinct run_id) from campaign_aside"


async def measure(services: Services) -> bool:
    db = services.db
    counts = {row["state"]: row["n"] for row in await db.fetch(OPEN)}
    for state in ("planned", "sending", "asked"):
        CAMPAIGN_OPEN.labels(state).set(counts.get(state, 0))
    now = services.clock.now()
    oldest = await db.fetchval(OLDEST, now)
    CAMPAIGN_LATE_SECONDS.set((now - oldest).total_seconds() if oldest else 0)
    counts = {row["state"]: row["n"] for row in await db.fetch(TICKETS)}
    for state in ("queued", "calling", "doubt", "asked"):
        CAMPAIGN_TICKETS.labels(state).set(counts.get(state, 0))
    CAMPAIGN_ASIDE.set(await db.fetchval(ASIDE))
    return False
