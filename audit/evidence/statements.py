"""What the chain says of each thing: one line of JSON, made by the database from the row, whose SHA-256 is the leaf.

The lines are never stored: they are made again from the rows, and so a row that was changed no longer fits its leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """Where the rows of a kind are (``x`` is the row, ``id`` its number), and the line in SQL. ``there``: the row has it already.
    ``emptied``: what must be true of a row whose content was removed on purpose; nothing may be written in its place."""

    table: str
    line: str
    there: str = "true"
    id: str = "x.id"
    emptied: str = "false"

    @property
    def text(self) -> str:
        return f"({self.line})::text"

    @property
    def hash(self) -> str:
        return f"sha256(convert_to({self.text}, 'UTF8'))"


def _us(column: str) -> str:
    """Microseconds since 1970: the same in every time zone and every version."""
    return f"(extract(epoch from {column}) * 1000000)::bigint"


KINDS: Mapping[str, Statement] = {
    "message": Statement(
        "message",
        "jsonb_build_object('leaf', 'message', 'id', x.id, 'conversation', x.conversation_id, 'seq', x.seq, 'direction', x.direction, "
        "'kind', x.kind, 'text', x.text, 'content', x.content, 'sender_kind', x.sender_kind, 'sender', x.sender_id, "
        f"'sender_name', x.sender_name, 'sent_at_us', {_us('x.sent_at')})",
        emptied="x.text = '' and x.content = '{}'::jsonb",
    ),
    "recall": Statement(
        "message",
        "jsonb_build_object('leaf', 'recall', 'id', x.id, 'conversation', x.conversation_id, 'seq', x.seq, 'by', x.recalled_by, "
        f"'recalled_at_us', {_us('x.recalled_at')})",
        "x.recalled_at is not null",
    ),
    "media": Statement(
        "attachment",
        "jsonb_build_object('leaf', 'media', 'id', x.id, 'message', x.message_id, 'position', x.position, 'sha256', x.sha256)",
        "x.sha256 is not null",
        emptied="x.sha256 is null",
    ),
    "envelope": Statement(
        "archive_record",
        "jsonb_build_object('leaf', 'envelope', 'id', x.id, 'connection', x.connection_id, 'seq', x.seq, 'message_id', x.message_id, "
        "'key_version', x.key_version, 'sealed_key', x.sealed_key, 'sealed_message', x.sealed_message)",
        emptied="x.sealed_key = '' and x.sealed_message = ''",
    ),
    "opened": Statement(
        "archive_record",
        "jsonb_build_object('leaf', 'opened', 'id', x.id, 'connection', x.connection_id, 'seq', x.seq, "
        "'sha256', encode(sha256(x.record), 'hex'))",
        "x.record is not null",
        emptied="x.record is null",
    ),
    "event": Statement(
        "audit_event",
        f"jsonb_build_object('leaf', 'event', 'id', x.id, 'at_us', {_us('x.at')}, 'agent', x.agent_id, 'action', x.action, "
        "'object_kind', x.object_kind, 'object_id', x.object_id, 'address', x.address, 'detail', x.detail)",
    ),
    "tombstone": Statement(
        "evidence_tombstone",
        "jsonb_build_object('leaf', 'tombstone', 'id', x.id, 'of', x.kind, 'of_id', x.ref_id, 'sha256', encode(x.sha256, 'hex'), "
        f"'reason', x.reason, 'agent', x.agent_id, 'at_us', {_us('x.removed_at')})",
    ),
    "key": Statement(
        "evidence_key",
        "jsonb_build_object('leaf', 'key', 'id', x.id, 'public_key', encode(x.public_key, 'hex'), "
        "'endorsed', encode(x.endorsed, 'hex'))",
    ),
}
"""Of every kind, in the order in which a block has them when their names are sorted."""

ORDER = sorted(KINDS)
