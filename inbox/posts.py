"""One thing said in many conversations: the messages of a post, written and queued for all of them in a handful of statements.

They are messages of a bot: they answer nobody, take no conversation from anybody, open none that is closed. Whether each may be written to is
decided here, under the lock of the conversation, as it is for a rep's answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inbox import variables, windows
from inbox.parts import MEDIA_KINDS, StoredPart
from inbox.reply import check_part, check_permitted, placeholder
from inbox.rows import Conversation, lock, save
from inbox.text import preview
from scrm import outbox
from scrm.channel import Capabilities
from scrm.db import Row
from scrm.errors import ApiError, Conflict
from scrm.services import Work

LONGEST_WAIT = timedelta(hours=6)
"""A post that could not leave for so long is given up."""
ACCOUNTS = "select id, connection_id, channel, disabled_at from account where id = any($1::bigint[])"
KNOWN = """
select m.conversation_id, m.client_token from message m join unnest($1::bigint[], $2::text[]) w (conversation_id, token)
  on m.conversation_id = w.conversation_id and m.client_token = w.token
"""
INSERT = """
insert into message (conversation_id, seq, version, direction, kind, text, content, state, sender_kind, sender_agent_id, sender_name,
  client_token, sent_at, created_at)
select w.conversation_id, w.seq, w.version, 'out', w.kind, w.text, w.content, 'queued', 'bot', $8, $9, w.token, $10, $10
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::jsonb[], $7::text[])
  w (conversation_id, seq, version, kind, text, content, token)
returning id, conversation_id, client_token
"""
ATTACH = """
insert into attachment (message_id, kind, state, sha256, name, mime, size, width, height, created_at)
select w.message_id, w.kind, 'stored', w.sha256, w.name, w.mime, w.size, w.width, w.height, $9
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::int[])
  w (message_id, kind, sha256, name, mime, size, width, height)
"""


@dataclass(frozen=True, slots=True)
class Post:
    """``token``: the same for the same post to the same conversation; its messages are ``<token>-0``, ``-1``... ``unnamed`` stands in
    place of a customer's name that is not known."""

    conversation_id: int
    token: str
    parts: Sequence[StoredPart]
    unnamed: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    agent_id: int | None
    name: str


@dataclass(slots=True)
class _Line:
    conversation: Conversation
    connection_id: int
    token: str
    part: StoredPart
    seq: int
    version: int
    payload: dict[str, Any]
    give_up_at: datetime


async def post(
    work: Work, posts: Sequence[Post], able_of: Mapping[str, Capabilities], sender: Sender
) -> dict[str, ApiError | None]:
    """By token: None when its messages are queued (or were before), else why they were not. Locks the conversations."""
    held = await lock(work, [one.conversation_id for one in posts])
    accounts = {row["id"]: row for row in await work.tx.fetch(ACCOUNTS, sorted({c.account_id for c in held.values()}))}
    values = await variables.values_of_many(work.tx, sender.name, list(held), work.now)
    known = await _known(work, posts)
    outcome: dict[str, ApiError | None] = {}
    lines: list[_Line] = []
    for one in posts:
        conversation = held.get(one.conversation_id)
        if one.token in known:
            outcome[one.token] = None
        elif conversation is None:
            outcome[one.token] = Conflict("This conversation is gone.", code="cannot_send")
        else:
            account = accounts[conversation.account_id]
            try:
                lines += _written(work, one, conversation, account, able_of.get(account["channel"]), values)
                outcome[one.token] = None
            except ApiError as error:
                outcome[one.token] = error
    await _store(work, lines, sender)
    await save(work, held.values())
    return outcome


async def _known(work: Work, posts: Sequence[Post]) -> set[str]:
    rows = await work.tx.fetch(KNOWN, [one.conversation_id for one in posts], [f"{one.token}-0" for one in posts])
    return {row["client_token"].removesuffix("-0") for row in rows}


def _written(
    work: Work, one: Post, conversation: Conversation, account: Row, able: Capabilities | None, values: Mapping[int, dict[str, str]]
) -> list[_Line]:  # fmt: skip
    """Raises :class:`Conflict` and :class:`Unprocessable` before the conversation is touched."""
    if able is None:
        raise Conflict("The adapter of this channel is not installed.", code="cannot_send")
    named = values[conversation.id]
    if one.unnamed and not named.get("customer.name", "").strip():
        named = {**named, "customer.name": one.unnamed}
    parts = [part.with_text(variables.filled_or_refused(part.text, named)) for part in one.parts]
    for part in parts:
        check_part(part, able)
    check_permitted(conversation, account, able, work.now)
    windowed = able.window is not None
    if windowed and conversation.window_quota - conversation.window_used < len(parts):
        raise Conflict("The window has too few messages left for this post.", code="window_used_up")
    expires_at = conversation.window_expires_at if windowed else None
    payload = {
        "window_kind": conversation.window_kind if windowed else "",
        "window_key": conversation.window_key if windowed else {},
        "window_expires_at": expires_at.isoformat() if expires_at else None,
    }
    lines = []
    for number, part in enumerate(parts):
        if windowed:
            windows.use(conversation)
        lines.append(
            _Line(
                conversation, account["connection_id"], f"{one.token}-{number}", part, conversation.next_seq(),
                conversation.next_version(), payload,
                min(expires_at or work.now + LONGEST_WAIT, work.now + LONGEST_WAIT),
            )
        )  # fmt: skip
        conversation.preview = preview(part.text or placeholder(part))
        conversation.preview_kind = str(part.kind)
        conversation.preview_direction = "out"
        conversation.last_message_at = max(conversation.last_message_at, work.now)
    return lines


async def _store(work: Work, lines: Sequence[_Line], sender: Sender) -> None:
    if not lines:
        return
    made = await work.tx.fetch(
        INSERT, [line.conversation.id for line in lines], [line.seq for line in lines], [line.version for line in lines],
        [str(line.part.kind) for line in lines], [line.part.text or placeholder(line.part) for line in lines],
        [line.part.content for line in lines], [line.token for line in lines], sender.agent_id, sender.name, work.now,
    )  # fmt: skip
    ids = {(row["conversation_id"], row["client_token"]): row["id"] for row in made}
    filed = [(ids[line.conversation.id, line.token], line.part, line.part.file) for line in lines if line.part.file]
    if filed:
        columns = [
            (message_id, str(part.kind) if part.kind in MEDIA_KINDS else "image", file.sha256, file.name, file.mime, file.size, file.width, file.height)
            for message_id, part, file in filed
        ]  # fmt: skip
        await work.tx.execute(ATTACH, *[list(column) for column in zip(*columns, strict=True)], work.now)
    await outbox.put_many(
        work,
        [
            outbox.Send(
                ids[line.conversation.id, line.token],
                line.conversation.id,
                line.connection_id,
                line.payload,
                line.give_up_at,
            )
            for line in lines
        ],
    )
