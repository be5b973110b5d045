"""The one way content leaves: what stood there goes, its SHA-256 stays, and the chat shows that and when something was removed. The number
in the chat stays too, so nothing else moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from audit.evidence import tombstones
from audit.retention import holds
from inbox import rows
from scrm.services import Work

Kind = Literal["message", "record", "media"]
Reason = Literal["retention", "erasure"]

DIGEST_MESSAGES = """
insert into removal (kind, object_id, digest, reason, agent_id, removed_at)
select 'message', m.id, sha256(convert_to(jsonb_build_object('conversation', m.conversation_id, 'seq', m.seq, 'direction', m.direction,
  'kind', m.kind, 'text', m.text, 'content', m.content, 'sender', m.sender_id, 'sent_at', extract(epoch from m.sent_at))::text, 'UTF8')),
  $2, $3, $4
from message m where m.id = any($1::bigint[]) and m.removed_at is null on conflict do nothing
"""
EMPTY_MESSAGES = """
update message m set text = '', content = '{}', removed_at = $3, removed_for = $4, version = w.version,
  sender_name = case when $4 = 'erasure' and m.direction = 'in' then '' else m.sender_name end,
  sender_id = case when $4 = 'erasure' and m.direction = 'in' then '' else m.sender_id end
from unnest($1::bigint[], $2::bigint[]) w (id, version) where m.id = w.id and m.removed_at is null
"""
WORDS_GONE = (
    "delete from message_text where message_id = any($1::bigint[])",
    "delete from audit_hit where message_id = any($1::bigint[])",
    "delete from payment_claim where message_id = any($1::bigint[])",
    "update payment set note = '' where message_id = any($1::bigint[]) and note <> ''",
    "delete from notification where message_id = any($1::bigint[])",
    "update alert set detail = '{}' where message_id = any($1::bigint[])",
    "delete from archive_media where attachment_id in (select id from attachment where message_id = any($1::bigint[]))",
)
FILES_OF = "select id from attachment where message_id = any($1::bigint[]) and sha256 is not null"
DIGEST_MEDIA = """
insert into removal (kind, object_id, digest, reason, agent_id, removed_at)
select 'media', t.id, decode(t.sha256, 'hex'), $2, $3, $4 from attachment t
where t.message_id = any($1::bigint[]) and t.sha256 is not null on conflict do nothing
"""
EMPTY_MEDIA = """
update attachment set state = 'expired', sha256 = null, name = case when $3 then '' else name end, handle = '{}', reason = $2
where message_id = any($1::bigint[]) and (state <> 'expired' or sha256 is not null or handle <> '{}')
"""
FILES_OF = "select id from attachment where message_id = any($1::bigint[]) and sha256 is not null"
RECORDS_OF = """
select r.id from archive_record r join message m on m.conversation_id = r.conversation_id and m.platform_message_id = r.message_id
join conversation c on c.id = m.conversation_id join account a on a.id = c.account_id and a.connection_id = r.connection_id
where m.id = any($1::bigint[])
"""
DIGEST_RECORDS = """
insert into removal (kind, object_id, digest, reason, agent_id, removed_at)
select 'record', r.id, sha256(convert_to(r.sealed_key || '.' || r.sealed_message, 'UTF8') || coalesce(r.record, '')), $2, $3, $4
from archive_record r where r.id = any($1::bigint[]) and (r.sealed_message <> '' or r.record is not null) on conflict do nothing
"""
EMPTY_RECORDS = """
update archive_record set sealed_key = '', sealed_message = '', record = null, state = 'done', reason = '', detail = '', retry_at = null
where id = any($1::bigint[])
"""
WHERE = "select id, conversation_id, seq from message where id = any($1::bigint[]) and removed_at is null order by id"


async def bury(work: Work, kind: Kind, ids: Sequence[int], reason: Reason, agent_id: int | None) -> int:
    """Of messages (with their files and archived records), records alone, or the files of messages alone. What is gone already stays
    as it is. The caller has left out what is held, after :func:`audit.retention.holds.removing`. Returns how many."""
    await holds.removing(work.tx)
    if kind == "record":
        return await _records(work, ids, reason, agent_id)
    found = await work.tx.fetch(WHERE, list(ids))
    places = await rows.lock(work, {row["conversation_id"] for row in found})
    # Again, under the lock: another process may have been faster.
    found = await work.tx.fetch(WHERE, list(ids))
    mine: list[int] = [row["id"] for row in found]
    if not mine:
        return 0
    versions = [places[row["conversation_id"]].next_version() for row in found]
    files = [row["id"] for row in await work.tx.fetch(FILES_OF, mine)]
    await tombstones.bury(work, "media", files, reason, agent_id)
    await work.tx.execute(DIGEST_MEDIA, mine, reason, agent_id, work.now)
    await work.tx.execute(EMPTY_MEDIA, mine, _said(reason), kind == "message")
    if kind == "media":
        await work.tx.execute(
            "update message m set version = w.version from unnest($1::bigint[], $2::bigint[]) w (id, version) where m.id = w.id",
            mine, versions,
        )  # fmt: skip
    else:
        await tombstones.bury(work, "message", mine, reason, agent_id)
        await work.tx.execute(DIGEST_MESSAGES, mine, reason, agent_id, work.now)
        records = [row["id"] for row in await work.tx.fetch(RECORDS_OF, mine)]
        await _records(work, records, reason, agent_id)
        await work.tx.execute(EMPTY_MESSAGES, mine, versions, work.now, reason)
        for statement in WORDS_GONE:
            await work.tx.execute(statement, mine)
        for row in found:
            conversation = places[row["conversation_id"]]
            if row["seq"] == conversation.last_seq:
                conversation.preview = ""
    await rows.save(work, places.values())
    return len(mine)


async def _records(work: Work, ids: Sequence[int], reason: Reason, agent_id: int | None) -> int:
    if not ids:
        return 0
    await tombstones.bury(work, "record", ids, reason, agent_id)
    await work.tx.execute(DIGEST_RECORDS, list(ids), reason, agent_id, work.now)
    await work.tx.execute(EMPTY_RECORDS, list(ids))
    return len(ids)


def _said(reason: Reason) -> dict[str, Any]:
    if reason == "erasure":
        return {"code": "removed", "zh": "应本人要求已删除", "en": "Removed at the person's request"}
    return {"code": "removed", "zh": "已按留存规则删除", "en": "Removed by a retention rule"}
