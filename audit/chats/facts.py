"""What is known about a chat: whose it is, since when, who agreed to the archive, who is gone."""

from __future__ import annotations

from audit.archive.relations import endings
from audit.chats.shapes import AuditChat, ChatAlert, ChatConsent, ChatEmployee, ChatMember
from inbox.queries import conversation_row
from inbox.shapes import conversation_view
from scrm.db import Tx
from scrm.permissions import Scope

MOST_MEMBERS = 500

FIRST = "select sent_at from message where conversation_id = $1 order by seq limit 1"
EMPLOYEE = """
select a.id as account_id, a.name, d.left_at, s.read_at is not null as listed, p.since as permitted_since
from account a left join archive_people s on s.connection_id = a.connection_id and s.channel = a.channel
left join archive_permit p on p.connection_id = a.connection_id and p.external_id = a.external_id and p.until is null
left join directory_member d on d.connection_id = a.connection_id and d.external_id = a.external_id
where a.id = $1
"""
CONSENT = """
select state, changed_at, asked_at from archive_consent where account_id = $1 and contact_id = $2 and state <> ''
"""
MEMBERS = """
select coalesce(nullif(m.name, ''), k.name, e.name, m.external_id) as name, m.kind, m.joined_at, m.left_at, r.state as consent
from group_chat g join group_member m on m.group_chat_id = g.id join account a on a.connection_id = g.connection_id and a.id = $1
left join contact k on k.id = m.contact_id
left join account e on e.connection_id = g.connection_id and e.channel = a.channel and e.external_id = m.external_id
left join archive_room_consent r on r.connection_id = g.connection_id and r.group_key = g.external_id and r.external_id = m.external_id
where g.external_id = $2 order by m.left_at is not null, m.kind desc, m.joined_at, m.id limit $3
"""
ALERTS = """
select l.id, l.message_id, m.seq, l.title, l.severity, l.state, l.assignee_id from alert l join message m on m.id = l.message_id
where l.conversation_id = $1 and l.state <> 'dismissed' order by l.id desc limit 300
"""


async def chat_facts(tx: Tx, scope: Scope, conversation_id: int) -> AuditChat:
    """Raises :class:`NotFound` as :func:`conversation_row` does."""
    row = await conversation_row(tx, scope, conversation_id)
    employee = await tx.fetchrow(EMPLOYEE, row["account_id"])
    assert employee is not None
    consent = await tx.fetchrow(CONSENT, row["account_id"], row["contact_id"]) if not row["group_key"] else None
    members = await tx.fetch(MEMBERS, row["account_id"], row["group_key"], MOST_MEMBERS) if row["group_key"] else []
    return AuditChat(
        conversation=conversation_view(row),
        messages=row["last_seq"],
        first_at=await tx.fetchval(FIRST, conversation_id),
        ended=(await endings(tx, [conversation_id])).get(conversation_id),
        employee=ChatEmployee(
            account_id=employee["account_id"],
            name=employee["name"],
            permitted=employee["permitted_since"] is not None if employee["listed"] else None,
            permitted_since=employee["permitted_since"],
            left_at=employee["left_at"],
        ),
        consent=ChatConsent(**consent) if consent is not None else None,
        members=[ChatMember(**one) for one in members],
        alerts=[ChatAlert(**one) for one in await tx.fetch(ALERTS, conversation_id)],
    )
