"""Rules at work: reads which customers were touched and which messages came, and lets each rule act on them.

Touched customers are rows that triggers leave (``customer_touch``); messages are read in the order of their ids, up to where every
writer has ended, so none is passed over. What was read, what the rules did and how far the reader is are one unit of work: killed
anywhere, it begins again as if nothing had been done. The way of a message into the inbox is not touched at all.
"""

from __future__ import annotations

from typing import Any

from customers.reports.due import note_due
from customers.rules.act import BadExpression, Rule, TooSlow, act, enabled, found, stop
from customers.rules.causes import Silent
from scrm.db import RETRYABLE
from scrm.jobs import Job
from scrm.services import Services, Work

LOCK_KEY = 7_226_041
AT_ONCE = 1000
MESSAGES_AT_ONCE = 5000
NAME = "customer_rules"
LOOK_FOR_SILENCE = "customer_silence"

TAKE = f"""
delete from customer_touch where ctid = any(array(select ctid from customer_touch limit {AT_ONCE} for update skip locked))
returning customer_id
"""  # noqa: S608 - made of constants
BEGIN = """
insert into reading_place (name, last_id) values ($1, (select coalesce(max(id), 0) from message)) on conflict do nothing
"""
# Up to where everything is written: what had been written when `next_id` was noted is, once those who wrote then have ended.
PLACE = f"""
select last_id, case when next_xid <= pg_snapshot_xmin(pg_current_snapshot()) then least(next_id, last_id + {MESSAGES_AT_ONCE}) end as until
from reading_place where name = $1 for update
"""  # noqa: S608 - made of constants
MOVE_ON = "update reading_place set last_id = $2 where name = $1"
LOOK_AHEAD = """
update reading_place set next_id = m.id, next_xid = pg_snapshot_xmax(pg_current_snapshot())
from (select max(id) as id from message) m where name = $1 and m.id > last_id and (next_id is null or next_id <= last_id)
"""


async def round_of(services: Services) -> bool:
    """One round. True: there is more."""
    try:
        async with services.work() as work:
            if not await work.tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
                return False
            touched = sorted({row["customer_id"] for row in await work.tx.fetch(TAKE)})
            heard = await _heard(work)
            if touched or heard is not None:
                await _apply(work, touched, heard)
            await note_due(work, touched)
    except RETRYABLE:
        return True
    return len(touched) == AT_ONCE or (heard is not None and heard[1] - heard[0] == MESSAGES_AT_ONCE)


async def _heard(work: Work) -> tuple[int, int] | None:
    """The next messages, as the ids they are between; None: none is ready."""
    place = await work.tx.fetchrow(PLACE, NAME)
    if place is None:
        await work.tx.execute(BEGIN, NAME)
        return None
    last, until = place["last_id"], place["until"]
    ready = until is not None and until > last
    if ready:
        await work.tx.execute(MOVE_ON, NAME, until)
    await work.tx.execute(LOOK_AHEAD, NAME)
    return (last, until) if ready else None


async def _apply(work: Work, touched: list[int], heard: tuple[int, int] | None) -> None:
    for rule in await enabled(work.tx):
        if rule.data.cause.heard:
            if heard is not None:
                await try_rule(work, rule, *heard)
        elif touched and not isinstance(rule.data.cause, Silent):
            await try_rule(work, rule, touched, work.now)


async def try_rule(work: Work, rule: Rule, first: Any, second: Any) -> int:
    """Lets a rule act between the bounds; one that cannot be carried out is switched off, and holds nobody up."""
    try:
        rows = await found(work.tx, rule, first, second)
    except TooSlow:
        await stop(work, rule, "too_slow")
        return 0
    except BadExpression:
        await stop(work, rule, "bad_expression")
        return 0
    return await act(work, rule, [(row["customer_id"], row["at"]) for row in rows])


SILENT_NOW = """
select c.customer_id, c.at from ({cause}) c left join rule_hit h on h.rule_id = $4 and h.customer_id = c.customer_id
join customer u on u.id = c.customer_id and u.merged_into is null and u.deleted_at is null
where h.at is null or h.at < c.at limit $5
"""


async def look_for_silence(services: Services, job: Job) -> None:
    """Nobody touches those with whom nothing happens: they are looked for, every few minutes."""
    for rule in await enabled(services.db):
        if isinstance(rule.data.cause, Silent):
            while await silence(services, rule) == AT_ONCE:
                continue


async def silence(services: Services, rule: Rule) -> int:
    """One batch of a rule about silence. Returns how many it looked at."""
    sql, more = rule.data.cause.sql()
    async with services.work() as work:
        rows = await work.tx.fetch(SILENT_NOW.format(cause=sql), None, work.now, *more, rule.id, AT_ONCE)
        await act(work, rule, [(row["customer_id"], row["at"]) for row in rows])
    return len(rows)
