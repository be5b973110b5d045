"""Rows into views. One place for both the API and the socket, so that the same row always looks the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from inbox.views import (
    AttachmentView,
    ConversationView,
    EventView,
    GroupView,
    MessageView,
    PersonView,
    SenderView,
    SlaView,
    WindowView,
)
from scrm.channel import Capabilities
from scrm.masking import masked_content
from scrm.views import sentence_view

Row = Any
"""A row of the database, or what is written just now under the same names."""

CONVERSATION = """
  c.id, c.version, c.account_id, a.channel, a.team_id, c.contact_id, k.customer_id, k.external_id, k.name as contact_name,
  k.avatar, c.group_key, c.group_name, c.status, c.assignee_id, c.last_seq, c.unread, c.read_seq, c.waiting_since,
  c.last_message_at, c.preview, c.preview_kind, c.preview_direction, c.window_kind, c.window_opened_at,
  c.window_expires_at, c.window_quota, c.window_used, c.can_send, c.service_state, c.service_reason,
  c.collaborators, c.labels, c.assigned_at, c.transfer_to, c.snoozed_until, c.route_state, c.sla_policy_id, c.sla_kind,
  c.sla_due_at, c.sla_breached_at
"""
FROM_CONVERSATION = """
  conversation c join account a on a.id = c.account_id left join contact k on k.id = c.contact_id
"""
MESSAGE = """
  m.id, m.conversation_id, m.seq, m.version, m.direction, m.kind, m.text, m.content, m.state, m.reason, m.sender_kind,
  m.sender_agent_id, m.sender_id, m.sender_name, m.client_token, m.sent_at, m.created_at, m.recalled_at, m.recalled_by,
  m.removed_at, m.removed_for, m.platform_message_id is not null as known_there
"""
EVENT = "e.id, e.conversation_id, e.seq, e.version, e.at, e.kind, e.agent_id, e.data"
ATTACHMENT = "t.id, t.message_id, t.kind, t.state, t.name, t.mime, t.size, t.width, t.height, t.duration_ms, t.reason"


def conversation_view(row: Row) -> ConversationView:
    return ConversationView(
        id=row["id"],
        version=row["version"],
        account_id=row["account_id"],
        channel=row["channel"],
        contact=_person(row),
        group=GroupView(key=row["group_key"], name=row["group_name"]) if row["group_key"] else None,
        status=row["status"],
        assignee_id=row["assignee_id"],
        assigned_at=row["assigned_at"],
        collaborator_ids=row["collaborators"],
        transfer_to=row["transfer_to"],
        label_ids=row["labels"],
        snoozed_until=row["snoozed_until"],
        queued=row["route_state"] == "queued",
        sla=_sla(row),
        last_seq=row["last_seq"],
        unread=row["unread"],
        read_seq=row["read_seq"],
        waiting_since=row["waiting_since"],
        last_message_at=row["last_message_at"],
        preview=row["preview"],
        preview_kind=row["preview_kind"],
        preview_direction=row["preview_direction"],
        window=_window(row),
        can_send=row["can_send"],
        service_state=row["service_state"],
        service_reason=sentence_view(row["service_reason"], "service_state"),
    )


def _person(row: Row) -> PersonView | None:
    if row["contact_id"] is None:
        return None
    return PersonView(
        id=row["contact_id"],
        customer_id=row["customer_id"],
        external_id=row["external_id"],
        name=row["contact_name"],
        avatar=row["avatar"],
    )


def _window(row: Row) -> WindowView | None:
    if not row["window_kind"] or row["window_expires_at"] is None:
        return None
    return WindowView(
        kind=row["window_kind"],
        opened_at=row["window_opened_at"] or row["last_message_at"],
        expires_at=row["window_expires_at"],
        quota=row["window_quota"],
        used=row["window_used"],
    )


def _sla(row: Row) -> SlaView | None:
    if not row["sla_kind"] or row["sla_due_at"] is None or row["sla_policy_id"] is None:
        return None
    return SlaView(
        kind=row["sla_kind"],
        policy_id=row["sla_policy_id"],
        due_at=row["sla_due_at"],
        breached_at=row["sla_breached_at"],
    )


def event_view(row: Row) -> EventView:
    return EventView(
        id=row["id"],
        seq=row["seq"],
        version=row["version"],
        at=row["at"],
        kind=row["kind"],
        agent_id=row["agent_id"],
        data=row["data"],
    )


def attachment_view(row: Row) -> AttachmentView:
    return AttachmentView(
        id=row["id"],
        kind=row["kind"],
        state=row["state"],
        url=f"/api/attachments/{row['id']}/content",
        name=row["name"],
        mime=row["mime"],
        size=row["size"],
        width=row["width"],
        height=row["height"],
        duration_ms=row["duration_ms"],
        reason=sentence_view(row["reason"], "attachment"),
    )


def message_view(row: Row, attachments: Sequence[AttachmentView], able: Capabilities | None) -> MessageView:
    """With everything in it; see :func:`for_reader`."""
    return MessageView(
        id=row["id"],
        conversation_id=row["conversation_id"],
        seq=row["seq"],
        version=row["version"],
        direction=row["direction"],
        kind=row["kind"],
        text=row["text"],
        content=row["content"],
        attachments=list(attachments),
        state=row["state"],
        reason=sentence_view(row["reason"]),
        sender=SenderView(
            kind=row["sender_kind"], agent_id=row["sender_agent_id"], id=row["sender_id"], name=row["sender_name"]
        ),
        client_token=row["client_token"],
        sent_at=row["sent_at"],
        created_at=row["created_at"],
        recalled_at=row["recalled_at"],
        recalled_by=row["recalled_by"],
        removed_at=row["removed_at"],
        removed_for=row["removed_for"],
        recallable_until=_recallable_until(row, able.recall_within if able is not None else None),
    )


def _recallable_until(row: Row, within: timedelta | None) -> datetime | None:
    if within is None or row["state"] != "sent" or row["recalled_at"] is not None or not row["known_there"]:
        return None
    at: datetime = row["sent_at"]
    return at + within


def for_reader(view: MessageView, *, recalled: bool, phones: bool) -> MessageView:
    """As somebody sees it who may or may not read what was withdrawn, and phone numbers. The same object when nothing is hidden
    from them."""
    if not recalled:
        view = without_recalled(view)
    return view if phones else without_phones(view)


def without_phones(view: MessageView) -> MessageView:
    """For readers who may not see phone numbers: those in fields (of a lead card, say) are masked."""
    content = masked_content(view.content)
    return view if content is view.content else view.model_copy(update={"content": content})


def without_recalled(view: MessageView) -> MessageView:
    """For readers who may know that something was withdrawn, but not what."""
    if view.recalled_at is None:
        return view
    return view.model_copy(update={"text": "", "content": {}, "attachments": [], "reason": None})


def message_views(
    rows: Sequence[Row], attachments: Mapping[int, Sequence[AttachmentView]], ables: Mapping[int, Capabilities | None]
) -> list[MessageView]:
    """``ables``: what the channel can do, by conversation id."""
    return [message_view(row, attachments.get(row["id"], ()), ables.get(row["conversation_id"])) for row in rows]
