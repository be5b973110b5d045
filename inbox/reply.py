"""A rep answers. The message is a row first; it leaves from the outbox (``inbox.dispatch``).

The same ``client_token`` is the same answer, however often it is sent: a second click, a retried request and a reload end in one
row. The window is checked and used under the conversation's lock, so two reps cannot both take the last message of it. Several
pieces (:class:`Stack`) are written in one unit of work, each with a token derived from the stack's: all of them or none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inbox import turns, windows
from inbox.assign import give
from inbox.collision import SeenSeq, check_unanswered
from inbox.library.uses import count_uses
from inbox.parts import CARD_KINDS, MEDIA_KINDS, Piece, StoredFile, StoredPart, resolve
from inbox.rows import Conversation, lock_one, save
from inbox.status import reopen_one
from inbox.text import preview
from inbox.variables import filled_or_refused, values_of
from scrm import outbox
from scrm.channel import Capabilities, Kind, Sentence
from scrm.db import Row
from scrm.errors import Conflict, NotFound, Unprocessable
from scrm.permissions import Principal
from scrm.services import Work
from scrm.variables import names_in
from scrm.views import Id

ANSWERED = Sentence("首个回复的人", "Was the first to answer")
LONGEST_WAIT = timedelta(hours=24)
"""A message that could not leave for a day fails: later it would only confuse."""
MOST_PARTS = 12

PREVIEWS = {Kind.IMAGE: "[图片]", Kind.VOICE: "[语音]", Kind.VIDEO: "[视频]", Kind.FILE: "[文件]"}
CARDS = {Kind.LINK: "[链接]", Kind.MINIPROGRAM: "[小程序]"}

CapabilitiesOf = Callable[[str], Capabilities | None]
Token = Annotated[str, Field(min_length=8, max_length=60, pattern=r"^[A-Za-z0-9_-]+$")]


class Draft(Piece):
    """What a rep wants to say: one piece. ``quick_reply_id``: where its words come from, for the count of uses."""

    client_token: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    quick_reply_id: Id | None = None
    seen_seq: SeenSeq = None


class Stack(BaseModel):
    """Several pieces, sent in order. Piece n has the token ``{client_token}-{n}``."""

    model_config = ConfigDict(extra="forbid")

    client_token: Token
    parts: Annotated[list[Piece], Field(min_length=1, max_length=MOST_PARTS)]
    quick_reply_id: Id | None = None
    seen_seq: SeenSeq = None


async def reply(
    work: Work, principal: Principal, conversation_id: int, draft: Draft, capabilities: CapabilitiesOf
) -> tuple[int, bool]:
    """Returns the message's id, and whether it is new.

    Raises :class:`NotFound`, :class:`Conflict` (``answered_meanwhile``, ``read_only``, ``cannot_send``, ``window_closed``,
    ``window_used_up``), :class:`Unprocessable` (``kind_not_supported``, ``too_long``, ``link_not_allowed``, ``value_missing``, ``invalid``).
    """
    conversation = await _locked(work, conversation_id)
    known = await _known(work, conversation_id, [draft.client_token])
    if known:
        return known[0], False
    await check_unanswered(work, principal, conversation, draft.seen_seq)
    able = await able_to(work, conversation, capabilities)
    stored = await resolve(work, principal, draft)
    ids = await write_answers(work, principal, conversation, able, [(draft.client_token, stored)])
    await count_uses(work, principal, quick_reply_id=draft.quick_reply_id, parts=[stored])
    await save(work, [conversation])
    return ids[0], True


async def reply_stack(
    work: Work, principal: Principal, conversation_id: int, stack: Stack, capabilities: CapabilitiesOf
) -> tuple[list[int], bool]:
    """The same for several pieces: their messages' ids in order, and whether they are new. Raises as :func:`reply`."""
    conversation = await _locked(work, conversation_id)
    tokens = part_tokens(stack.client_token, len(stack.parts))
    known = await _known(work, conversation_id, tokens)
    if known:
        return known, False
    await check_unanswered(work, principal, conversation, stack.seen_seq)
    able = await able_to(work, conversation, capabilities)
    stored = [await resolve(work, principal, part) for part in stack.parts]
    ids = await write_answers(work, principal, conversation, able, list(zip(tokens, stored, strict=True)))
    await count_uses(work, principal, quick_reply_id=stack.quick_reply_id, parts=stored)
    await save(work, [conversation])
    return ids, True


def part_tokens(client_token: str, count: int) -> list[str]:
    return [f"{client_token}-{n}" for n in range(count)]


async def able_to(work: Work, conversation: Conversation, capabilities: CapabilitiesOf) -> tuple[Row, Capabilities]:
    """The account of a conversation and what its channel can do. Raises :class:`Conflict`, :class:`NotFound`."""
    account = await _account(work, conversation.account_id)
    able = capabilities(account["channel"])
    if able is None:
        raise Conflict("The adapter of this channel is not installed.", code="cannot_send")
    return account, able


async def write_answers(
    work: Work,
    principal: Principal,
    conversation: Conversation,
    where: tuple[Row, Capabilities],
    pieces: Sequence[tuple[str, StoredPart]],
) -> list[int]:
    """Writes the messages of a locked conversation and puts them into the outbox, in order; the caller saves the conversation.
    An answer takes what is nobody's and opens what is closed.

    Each piece comes with its ``client_token``. Raises :class:`Conflict` and :class:`Unprocessable` before the first one is
    written that cannot be; the caller's unit of work undoes those before it.
    """
    account, able = where
    filled = await _filled(work, principal, conversation.id, [part for _, part in pieces])
    made = []
    for (token, _), part in zip(pieces, filled, strict=True):
        check_part(part, able)
        check_permitted(conversation, account, able, work.now)
        message_id = await _write(work, principal, conversation, token, part)
        await _enqueue(work, conversation, account["connection_id"], message_id, able)
        _answered(conversation, part, work.now)
        made.append(message_id)
    if conversation.assignee_id is None:
        await give(work, conversation, principal.agent_id, by=principal.agent_id, why=ANSWERED)
    if conversation.status == "closed":
        await reopen_one(work, conversation, by=principal.agent_id)
    await turns.agent_answered(work, conversation, principal.agent_id)
    return made


def check_draft(draft: Piece, able: Capabilities) -> None:
    """What the platform would refuse anyway is refused here, in words; files are looked at when they are found."""
    _check_kind(draft.kind, able)
    _check_text(draft.kind, draft.text, able)
    if draft.kind in MEDIA_KINDS and not draft.names_file:
        raise Unprocessable("Upload the file first.", fields={"attachment_id": "It is needed for this kind."})


def check_part(part: StoredPart, able: Capabilities) -> None:
    """The same for a piece whose file is known."""
    _check_kind(part.kind, able)
    _check_text(part.kind, part.text, able)
    if part.kind in MEDIA_KINDS:
        if part.file is None:
            raise Unprocessable("Upload the file first.", fields={"attachment_id": "It is needed for this kind."})
        _check_file(part.kind, part.file, able)
    if part.kind in CARD_KINDS and not str(part.content.get("title", "")).strip():
        raise Unprocessable("A card needs a title.", fields={"content": "Its title is missing."})


def _check_kind(kind: Kind, able: Capabilities) -> None:
    if able.sends and kind not in able.sends:
        raise Unprocessable(f"{able.title.en} does not take messages of the kind {kind}.", code="kind_not_supported")


def _check_text(kind: Kind, text: str, able: Capabilities) -> None:
    if kind != Kind.TEXT:
        return
    if not text.strip():
        raise Unprocessable("Write something first.", fields={"text": "It is empty."})
    size = len(text.encode()) if able.text_limit_unit == "bytes" else len(text)
    if size > able.text_limit:
        raise Unprocessable(
            f"The text has {size} {able.text_limit_unit}; {able.title.en} takes {able.text_limit}.", code="too_long"
        )
    if not able.links_allowed and ("http://" in text.lower() or "https://" in text.lower()):
        raise Unprocessable(f"{able.title.en} refuses texts with links.", code="link_not_allowed")


def _check_file(kind: Kind, file: StoredFile, able: Capabilities) -> None:
    limit = able.media.get(kind)
    if limit is not None and file.size > limit.max_bytes:
        raise Unprocessable(
            f"{able.title.en} takes at most {limit.max_bytes // 1024 // 1024} MB here.", code="too_long"
        )
    if limit is not None and limit.mime_types and file.mime not in limit.mime_types:
        raise Unprocessable(
            f"{able.title.en} takes {', '.join(limit.mime_types)}, not {file.mime}.", code="kind_not_supported"
        )


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


async def _locked(work: Work, conversation_id: int) -> Conversation:
    conversation = await lock_one(work, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


async def _known(work: Work, conversation_id: int, tokens: Sequence[str]) -> list[int]:
    rows = await work.tx.fetch(
        "select id from message where conversation_id = $1 and client_token = any($2::text[]) order by seq",
        conversation_id,
        list(tokens),
    )
    return [row["id"] for row in rows]


async def _account(work: Work, account_id: int) -> Row:
    row = await work.tx.fetchrow(
        "select id, connection_id, channel, disabled_at from account where id = $1", account_id
    )
    if row is None:
        raise NotFound("There is no such account.")
    return row


async def _filled(
    work: Work, principal: Principal, conversation_id: int, parts: Sequence[StoredPart]
) -> list[StoredPart]:
    """With the values of this conversation in place of names. Raises :class:`Unprocessable` where one is missing."""
    if not any(names_in(part.text) for part in parts):
        return list(parts)
    values = await values_of(work.tx, principal, conversation_id, work.now)
    return [part.with_text(filled_or_refused(part.text, values)) for part in parts]


async def _write(work: Work, principal: Principal, conversation: Conversation, token: str, part: StoredPart) -> int:
    message_id = await work.tx.fetchval(
        "insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, "
        "sender_agent_id, sender_name, client_token, sent_at, created_at) "
        "values ($1, $2, $3, 'out', $4, $5, $6, 'queued', 'agent', $7, $8, $9, $10, $10) returning id",
        conversation.id,
        conversation.next_seq(),
        conversation.next_version(),
        str(part.kind),
        part.text or placeholder(part),
        part.content,
        principal.agent_id,
        principal.name,
        token,
        work.now,
    )
    if part.file is not None:
        await _attach(work, principal, int(message_id), part.kind, part.file)
    return int(message_id)


async def _attach(work: Work, principal: Principal, message_id: int, kind: Kind, file: StoredFile) -> None:
    """An upload becomes the message's; the file of something kept is named once more."""
    as_kind = str(kind) if kind in MEDIA_KINDS else "image"
    if file.attachment_id is not None:
        await work.tx.execute(
            "update attachment set message_id = $2, kind = $3 where id = $1", file.attachment_id, message_id, as_kind
        )
        return
    await work.tx.execute(
        "insert into attachment (message_id, kind, state, sha256, name, mime, size, width, height, uploaded_by, created_at) "
        "values ($1, $2, 'stored', $3, $4, $5, $6, $7, $8, $9, $10)",
        message_id, as_kind, file.sha256, file.name, file.mime, file.size, file.width, file.height, principal.agent_id,
        work.now,
    )  # fmt: skip


def placeholder(part: StoredPart) -> str:
    """What stands for a message without words."""
    if part.kind == Kind.FILE and part.file is not None:
        return f"[文件] {part.file.name}"
    if part.kind in CARDS:
        return f"{CARDS[part.kind]} {part.content.get('title', '')}".strip()
    return PREVIEWS.get(part.kind, f"[{part.kind}]")


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


def _answered(conversation: Conversation, part: StoredPart, now: datetime) -> None:
    """An answer reads what came before. That it ends the waiting is told to ``inbox.turns``."""
    if conversation.window_expires_at is not None:
        windows.use(conversation)
    conversation.unread = 0
    conversation.read_seq = conversation.last_seq
    conversation.last_message_at = max(conversation.last_message_at, now)
    conversation.preview = preview(part.text or placeholder(part))
    conversation.preview_kind = str(part.kind)
    conversation.preview_direction = "out"
