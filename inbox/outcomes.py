"""Recalls and late failures: what becomes of messages after they were said."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.rows import Conversation
from inbox.text import clean
from scrm.channel import MessageRecalled, SendFailed
from scrm.normalise import Item
from scrm.services import Work

RECALLED_PREVIEW = "[已撤回]"


async def recall_messages(work: Work, recalls: Sequence[tuple[Item, Conversation, MessageRecalled]]) -> None:
    """Marks and keeps. A recall that comes before its message waits for it in ``early_recall``."""
    if not recalls:
        return
    wanted = {(conversation.id, clean(event.message_id)): (conversation, event) for _, conversation, event in recalls}
    rows = await work.tx.fetch(
        "select m.id, m.conversation_id, m.platform_message_id, m.seq, m.recalled_at, not exists (select from message n "
        "where n.conversation_id = m.conversation_id and n.seq > m.seq and n.direction <> 'note') as last from message m "
        "join unnest($1::bigint[], $2::text[]) w (conversation_id, platform_message_id) "
        "using (conversation_id, platform_message_id)",
        [conversation_id for conversation_id, _ in wanted],
        [message_id for _, message_id in wanted],
    )
    marks = []
    for row in rows:
        conversation, event = wanted.pop((row["conversation_id"], row["platform_message_id"]))
        if row["recalled_at"] is None:
            marks.append((row["id"], event.at, event.by, conversation.next_version()))
            if row["last"]:
                conversation.preview = RECALLED_PREVIEW
    if marks:
        await work.tx.execute(
            "update message m set recalled_at = w.at, recalled_by = w.by, version = w.version "
            "from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bigint[]) w (id, at, by, version) where m.id = w.id",
            *[list(column) for column in zip(*marks, strict=True)],
        )
    if wanted:
        for conversation, _ in wanted.values():
            # Whoever looked at the conversation a moment ago without a lock finds that it is another (``inbox.shortest``).
            conversation.changed = True
        await work.tx.execute(
            "insert into early_recall (conversation_id, platform_message_id, recalled_at, recalled_by) "
            "select * from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[]) on conflict do nothing",
            [conversation_id for conversation_id, _ in wanted],
            [message_id for _, message_id in wanted],
            [event.at for _, event in wanted.values()],
            [event.by for _, event in wanted.values()],
        )


async def record_failures(work: Work, failures: Sequence[tuple[Item, Conversation, SendFailed]]) -> None:
    """The platform took a message and could not deliver it. Rare, so one statement each."""
    for _, conversation, event in failures:
        row_id = await work.tx.fetchval(
            "select id from message where conversation_id = $1 and platform_message_id = $2 and direction = 'out' "
            "and state <> 'failed'",
            conversation.id,
            clean(event.message_id),
        )
        if row_id is not None:
            await work.tx.execute(
                "update message set state = 'failed', reason = $2, version = $3 where id = $1",
                row_id,
                {"code": event.code, "zh": event.reason.zh, "en": event.reason.en},
                conversation.next_version(),
            )
