"""A rep answers. The message is a row first; it leaves from the outbox (``inbox.dispatch``).

The same ``client_token`` is the same message, however often it is sent: a second click, a retried request and a reload end in one
row. The window is checked and used under the conversation's lock, so two reps cannot both take the last message of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from inbox import windows
from inbox.rows import Conversation, lock_one, save
from inbox.text import clean, clean_json, preview
from scrm import outbox
from scrm.channel import Capabilities, Kind
from scrm.db import Row
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work

LONGEST_WAIT = timedelta(hours=24)
"""A message that could not leave for a day fails: later it would only confuse."""

MEDIA_KINDS = frozenset({Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.FILE})
PREVIEWS = {Kind.IMAGE: "[图片]", Kind.VOICE: "[语音]", Kind.VIDEO: "[视频]", Kind.FILE: "[文件]"}

CapabilitiesOf = Callable[[str], Capabilities | None]


class Draft(BaseModel):
    """What a rep wants to say. ``attachment_id`` names an uploaded file for image, voice, video and file."""

    model_config = ConfigDict(extra="forbid")

    client_token: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    kind: Kind = Kind.TEXT
    text: Annotated[str, Field(max_length=20_000)] = ""
    content: dict[str, Any] = Field(default_factory=dict)
    attachment_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


async def reply(
    work: Work, principal: Principal, conversation_id: int, draft: Draft, capabilities: CapabilitiesOf
) -> tuple[int, bool]:
    """Returns the message's id, and whether it is new.

    Raises :class:`NotFound`, :class:`Conflict` (``read_only``, ``cannot_send``, ``window_closed``, ``window_used_up``),
    :class:`Unprocessable` (``kind_not_supported``, ``too_long``, ``link_not_allowed``, ``invalid``).
    """
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    known = await work.tx.fetchval(
        "select id from message where conversation_id = $1 and client_token = $2", conversation_id, draft.client_token
    )
    if known is not None:
        return int(known), False
    account = await _account(work, conversation.account_id)
    able = capabilities(account["channel"])
    if able is None:
        raise Conflict("The adapter of this channel is not installed.", code="cannot_send")
    check_draft(draft, able)
    check_permitted(conversation, account, able, work.now)
    attachment = await _attachment(work, principal, draft, able)
    message_id = await _write(work, principal, conversation, draft, attachment)
    await _enqueue(work, conversation, account["connection_id"], message_id, able)
    _answered(conversation, principal, draft, attachment, work.now)
    await save(work, [conversation])
    return message_id, True


def check_draft(draft: Draft, able: Capabilities) -> None:
    """What the platform would refuse anyway is refused here, in words."""
    if able.sends and draft.kind not in able.sends:
        raise Unprocessable(
            f"{able.title.en} does not take messages of the kind {draft.kind}.", code="kind_not_supported"
        )
    if draft.kind == Kind.TEXT:
        if not draft.text.strip():
            raise Unprocessable("Write something first.", fields={"text": "It is empty."})
        size = len(draft.text.encode()) if able.text_limit_unit == "bytes" else len(draft.text)
        if size > able.text_limit:
            raise Unprocessable(
                f"The text has {size} {able.text_limit_unit}; {able.title.en} takes {able.text_limit}.", code="too_long"
            )
        if not able.links_allowed and ("http://" in draft.text.lower() or "https://" in draft.text.lower()):
            raise Unprocessable(f"{able.title.en} refuses texts with links.", code="link_not_allowed")
    if draft.kind in MEDIA_KINDS and draft.attachment_id is None:
        raise Unprocessable("Upload the file first.", fields={"attachment_id": "It is needed for this kind."})


def check_permitted(conversation: Conversation, account: Row, able: Capabilities, now: datetime) -> None:
    """Raises :class:`Conflict` when nobody may write to this customer from here now."""
    if not able.sends:
        reason = able.read_only_reason
        raise Conflict(reason.en if reason else "Nobody can answer from here.", code="read_only")
    if account["disabled_at"] is not None:
        raise Conflict("This account is switched off.", code="cannot_send")
    if not conversation.can_send:
        reason_row = conversation.service_reason or {}
        raise Conflict(reason_row.get("en", "The platform does not allow answers from here now."), code="cannot_send")
    if able.window is None or windows.is_open(conversation, now):
        return
    if conversation.window_expires_at is not None and now < conversation.window_expires_at:
        raise Conflict(
            f"All {conversation.window_quota} messages of this window are used; wait until the customer writes again.",
            code="window_used_up",
        )
    raise Conflict("The reply window is closed; the customer has to write first.", code="window_closed")


async def _account(work: Work, account_id: int) -> Row:
    row = await work.tx.fetchrow(
        "select id, connection_id, channel, disabled_at from account where id = $1", account_id
    )
    if row is None:
        raise NotFound("There is no such account.")
    return row


async def _attachment(work: Work, principal: Principal, draft: Draft, able: Capabilities) -> Row | None:
    if draft.kind not in MEDIA_KINDS:
        return None
    row = await work.tx.fetchrow(
        "select id, name, mime, size from attachment where id = $1 and uploaded_by = $2 and message_id is null "
        "and state = 'stored' for update",
        draft.attachment_id,
        principal.agent_id,
    )
    if row is None:
        raise Unprocessable(
            "This upload does not exist or was sent already.", fields={"attachment_id": "Upload it again."}
        )
    limit = able.media.get(draft.kind)
    if limit is not None and row["size"] > limit.max_bytes:
        raise Unprocessable(
            f"{able.title.en} takes at most {limit.max_bytes // 1024 // 1024} MB here.", code="too_long"
        )
    if limit is not None and limit.mime_types and row["mime"] not in limit.mime_types:
        raise Unprocessable(
            f"{able.title.en} takes {', '.join(limit.mime_types)}, not {row['mime']}.", code="kind_not_supported"
        )
    return row


async def _write(
    work: Work, principal: Principal, conversation: Conversation, draft: Draft, attachment: Row | None
) -> int:
    message_id = await work.tx.fetchval(
        "insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, "
        "sender_agent_id, sender_name, client_token, sent_at, created_at) "
        "values ($1, $2, $3, 'out', $4, $5, $6, 'queued', 'agent', $7, $8, $9, $10, $10) returning id",
        conversation.id,
        conversation.next_seq(),
        conversation.next_version(),
        str(draft.kind),
        clean(draft.text) or _placeholder(draft, attachment),
        clean_json(draft.content),
        principal.agent_id,
        principal.name,
        draft.client_token,
        work.now,
    )
    if attachment is not None:
        await work.tx.execute(
            "update attachment set message_id = $2, kind = $3 where id = $1",
            attachment["id"],
            message_id,
            str(draft.kind),
        )
    return int(message_id)


def _placeholder(draft: Draft, attachment: Row | None) -> str:
    if draft.kind == Kind.FILE and attachment is not None:
        return f"[文件] {attachment['name']}"
    return PREVIEWS.get(draft.kind, f"[{draft.kind}]")


async def _enqueue(
    work: Work, conversation: Conversation, connection_id: int, message_id: int, able: Capabilities
) -> None:
    expires_at = conversation.window_expires_at if able.window is not None else None
    await outbox.put(
        work,
        message_id=message_id,
        conversation_id=conversation.id,
        connection_id=connection_id,
        give_up_at=min(expires_at or work.now + LONGEST_WAIT, work.now + LONGEST_WAIT),
        payload={
            "window_kind": conversation.window_kind if able.window is not None else "",
            "window_key": conversation.window_key if able.window is not None else {},
            "window_expires_at": expires_at.isoformat() if expires_at else None,
        },
    )


def _answered(
    conversation: Conversation, principal: Principal, draft: Draft, attachment: Row | None, now: datetime
) -> None:
    """An answer reads what came before, ends the waiting, takes an unassigned conversation and opens a closed one."""
    if conversation.window_expires_at is not None:
        windows.use(conversation)
    conversation.unread = 0
    conversation.read_seq = conversation.last_seq
    conversation.waiting_since = None
    conversation.last_message_at = max(conversation.last_message_at, now)
    conversation.preview = preview(clean(draft.text) or _placeholder(draft, attachment))
    conversation.preview_kind = str(draft.kind)
    conversation.preview_direction = "out"
    if conversation.assignee_id is None:
        conversation.assignee_id = principal.agent_id
    if conversation.status == "closed":
        conversation.status = "open"
        conversation.closed_at = None
