"""Rules over what has been: who would be concerned, and then really."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from customers.rules.act import BadExpression, Rule, TooSlow, found, rule_of
from customers.rules.book import APPLY_RULE
from customers.rules.causes import TagRule
from customers.rules.watch import try_rule
from customers.scope import SEEN, CustomerScope
from scrm import jobs
from scrm.clock import monotonic
from scrm.db import Tx
from scrm.errors import Unprocessable
from scrm.jobs import Job
from scrm.permissions import Principal
from scrm.services import Services, Work
from scrm.views import View

MESSAGES = 20_000
CUSTOMERS = 2_000
LOOK_SECONDS = 8.0
APPLY_SECONDS = 8.0
SAMPLE = 20

# Of those for whom the cause holds: who is not so already, and for whom the rule has not acted since.
TAG_WOULD = """
select u.id from unnest($1::bigint[], $2::timestamptz[]) w (id, at) join customer u on u.id = w.id
left join rule_hit h on h.rule_id = $3 and h.customer_id = u.id
where u.merged_into is null and u.deleted_at is null and (h.at is null or h.at < w.at) and not u.tags @> $4::bigint[]
"""
STAGE_WOULD = """
select u.id from unnest($1::bigint[], $2::timestamptz[]) w (id, at) join customer u on u.id = w.id
left join rule_hit h on h.rule_id = $3 and h.customer_id = u.id
left join stage s on s.id = u.stage_id join stage t on t.id = $4
where u.merged_into is null and u.deleted_at is null and (h.at is null or h.at < w.at)
  and (s.id is null or (s.kind = 'open' and s.position < t.position))
"""
SHOWN = f"""
select u.id, u.name from customer u where u.id = any($4::bigint[]) and {SEEN} order by u.id desc limit {SAMPLE}
"""  # noqa: S608 - made of constants


class RuleTrialCustomer(View):
    id: int
    name: str


class RuleTrialView(View):
    """``customers``: how many it would change. ``complete`` false: there was more to look at than time; messages back to ``since``
    were read. ``sample``: some of them, as far as the asker sees them."""

    customers: int
    complete: bool
    since: datetime | None
    sample: list[RuleTrialCustomer]


async def trial(tx: Tx, principal: Principal, rule: Rule, now: datetime) -> RuleTrialView:
    """Looks at everything, the newest first, for some seconds at most. Raises :class:`Unprocessable` for an expression that is too
    slow or not understood."""
    until = monotonic() + LOOK_SECONDS
    ids: set[int] = set()
    complete, oldest = True, None
    try:
        async for first, second in _ranges(tx, rule, now):
            ids |= await _would(tx, rule, first, second)
            oldest = first
            if monotonic() > until:
                complete = rule.data.cause.heard and first == 0
                break
    except TooSlow as error:
        raise Unprocessable("This expression takes too long on your messages.", code="too_slow") from error
    except BadExpression as error:
        raise Unprocessable("This expression is not understood.", code="bad_expression") from error
    since = None
    if not complete and rule.data.cause.heard:
        since = await tx.fetchval("select created_at from message where id > $1 order by id limit 1", oldest)
    shown = await tx.fetch(SHOWN, *CustomerScope.of(principal).arguments, sorted(ids)[-2000:])
    return RuleTrialView(
        customers=len(ids), complete=complete, since=since,
        sample=[RuleTrialCustomer(id=row["id"], name=row["name"]) for row in shown],
    )  # fmt: skip


async def _ranges(tx: Tx, rule: Rule, now: datetime) -> AsyncIterator[tuple[Any, Any]]:
    """Everything in bounded steps, the newest first: messages by their ids, customers by theirs."""
    if rule.data.cause.heard:
        top = int(await tx.fetchval("select coalesce(max(id), 0) from message"))
        while top > 0:
            yield max(top - MESSAGES, 0), top
            top -= MESSAGES
        return
    last: int | None = None
    while True:
        rows = await tx.fetch(
            "select id from customer where $1::bigint is null or id < $1 order by id desc limit $2",
            last,
            10 * CUSTOMERS,
        )
        if not rows:
            return
        yield [row["id"] for row in rows], now
        last = rows[-1]["id"]


async def _would(tx: Tx, rule: Rule, first: Any, second: Any) -> set[int]:
    rows = await found(tx, rule, first, second)
    sql, gives = (TAG_WOULD, rule.data.tag_ids) if isinstance(rule.data, TagRule) else (STAGE_WOULD, rule.data.stage_id)
    kept = await tx.fetch(sql, [row["customer_id"] for row in rows], [row["at"] for row in rows], rule.id, gives)
    return {row["id"] for row in kept}


async def begin(work: Work, rule_id: int) -> None:
    """Lets a rule act on everything that has been, by a job. Asked twice while it runs, it runs once."""
    running = await work.tx.fetchval(
        "select exists (select from job where kind = $1 and state in ('queued', 'running') and payload->>'rule_id' = $2::text)",
        APPLY_RULE,
        str(rule_id),
    )
    if not running:
        await jobs.put(work, APPLY_RULE, [f"{rule_id}:0:{work.now.isoformat()}"], [{"rule_id": rule_id, "from": 0}])


async def apply_rule(services: Services, job: Job) -> None:
    """Job: some seconds of it, from where the last one ended; then it puts itself again. Each step is one unit of work, so killed
    anywhere it only repeats what changes nothing."""
    rule_id, last = job.payload["rule_id"], job.payload["from"]
    until = monotonic() + APPLY_SECONDS
    while monotonic() < until:
        async with services.work() as work:
            row = await work.tx.fetchrow(
                "select id, kind, name, data from customer_rule where id = $1 and deleted_at is null for update",
                rule_id,
            )
            rule = rule_of(row) if row is not None else None
            reached = await _step(work, rule, last) if rule is not None else None
        if reached is None:
            return
        last = reached
    async with services.work() as work:
        await jobs.put(
            work, APPLY_RULE, [f"{job.dedupe_key.rsplit(':', 1)[0]}:{last}"], [{"rule_id": rule_id, "from": last}]
        )


async def _step(work: Work, rule: Rule, last: int) -> int | None:
    """The next messages or customers after ``last``. None: that was all."""
    if rule.data.cause.heard:
        top = int(await work.tx.fetchval("select coalesce(max(id), 0) from message"))
        if last >= top:
            return None
        await try_rule(work, rule, last, last + MESSAGES)
        return last + MESSAGES
    rows = await work.tx.fetch("select id from customer where id > $1 order by id limit $2", last, CUSTOMERS)
    if not rows:
        return None
    await try_rule(work, rule, [row["id"] for row in rows], work.now)
    return int(rows[-1]["id"])
