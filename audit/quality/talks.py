"""Who wrote how much in which conversation on which day, kept behind the messages: samples are drawn from it, reports add it up.

What was read and how far are one unit of work: killed on any line, the stretch comes again as if nothing had been.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from audit.following import next_stretch
from inbox import rulebook
from inbox.hours import Calendar
from scrm.company import FACTS
from scrm.db import RETRYABLE, Row
from scrm.services import Services, Work

NAME = "audit_talks"
AT_ONCE = 5000
CUSTOMER, UNKNOWN = 0, -1
"""Who is no employee, and an employee whom nobody knows."""
MESSAGES = """
select m.conversation_id, m.seq, m.sent_at, (m.sent_at at time zone $3)::date as day, c.account_id,
  case when m.direction = 'in' then 0 else coalesce(m.sender_agent_id, i.agent_id, -1) end as agent_id
from message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id
left join agent_identity i on i.connection_id = a.connection_id
  and i.external_id = case when m.direction = 'out' and m.sender_id <> '' then m.sender_id else a.external_id end
where m.id > $1 and m.id <= $2 and m.direction in ('in', 'out') and m.sender_kind in ('customer', 'agent')
"""
ADD = """
insert into talk_day as t (conversation_id, day, agent_id, messages, after_hours, first_seq, last_seq)
select n.* from unnest($1::bigint[], $2::date[], $3::bigint[], $4::int[], $5::int[], $6::bigint[], $7::bigint[])
  n (conversation_id, day, agent_id, messages, after_hours, first_seq, last_seq)
join conversation c on c.id = n.conversation_id
order by 1, 2, 3
on conflict (conversation_id, day, agent_id) do update set messages = t.messages + excluded.messages,
  after_hours = t.after_hours + excluded.after_hours, first_seq = least(t.first_seq, excluded.first_seq),
  last_seq = greatest(t.last_seq, excluded.last_seq)
"""


@dataclass(slots=True)
class Talk:
    messages: int
    after_hours: int
    first_seq: int
    last_seq: int


class TalkKeeper:
    """:meth:`round` adds the next messages. True: there are more."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def round(self) -> bool:
        try:
            async with self._services.work() as work:
                stretch = await next_stretch(work, NAME, "message", at_once=AT_ONCE)
                if stretch is None:
                    return False
                zone = (await FACTS.load(work.tx)).zone
                rows = await work.tx.fetch(MESSAGES, stretch.after, stretch.until, zone)
                if rows:
                    await _add(work, rows)
        except RETRYABLE:
            return True
        return stretch.full


async def _add(work: Work, rows: list[Row]) -> None:
    closed = _Closed(await rulebook.load(work.tx))
    talks: dict[tuple[int, date, int], Talk] = {}
    for row in rows:
        late = int(row["agent_id"] != CUSTOMER and closed.at(row["account_id"], row["sent_at"]))
        key, seq = (row["conversation_id"], row["day"], row["agent_id"]), row["seq"]
        talk = talks.get(key)
        if talk is None:
            talks[key] = Talk(1, late, seq, seq)
            continue
        talk.messages += 1
        talk.after_hours += late
        talk.first_seq, talk.last_seq = min(talk.first_seq, seq), max(talk.last_seq, seq)
    whose = zip(*talks, strict=True)
    found = [*talks.values()]
    await work.tx.execute(
        ADD, *(list(one) for one in whose), [one.messages for one in found], [one.after_hours for one in found],
        [one.first_seq for one in found], [one.last_seq for one in found],
    )  # fmt: skip


class _Closed:
    """Whether an account is closed at a moment."""

    def __init__(self, flow: rulebook.Rulebook) -> None:
        self._flow = flow
        self._calendars: dict[int, Calendar] = {}

    def at(self, account_id: int, moment: datetime) -> bool:
        if account_id not in self._calendars:
            self._calendars[account_id] = self._flow.calendar_of(account_id)
        return not self._calendars[account_id].is_open(moment)
