"""What there is of one person: their customer with everybody merged into it, and the messages that are theirs."""

from __future__ import annotations

# ruff: noqa: S608 - made of constants
from audit.retention.holds import ACTIVE, HELD
from scrm.db import Tx

WHOLE = """
with recursive whole as (
  select id from customer where id = $1 union select c.id from customer c join whole w on c.merged_into = w.id
) select array_agg(id) from whole
"""
MINE = """
(k.customer_id = any($1::bigint[]) or (c.group_key <> '' and m.direction = 'in' and exists (select from contact x
  where x.customer_id = any($1::bigint[]) and x.connection_id = a.connection_id and x.external_id = m.sender_id)))
"""
# By way of the person's chats and groups, so that no other message is looked at.
PLACES = """
select c.id from contact k join conversation c on c.contact_id = k.id where k.customer_id = any($1::bigint[])
union select c.id from contact k join group_member p on p.contact_id = k.id join group_chat g on g.id = p.group_chat_id
  join account a on a.connection_id = g.connection_id join conversation c on c.account_id = a.id and c.group_key = g.external_id
  where k.customer_id = any($1::bigint[])
"""
FROM = f"""
message m join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
where m.conversation_id in ({PLACES}) and {MINE}
"""
OPEN = f"""
select m.id from {FROM} and m.removed_at is null and m.state not in ('queued', 'sending') and not ({HELD}) order by m.id limit $2
"""
COUNT = f"""
select count(*) as messages, count(*) filter (where removed_at is not null) as gone, count(*) filter (where held and removed_at is null) as held,
  coalesce(sum(files), 0)::bigint as files, coalesce(sum(files) filter (where held and removed_at is null), 0)::bigint as held_files,
  coalesce(sum(records), 0)::bigint as records, coalesce(sum(records) filter (where held and removed_at is null), 0)::bigint as held_records
from (select m.removed_at, ({HELD}) as held, (select count(*) from attachment t where t.message_id = m.id and t.sha256 is not null) as files,
  (select count(*) from archive_record r where r.conversation_id = m.conversation_id and r.message_id = m.platform_message_id
    and (r.record is not null or r.sealed_message <> '')) as records
  from {FROM}) x
"""
PROFILE = {
    "contacts": "select count(*) from contact where customer_id = any($1::bigint[])",
    "phones": "select count(*) from phone_number where customer_id = any($1::bigint[])",
    "follow_ups": "select count(*) from follow_up where customer_id = any($1::bigint[])",
    "tasks": "select count(*) from task where customer_id = any($1::bigint[])",
    "story": "select count(*) from timeline where customer_id = any($1::bigint[])",
    "customer_files": "select count(*) from customer_file where customer_id = any($1::bigint[])",
}
TRAIL = """
select count(*) from audit_event where (object_kind = 'customer' and object_id = any($1::bigint[]))
  or (object_kind = 'conversation' and object_id in (select c.id from contact k join conversation c on c.contact_id = k.id
    where k.customer_id = any($1::bigint[])))
"""
CUSTOMER_HELD = f"""
select exists (select from legal_hold h where {ACTIVE} and h.kind = 'customer' and h.customer_id = any($1::bigint[]))
"""


async def whole_person(tx: Tx, customer_id: int) -> list[int]:
    return list(await tx.fetchval(WHOLE, customer_id) or [])


async def counted(tx: Tx, whole: list[int]) -> dict[str, int]:
    """Numbers of what there is: of messages, files and records also how many are held."""
    row = await tx.fetchrow(COUNT, whole)
    assert row is not None
    found = dict(row)
    for name, sql in PROFILE.items():
        found[name] = int(await tx.fetchval(sql, whole))
    found["trail"] = int(await tx.fetchval(TRAIL, whole))
    found["profile_held"] = int(await tx.fetchval(CUSTOMER_HELD, whole))
    return found
