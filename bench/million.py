"""Databases of a chosen number of conversations, made by a few set-based statements."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

ACCOUNTS = 20
AGENTS = 50
TEAMS = 5
MESSAGES = 5
"""Of an ordinary conversation."""
LONG_THREADS = 20
LONG = 2000
"""Messages of a long thread, so that its middle is far from both ends."""

PEOPLE = f"""
insert into team (name) select 'team ' || n from generate_series(1, {TEAMS}) n;
insert into agent (login, name, role, password_hash) select 'agent' || n, '坐席' || n, 'rep', '' from generate_series(1, {AGENTS}) n;
insert into team_member (team_id, agent_id) select 1 + (id % {TEAMS}), id from agent where role = 'rep';
insert into connection (provider, key, name, secrets) values ('bench', 'benchbench', '压测', '');
insert into account (connection_id, channel, external_id, name, team_id)
  select 1, 'wecom_kf', 'kf' || n, '客服' || n, 1 + (n % {TEAMS}) from generate_series(1, {ACCOUNTS}) n;
"""
# Both databases fill a page of whatever is listed: what is compared is the cost of the same answer. A rare label stands on twenty,
# a window of some six hundred is still open.
# Spread by multiplying with large primes, so that neither accounts nor states follow the order of the ids.
CONVERSATIONS = """
insert into customer (name) select '客户' || n || '号' from generate_series(1, $1) n;
insert into contact (connection_id, external_id, customer_id, name)
  select 1, 'wm' || n, n, '客户' || n || '号' from generate_series(1, $1) n;
insert into conversation (account_id, contact_id, status, assignee_id, last_seq, version, unread, read_seq, waiting_since,
  last_message_at, preview, preview_kind, preview_direction, closed_at, created_at, labels, collaborators, window_expires_at,
  sla_due_at, sla_breached_at)
select 1 + n % 20, n, status, case when h % 10 < 7 then 1 + (h / 10) % 50 end, 5, 5,
  case when status = 'open' and h % 6 = 0 then 1 + h % 3 else 0 end, 3,
  case when status = 'open' and h % 12 = 0 then at end, at, '好的，那我周末过来看看，谢谢', 'text',
  case when h % 2 = 0 then 'in' else 'out' end, case when status = 'closed' then at end, at - interval '1 day',
  array_remove(array[case when n % ($1 / 20) = 7 then 1 end, case when h % 5 = 0 then 2 end], null)::bigint[],
  case when h % 2000 = 7 then array[1 + (h / 10) % 50]::bigint[] else '{}' end,
  case when status <> 'closed' then case when n % greatest($1 / 2000, 1) = 0 then timestamptz '2026-11-20' + interval '1 minute' * (1 + h % 2880)
    else least(at + interval '2 days', timestamptz '2026-11-19 23:00') end end, case when status = 'open' and h % 12 = 0 then at + interval '1 hour' end,
  case when status = 'open' and h % 48 = 0 then at + interval '1 hour' end
from (
  select n, h, case when h % 100 < 30 then 'open' when h % 100 < 31 then 'snoozed' else 'closed' end as status,
    timestamptz '2026-11-20' - interval '1 second' * (h % 63072000) as at
  from (select n, (n * 2654435761) % 4294967291 as h from generate_series(1::bigint, $1) n) x
) y;
"""
MESSAGE_ROWS = """
insert into message (conversation_id, seq, version, direction, kind, text, state, sender_kind, sender_id, platform_message_id,
  sent_at, created_at)
select c.id, s, s, case when s % 2 = 1 then 'in' else 'out' end, 'text',
  '这款' || (array['沙发', '台灯', '茶几', '床垫'])[1 + (c.id * 7 + s) % 4] || '还有现货吗，多久能送到' || ((c.id * 31 + s) % 5000) || '号？第' || s || '句',
  case when s % 2 = 1 then 'received' else 'sent' end, case when s % 2 = 1 then 'customer' else 'agent' end, 'wm' || c.id,
  'msg-' || c.id || '-' || s, c.last_message_at - interval '1 minute' * (c.last_seq - s),
  c.last_message_at - interval '1 minute' * (c.last_seq - s)
from conversation c cross join lateral generate_series(1, c.last_seq) s order by c.id, s
"""
STORY = """
insert into timeline (customer_id, at, kind, agent_id, object_kind, data)
select c.id, timestamptz '2026-11-20' - interval '1 hour' * s, (array['tag.added', 'owner.changed', 'follow_up.noted', 'stage.changed'])[1 + s % 4],
  1 + s % 50, '', '{}' from customer c cross join lateral generate_series(1, case when c.id = any($1::bigint[]) then $2 else 2 end) s
"""
"""What happened with customers: a little with each, much with those of the long threads."""
LENGTHEN = "update conversation set last_seq = $2, version = $2 where id = any($1::bigint[])"
TEXTS = """
update message set text = text || ' 罕见词汇' where id in (select max(id) * k / 10 from message, generate_series(1, 9) k group by k);
insert into message_text (message_id, conversation_id, words)
  select id, conversation_id, search_fold(text) from message where text <> '';
"""
"""What triggers would have written, with a rare word in a few of them."""
SECONDARY = """
select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made
from pg_index i where i.indrelid in ('message'::regclass, 'message_text'::regclass) and not exists (
  select from pg_constraint c where c.conindid = i.indexrelid)
"""


@dataclass(frozen=True)
class Threads:
    """Where to read."""

    ordinary: list[int]
    long: list[int]


async def fill(url: str, conversations: int) -> Threads:
    """Fills an empty, migrated database. Its statistics are fresh and its counts are folded."""
    db = await asyncpg.connect(url)
    try:
        # What is measured is reading: while the rows are made, a crash may undo them.
        await db.execute("set synchronous_commit = off; set maintenance_work_mem = '512MB'")
        await db.execute(PEOPLE)
        for statement in CONVERSATIONS.replace("$1", str(conversations)).split(";\n"):
            if statement.strip():
                await db.execute(statement)
        step = conversations // LONG_THREADS
        long = [1 + n * step for n in range(LONG_THREADS)]
        await db.execute(LENGTHEN, long, LONG)
        await _messages(db)
        await db.execute("set session_replication_role = replica")
        await db.execute(STORY, long, LONG)
        await db.execute("set session_replication_role = origin")
        await db.execute("vacuum analyze")
        # What the building left to be written would be written while others are measured.
        await db.execute("checkpoint")
        ordinary = [2 + n * (conversations // 200) for n in range(199)]
        return Threads(ordinary, long)
    finally:
        await db.close()


async def _messages(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """Every row refers to a conversation that it was made from: the check of that is left out, and indexes are made at the end."""
    indexes = await db.fetch(SECONDARY)
    for index in indexes:
        await db.execute(f"drop index {index['name']}")
    await db.execute("set session_replication_role = replica")
    await db.execute(MESSAGE_ROWS)
    await db.execute(TEXTS)
    await db.execute("set session_replication_role = origin")
    for index in indexes:
        await db.execute(index["made"])
