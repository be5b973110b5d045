"""Tells customers what their contacts and conversations did: when they last wrote, from which accounts they come, who sees them.

Messages must not wait for this, so triggers only write down that something happened (``customer_stir``, without reading or locking),
and this loop adds it up: many messages of one customer become one change. It never waits for a row that somebody else holds, and
nobody waits for it longer than one short statement; what it could not do it writes down again. Killed anywhere, it begins again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from customers.timeline import Line, tell
from scrm.db import Row
from scrm.services import Services, Work

FEW, AT_ONCE = 60, 1000
"""Rows that are looked at to find whom a round is about; of those it takes everything that waits."""
LOCK_KEY = 7_226_043

TAKE = """
with begun as materialized (select conversation_id, customer_id from customer_stir limit $1),
gone as (
  delete from customer_stir where conversation_id = any(array(select distinct conversation_id from begun where conversation_id is not null))
  returning conversation_id, said_at, heard_at
),
told as (
  delete from customer_stir where conversation_id is null
    and customer_id = any(array(select distinct customer_id from begun where conversation_id is null and customer_id is not null))
  returning customer_id
)
select conversation_id, null::bigint as customer_id, max(said_at) as said_at, max(heard_at) as heard_at,
  (select count(*) from begun) as looked_at
from gone group by 1
union all
select distinct null::bigint, customer_id, null::timestamptz, null::timestamptz, (select count(*) from begun) from told
"""
CONTACTS = """
select c.contact_id, array_agg(distinct c.id) as conversations, max(w.said_at) as said_at, max(w.heard_at) as heard_at
from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) w (id, said_at, heard_at)
join conversation c on c.id = w.id where c.contact_id is not null group by 1
"""
HOLD_CONTACTS = (
    "select id, customer_id from contact where id = any($1::bigint[]) order by id for no key update skip locked"
)
MARK = """
update contact k set last_message_at = greatest(k.last_message_at, w.said_at), last_inbound_at = greatest(k.last_inbound_at, w.heard_at)
from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) w (id, said_at, heard_at)
where k.id = w.id and (greatest(k.last_message_at, w.said_at) is distinct from k.last_message_at
  or greatest(k.last_inbound_at, w.heard_at) is distinct from k.last_inbound_at)
"""
HOLD_CUSTOMERS = "select id from customer where id = any($1::bigint[]) order by id for no key update skip locked"
THERE = "select id from customer where id = any($1::bigint[])"
TELL = """
update customer u set last_message_at = w.said_at, last_inbound_at = w.heard_at, seen_accounts = w.seen_accounts,
  seen_agents = w.seen_agents, accounts = w.accounts
from (
  select i.id, k.said_at, k.heard_at, seen_accounts, seen_agents, accounts
  from unnest($1::bigint[]) i (id)
  cross join lateral (
    select array_agg(k.id) as ids, max(k.last_message_at) as said_at, max(k.last_inbound_at) as heard_at
    from contact k where k.customer_id = i.id) k
  cross join lateral (
    select array(select distinct c.account_id from conversation c where c.contact_id = any(k.ids) order by 1) as seen_accounts,
      array(select distinct a from conversation c cross join lateral unnest(c.collaborators || c.assignee_id) a
        where c.contact_id = any(k.ids) and a is not null order by 1) as seen_agents) s
  cross join lateral (
    select array(select unnest(seen_accounts) union
      select l.account_id from contact_link l where l.contact_id = any(k.ids) and l.state in ('half', 'active') order by 1) as accounts
  ) l
) w
where u.id = w.id and (u.last_message_at, u.last_inbound_at, u.seen_accounts, u.seen_agents, u.accounts)
  is distinct from (w.said_at, w.heard_at, w.seen_accounts, w.seen_agents, w.accounts)
"""
# Nobody may miss what a customer says.
COME_BACK = """
update customer set deleted_at = null, deleted_by = null, version = version + 1, updated_at = $2
where id = any($1::bigint[]) and deleted_at is not null and last_inbound_at > deleted_at returning id
"""
AGAIN = """
insert into customer_stir (conversation_id, customer_id, said_at, heard_at)
select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
"""


class Folder:
    """Takes few at a time while few wait, so that nobody who is waited for meets a long statement, and more when there is much."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._at_once = FEW

    async def round(self) -> bool:
        more = await fold(self._services, self._at_once)
        self._at_once = min(self._at_once * 2, AT_ONCE) if more else FEW
        return more


async def fold(services: Services, at_once: int = AT_ONCE) -> bool:
    """One batch. True: more waits than one batch takes. (What comes meanwhile can wait: together it is less work.)"""
    async with services.work() as work:
        if not await work.tx.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
            return False
        taken = await work.tx.fetch(TAKE, at_once)
        if not taken:
            return False
        again = await _fold(work, taken)
        await _put_back(work, again)
    return bool(taken[0]["looked_at"] == at_once) and len(again) < max(len(taken) // 2, 1)


async def _fold(work: Work, taken: Sequence[Row]) -> list[tuple[Any, ...]]:
    """What could not be done now, as rows of ``customer_stir``."""
    again: list[tuple[Any, ...]] = []
    heard = [row for row in taken if row["conversation_id"] is not None]
    contacts = await work.tx.fetch(
        CONTACTS,
        [row["conversation_id"] for row in heard],
        [row["said_at"] for row in heard],
        [row["heard_at"] for row in heard],
    )
    held = {
        row["id"]: row["customer_id"]
        for row in await work.tx.fetch(HOLD_CONTACTS, [row["contact_id"] for row in contacts])
    }
    mine = [row for row in contacts if row["contact_id"] in held]
    again += [
        (row["conversations"][0], None, row["said_at"], row["heard_at"])
        for row in contacts
        if row["contact_id"] not in held
    ]
    await work.tx.execute(
        MARK,
        [row["contact_id"] for row in mine],
        [row["said_at"] for row in mine],
        [row["heard_at"] for row in mine],
    )
    customers = {*held.values(), *(row["customer_id"] for row in taken if row["customer_id"] is not None)}
    free = {row["id"] for row in await work.tx.fetch(HOLD_CUSTOMERS, sorted(customers))}
    busy = customers - free
    if busy:
        again += [(None, row["id"], None, None) for row in await work.tx.fetch(THERE, sorted(busy))]
    await work.tx.execute(TELL, sorted(free))
    back = await work.tx.fetch(COME_BACK, sorted(free), work.now)
    await tell(work, [Line(row["id"], "customer.restored", data={"wrote": True}) for row in back])
    return again


async def _put_back(work: Work, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await work.tx.execute(AGAIN, *[list(column) for column in zip(*rows, strict=True)])
