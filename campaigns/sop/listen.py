"""What happened with customers, and what they wrote: begins plans, ends them, and notes answers to steps.

What was read, what it began and ended, and how far the reader is are one unit of work: killed anywhere, it begins again as if nothing had
been done.
"""

from __future__ import annotations

from campaigns.sop.ending import answered, heard_between, obstacles, stop
from campaigns.sop.fitting import asking_now
from campaigns.sop.plans import enabled, switch_off
from campaigns.sop.reading import AT_ONCE, next_rows
from campaigns.sop.starts import begin_by
from scrm.company import FACTS
from scrm.db import RETRYABLE
from scrm.errors import Unprocessable
from scrm.services import Services, Work

LOCK_KEY = 7_226_071
ANY = "select exists (select from sop)"
# Whatever changed a customer left a line; those of the plans themselves change nobody.
TOUCHED = """
select e.id from sop_entry e where e.state = 'under_way' and e.customer_id in (
  select customer_id from timeline where id > $1 and id <= $2 and kind not like 'sop.%') order by e.id for update of e
"""
# An answer belongs to the newest step of each plan, within a week.
REPLIED = """
update sop_step s set replied_at = w.at from (
  select distinct on (s.sop_id, s.customer_id) s.id, h.at
  from unnest($1::bigint[], $2::timestamptz[]) h (customer_id, at) join sop_step s on s.customer_id = h.customer_id
    and s.state <> 'skipped' and s.state <> 'failed' and s.at < h.at + interval '1 second' and s.at > h.at - interval '7 days'
  order by s.sop_id, s.customer_id, s.at desc, s.id desc
) w where s.id = w.id and s.replied_at is null
"""


async def listen(services: Services) -> bool:
    """One round. True: there is more."""
    try:
        async with services.work() as work:
            if not await work.tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
                return False
            lines = await next_rows(work, "timeline")
            any_plan = await work.tx.fetchval(ANY)
            if lines is not None and any_plan:
                await _happened(work, lines)
            messages = await next_rows(work, "message")
            if messages is not None and any_plan:
                await _heard(work, messages)
    except RETRYABLE:
        return True
    return any(one is not None and one[1] - one[0] == AT_ONCE for one in (lines, messages))


async def _happened(work: Work, lines: tuple[int, int]) -> None:
    plans = await enabled(work.tx)
    asking, zone = await asking_now(work.tx, work.now), (await FACTS.load(work.tx)).clock
    for planned in plans:
        try:
            async with work.tx.transaction():
                await begin_by(work, planned, lines, asking, zone)
        except Unprocessable:
            await switch_off(work, planned.id, "bad_filter")
    touched = [row["id"] for row in await work.tx.fetch(TOUCHED, *lines)]
    await stop(work, await obstacles(work, touched))


async def _heard(work: Work, messages: tuple[int, int]) -> None:
    heard = await heard_between(work, *messages)
    if not heard:
        return
    await work.tx.execute(REPLIED, list(heard), list(heard.values()))
    await stop(work, dict.fromkeys(await answered(work, heard), "replied"))
