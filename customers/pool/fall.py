"""Owners are warned, and customers fall back into the pool (or go to somebody), in batches under their locks.

A follow-up in the last second wins: who is being changed at this moment is skipped, and each date is computed once more under the
lock before anybody is taken away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from customers.owning import USABLE, Given, give_each
from customers.pool.due import recompute
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.notices import notify
from scrm.services import Services, Work

BATCH = 200
WARN = "select id from customer where warn_at <= $1 order by warn_at, id limit $2 for update skip locked"
WARNED = """
update customer u set warned_at = $2, warn_at = null from customer_rule r
where u.id = any($1::bigint[]) and u.warn_at <= $2 and r.id = u.reclaim_rule_id
returning u.id, u.owner_id, u.reclaim_at, r.name, r.data
"""
DUE = "select id from customer where reclaim_at <= $1 order by reclaim_at, id limit $2 for update skip locked"
# A customer who waits for an answer is looked at again later: the dates of others must not queue behind.
SPARE = """
update customer u set reclaim_at = $2::timestamptz + interval '1 hour' from customer_rule r
where u.id = any($1::bigint[]) and u.reclaim_at <= $2 and r.id = u.reclaim_rule_id
  and coalesce((r.data->>'keep_waiting')::boolean, true)
  and exists (select from contact k join conversation c on c.contact_id = k.id
    where k.customer_id = u.id and c.status = 'open' and c.waiting_since is not null)
"""
TAKE = """
select u.id, u.owner_id, r.name, (r.data->>'to_agent_id')::bigint as to_id from customer u
join customer_rule r on r.id = u.reclaim_rule_id where u.id = any($1::bigint[]) and u.reclaim_at <= $2 order by u.id
"""


async def fall(services: Services) -> bool:
    """One round of the loop."""
    async with services.work() as work:
        warned = await warn_due(work)
    async with services.work() as work:
        taken = await take_due(work)
    return max(warned, taken) >= BATCH


async def warn_due(work: Work) -> int:
    """How many were looked at."""
    ids = [row["id"] for row in await work.tx.fetch(WARN, work.now, BATCH)]
    if not ids:
        return 0
    await recompute(work, ids)
    rows = await work.tx.fetch(WARNED, ids, work.now)
    lines = [
        Line(row["id"], "pool.warned", data={"reclaim_at": row["reclaim_at"].isoformat(), "rule": row["name"]})
        for row in rows
    ]
    await tell(work, lines)
    await _tell(work, _by_person(rows), "customer_falling")
    return len(ids)


async def take_due(work: Work) -> int:
    ids = [row["id"] for row in await work.tx.fetch(DUE, work.now, BATCH)]
    if not ids:
        return 0
    await recompute(work, ids)
    await work.tx.execute(SPARE, ids, work.now)
    due = await work.tx.fetch(TAKE, ids, work.now)
    wanted = sorted({row["to_id"] for row in due if row["to_id"] is not None})
    usable = {row["id"] for row in await work.tx.fetch(USABLE, wanted)}
    by_rule: dict[str, dict[int, int | None]] = defaultdict(dict)
    for row in due:
        goes = row["to_id"] in usable and row["to_id"] != row["owner_id"]
        by_rule[row["name"]][row["id"]] = row["to_id"] if goes else None
    given: list[Given] = []
    for name, owners in by_rule.items():
        given += await give_each(work, owners, "reclaimed", None, name)
    lost: dict[int, list[int]] = defaultdict(list)
    for one in given:
        if one.from_id is not None:
            lost[one.from_id].append(one.customer_id)
    await _tell(work, lost, "customer_lost")
    return len(ids)


def _by_person(rows: Sequence[Row]) -> Mapping[int, list[int]]:
    """The owner, and whom the rule names besides."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        for agent_id in {row["owner_id"], *row["data"].get("warn_agent_ids", [])}:
            found[agent_id].append(row["id"])
    return found


async def _tell(work: Work, told: Mapping[int, Sequence[int]], kind: str) -> None:
    for agent_id, ids in sorted(told.items()):
        await notify(
            work, [agent_id], kind, f"{kind}:{ids[0]}:{work.now.isoformat()}",
            customer_id=ids[0] if len(ids) == 1 else None, data={"count": len(ids)},
        )  # fmt: skip
