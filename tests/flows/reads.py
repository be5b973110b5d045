"""What tests look up, and the invariants that must hold whatever happened."""

from __future__ import annotations

from typing import Any

from scrm.db import Database, Row
from tests.company import Company


async def conversation_of(company: Company, external_id: str) -> Row | None:
    return await company.services.db.fetchrow(
        "select v.* from conversation v join contact c on c.id = v.contact_id where c.external_id = $1", external_id
    )


async def messages_of(company: Company, external_id: str) -> list[Row]:
    return await company.services.db.fetch(
        "select m.* from message m join conversation v on v.id = m.conversation_id "
        "join contact c on c.id = v.contact_id where c.external_id = $1 order by m.seq",
        external_id,
    )


async def texts_of(company: Company, external_id: str) -> list[str]:
    return [row["text"] for row in await messages_of(company, external_id)]


async def broken_invariants(db: Database) -> list[Any]:
    """Rows that contradict the rules; empty when all is well."""
    gaps = await db.fetch(
        "select 'seq has gaps' as rule, v.id from conversation v left join lateral (select count(*) n, coalesce(max(seq), 0) top, "
        "coalesce(max(version), 0) version from message m where m.conversation_id = v.id) m on true "
        "where m.n <> v.last_seq or m.top <> v.last_seq or m.version > v.version"
    )
    unread = await db.fetch(
        "select 'unread is wrong' as rule, v.id, v.unread from conversation v where v.unread <> (select count(*) from message m "
        "where m.conversation_id = v.id and m.seq > v.read_seq and m.direction = 'in')"
    )
    twice = await db.fetch(
        "select 'message twice' as rule, conversation_id, platform_message_id from message "
        "where platform_message_id is not null group by 2, 3 having count(*) > 1"
    )
    tally = await db.fetch(
        "with really as (select account_id, assignee_id, status, unread > 0 as unread, waiting_since is not null as waiting, "
        "count(*) as n from conversation group by 1, 2, 3, 4, 5), told as (select account_id, assignee_id, status, unread, "
        "waiting, sum(n) as n from conversation_tally group by 1, 2, 3, 4, 5 having sum(n) <> 0) "
        "select 'tally is wrong' as rule, * from ((table really except table told) union all (table told except table really)) d"
    )
    orphans = await db.fetch(
        "select 'message in flight without outbox' as rule, m.id, m.state from message m where m.state in ('queued', 'sending') "
        "and not exists (select from outbox o where o.message_id = m.id)"
    )
    return [dict(row) for rows in (gaps, unread, twice, tally, orphans) for row in rows]
