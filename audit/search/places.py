"""Keeps the map of the archive (``inbox/search_places.py``), behind the way of the messages: whole segments, once everything in them is written."""

from __future__ import annotations

from audit.following import safe_ceiling
from audit.search.filters import KIND
from inbox.search_places import BIT, KIND_NUMBER, NAME, OF_ACCOUNT, OF_AGENT, OF_KIND
from inbox.search_statements import BLOCK, SEGMENT
from scrm.services import Services

# ruff: noqa: S608 - made of constants

AT_ONCE = 16
"""Segments of one round."""
BEGIN = "insert into reading_place (name, last_id) values ($1, 0) on conflict do nothing"
HELD = "select last_id from reading_place where name = $1 for update skip locked"
MOVE = "update reading_place set last_id = $2 where name = $1"
PUT = f"""
insert into search_place (key, block, segments)
select key, segment >> {BLOCK - SEGMENT}, bit_or({BIT.format(id=f"(segment << {SEGMENT})")}) from (
  select distinct ascii(one)::bigint as key, t.message_id >> {SEGMENT} as segment
  from message_text t cross join lateral unnest(string_to_array(t.words, null)) one where t.message_id > $1 and t.message_id <= $2
  union select {OF_ACCOUNT} + c.account_id, m.id >> {SEGMENT} from message m join conversation c on c.id = m.conversation_id
    where m.id > $1 and m.id <= $2
  union select {OF_AGENT} + m.sender_agent_id, m.id >> {SEGMENT} from message m
    where m.id > $1 and m.id <= $2 and m.sender_agent_id is not null
  union select {OF_KIND} + {KIND_NUMBER.format(kind=KIND)}, m.id >> {SEGMENT} from message m where m.id > $1 and m.id <= $2
) x where key > 0 group by 1, 2 order by 1, 2
on conflict (key, block) do update set segments = search_place.segments | excluded.segments
"""
TIMES = f"""
insert into search_segment (segment, first_sent, last_sent)
select id >> {SEGMENT}, min(sent_at), max(sent_at) from message where id > $1 and id <= $2 group by 1 order by 1
on conflict (segment) do update set first_sent = least(search_segment.first_sent, excluded.first_sent),
  last_sent = greatest(search_segment.last_sent, excluded.last_sent)
"""


async def keep(services: Services) -> bool:
    """One round. True: there is more. The place moves with what was written: killed anywhere, the segments are done again."""
    async with services.work() as work:
        last = await work.tx.fetchval(HELD, NAME)
        if last is None:
            await work.tx.execute(BEGIN, NAME)
            return False
        complete = ((await safe_ceiling(work.tx, "message") + 1) >> SEGMENT << SEGMENT) - 1
        until = min(complete, ((last + 1) >> SEGMENT << SEGMENT) - 1 + (AT_ONCE << SEGMENT))
        if until <= last:
            return False
        await work.tx.execute(PUT, last, until)
        await work.tx.execute(TIMES, last, until)
        await work.tx.execute(MOVE, NAME, until)
        return bool(until < complete)
