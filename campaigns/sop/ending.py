"""What ends the way of a customer through a plan before its last step, and the ending itself."""

# ruff: noqa: S608 - made of constants; values are parameters
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.sop.fitting import asking_now, stays
from campaigns.sop.plans import Key, Planned, of_versions
from customers.filtering import Arguments
from customers.timeline import Line, tell
from scrm.db import Row
from scrm.errors import Unprocessable
from scrm.services import Work

REASONS: tuple[str, ...] = (
    "replied", "left", "deleted_us", "not_a_friend", "opted_out", "complaint", "gone", "plan_gone", "by_hand",
)  # fmt: skip

# `gone`: thrown away, or merged with a customer who was in the plan already.
FACTS = """
select e.id, e.sop_id, e.version, e.customer_id, s.name,
  case when u.merged_into is not null or u.deleted_at is not null then 'gone'
    when h.kind is not null then h.kind
    when l.deleted then 'deleted_us' when l.ended then 'not_a_friend' else '' end as why
from sop_entry e join customer u on u.id = e.customer_id join sop s on s.id = e.sop_id
left join lateral (
  select h.kind from campaign_hold h where h.customer_id = e.customer_id and h.ended_at is null order by h.kind desc limit 1) h on true
left join lateral (
  select bool_or(l.state = 'deleted_by_contact') and not bool_or(l.state in ('active', 'half')) as deleted,
    e.account_id is not null and not bool_or(l.state in ('active', 'half', 'transferred')) as ended
  from contact k join contact_link l on l.contact_id = k.id and (e.account_id is null or l.account_id = e.account_id)
  where k.customer_id = e.customer_id) l on true
where e.id = any($1::bigint[])
"""
STOP = """
update sop_entry e set state = 'stopped', reason = w.reason, ended_at = $3, stopped_by = $4
from unnest($1::bigint[], $2::text[]) w (id, reason) where e.id = w.id and e.state = 'under_way'
returning e.id, e.sop_id, e.customer_id, e.reason, (select name from sop where id = e.sop_id) as name
"""
# The last message of each customer among these; a message of before the beginning ends nothing.
HEARD = """
select k.customer_id, max(m.sent_at) as at from message m join conversation c on c.id = m.conversation_id
join contact k on k.id = c.contact_id where m.id > $1 and m.id <= $2 and m.direction = 'in' group by 1
"""
ANSWERED = """
select e.id from sop_entry e join unnest($1::bigint[], $2::timestamptz[]) w (customer_id, at) on w.customer_id = e.customer_id
where e.state = 'under_way' and ((e.on_reply = 'any' and w.at > e.began_at) or (e.on_reply = 'after_step' and w.at >= date_trunc('second', e.acted_at)))
  and ($3::bigint[] is null or e.id = any($3))
order by e.id for update of e
"""


async def obstacles(work: Work, entry_ids: Sequence[int]) -> dict[int, str]:
    """By entry, of those for whom the plan may not go on. Asks once for all of them, and once for each plan's condition."""
    if not entry_ids:
        return {}
    rows = await work.tx.fetch(FACTS, list(entry_ids))
    found = {row["id"]: row["why"] for row in rows if row["why"]}
    by_version: dict[Key, list[int]] = defaultdict(list)
    for row in rows:
        if row["id"] not in found:
            by_version[row["sop_id"], row["version"]].append(row["id"])
    planned = await of_versions(work.tx, by_version)
    for key, ids in by_version.items():
        found.update(await _left(work, planned.get(key), ids))
    return found


async def _left(work: Work, planned: Planned | None, ids: Sequence[int]) -> dict[int, str]:
    if planned is None:
        return dict.fromkeys(ids, "plan_gone")
    if not planned.plan.leave:
        return {}
    arguments = Arguments()
    try:
        fits = stays(planned.plan, await asking_now(work.tx, work.now), arguments)
    except Unprocessable:
        return dict.fromkeys(ids, "plan_gone")
    sql = f"select e.id from sop_entry e join customer u on u.id = e.customer_id where e.id = any({arguments.add(list(ids), 'bigint[]')}) and {fits}"
    still = {row["id"] for row in await work.tx.fetch(sql, *arguments.values)}
    return {one: "left" for one in ids if one not in still}


async def answered(work: Work, heard: Mapping[int, datetime], among: Sequence[int] | None = None) -> list[int]:
    """The entries that these messages end, held."""
    if not heard:
        return []
    rows = await work.tx.fetch(ANSWERED, list(heard), list(heard.values()), None if among is None else list(among))
    return [row["id"] for row in rows]


async def heard_between(work: Work, first: int, last: int) -> dict[int, datetime]:
    return {row["customer_id"]: row["at"] for row in await work.tx.fetch(HEARD, first, last)}


async def stop(work: Work, reasons: Mapping[int, str], *, by_id: int | None = None) -> list[Row]:
    """Ends what is under way of these."""
    if not reasons:
        return []
    rows: list[Row] = await work.tx.fetch(STOP, list(reasons), list(reasons.values()), work.now, by_id)
    await tell(work, [_line(row, by_id) for row in rows])
    for row in rows:
        work.ring("sop", row["sop_id"])
    return rows


def _line(row: Row, by_id: int | None) -> Line:
    data: dict[str, Any] = {"sop": {"id": row["sop_id"], "name": row["name"]}, "why": row["reason"]}
    return Line(
        row["customer_id"], "sop.stopped", agent_id=by_id, object_kind="sop", object_id=row["sop_id"], data=data
    )
