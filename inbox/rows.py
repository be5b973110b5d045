"""Conversation rows under lock: every change of a conversation or its messages goes through here, because numbers (``seq`` and
``version``) are given out under the row's lock, gapless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from scrm.db import Row
from scrm.services import Work


@dataclass(slots=True)
class Conversation:
    """A locked row as it will be written, each field a column. Change it, then :func:`save`."""

    id: int
    account_id: int
    contact_id: int | None
    group_key: str
    status: str
    assignee_id: int | None
    last_seq: int
    version: int
    unread: int
    read_seq: int
    waiting_since: datetime | None
    last_message_at: datetime
    preview: str
    preview_kind: str
    preview_direction: str
    window_kind: str
    window_opened_at: datetime | None
    window_expires_at: datetime | None
    window_quota: int
    window_used: int
    window_key: dict[str, Any]
    service_state: str
    service_reason: dict[str, Any] | None
    can_send: bool
    closed_at: datetime | None
    collaborators: list[int]
    labels: list[int]
    assigned_at: datetime | None
    transfer_to: int | None
    snoozed_until: datetime | None
    route_state: str
    language: str
    sla_policy_id: int | None
    sla_kind: str
    sla_due_at: datetime | None
    sla_breached_at: datetime | None
    answered_at: datetime | None
    sla_look_at: datetime | None
    survey_until: datetime | None
    changed: bool = field(default=False, compare=False)

    @property
    def collaborators_literal(self) -> str:
        """As PostgreSQL writes arrays: a batch of arrays of different lengths is no array of arrays."""
        return f"{{{','.join(map(str, self.collaborators))}}}"

    @property
    def labels_literal(self) -> str:
        return f"{{{','.join(map(str, self.labels))}}}"

    def next_version(self) -> int:
        self.version += 1
        self.changed = True
        return self.version

    def next_seq(self) -> int:
        self.last_seq += 1
        return self.last_seq

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return tuple(one.name for one in fields(cls) if one.name != "changed")


COLUMNS = ", ".join(Conversation.columns())
WIDTH = len(Conversation.columns())


# Each pair by the index. As a plain join it was planned while a young database had no conversations, and that plan compared every pair with
# every conversation until statistics were made: two fifths of all that the database did in a flood.
LOCK_PAIRS = f"""
select {COLUMNS} from conversation where id = any(array(
  select c.id from unnest($1::bigint[], $2::bigint[]) w (account, contact)
  cross join lateral (select id from conversation where account_id = w.account and contact_id = w.contact and group_key = '' offset 0) c
)) order by id for update
"""  # noqa: S608 - made of constants


async def lock(work: Work, ids: Iterable[int]) -> dict[int, Conversation]:
    """Locks rows, always in the order of their ids. Unknown ids are left out."""
    rows = await work.tx.fetch(
        f"select {COLUMNS} from conversation where id = any($1::bigint[]) order by id for update",  # noqa: S608
        sorted(set(ids)),
    )
    return {row["id"]: conversation_from(row) for row in rows}


async def lock_pairs(work: Work, pairs: Sequence[tuple[int, int]]) -> list[Conversation]:
    """Locks the conversations of (account, contact), always in the order of their ids."""
    found = await work.tx.fetch(
        LOCK_PAIRS, [account_id for account_id, _ in pairs], [contact_id for _, contact_id in pairs]
    )
    return [conversation_from(row) for row in found]


async def lock_one(work: Work, conversation_id: int) -> Conversation | None:
    return (await lock(work, [conversation_id])).get(conversation_id)


def conversation_from(row: Row) -> Conversation:
    """From a row that begins with the columns."""
    # By position, several times as fast as by name: the columns are read in the order of the fields.
    return Conversation(*row[:WIDTH])


SAVED = attrgetter(
    "id", "status", "assignee_id", "last_seq", "version", "unread", "read_seq", "waiting_since", "last_message_at",
    "preview", "preview_kind", "preview_direction", "window_kind", "window_opened_at", "window_expires_at", "window_quota",
    "window_used", "window_key", "service_state", "service_reason", "can_send", "closed_at", "collaborators_literal",
    "labels_literal", "assigned_at", "transfer_to", "snoozed_until", "route_state", "language", "sla_policy_id", "sla_kind",
    "sla_due_at", "sla_breached_at", "answered_at", "sla_look_at", "survey_until",
)  # fmt: skip
SAVE = """
update conversation c set
  status = w.status, assignee_id = w.assignee_id, last_seq = w.last_seq, version = w.version, unread = w.unread,
  read_seq = w.read_seq, waiting_since = w.waiting_since, last_message_at = w.last_message_at, preview = w.preview,
  preview_kind = w.preview_kind, preview_direction = w.preview_direction, window_kind = w.window_kind,
  window_opened_at = w.window_opened_at, window_expires_at = w.window_expires_at, window_quota = w.window_quota,
  window_used = w.window_used, window_key = w.window_key, service_state = w.service_state,
  service_reason = w.service_reason, can_send = w.can_send, closed_at = w.closed_at,
  collaborators = w.collaborators::bigint[], labels = w.labels::bigint[], assigned_at = w.assigned_at,
  transfer_to = w.transfer_to, snoozed_until = w.snoozed_until, route_state = w.route_state, language = w.language,
  sla_policy_id = w.sla_policy_id, sla_kind = w.sla_kind, sla_due_at = w.sla_due_at, sla_breached_at = w.sla_breached_at,
  answered_at = w.answered_at, sla_look_at = w.sla_look_at, survey_until = w.survey_until
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[],
  $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[],
  $15::timestamptz[], $16::int[], $17::int[], $18::jsonb[], $19::text[], $20::jsonb[], $21::boolean[], $22::timestamptz[],
  $23::text[], $24::text[], $25::timestamptz[], $26::bigint[], $27::timestamptz[], $28::text[], $29::text[], $30::bigint[],
  $31::text[], $32::timestamptz[], $33::timestamptz[], $34::timestamptz[], $35::timestamptz[], $36::timestamptz[])
  w (id, status, assignee_id, last_seq, version, unread, read_seq, waiting_since, last_message_at, preview, preview_kind,
  preview_direction, window_kind, window_opened_at, window_expires_at, window_quota, window_used, window_key,
  service_state, service_reason, can_send, closed_at, collaborators, labels, assigned_at, transfer_to, snoozed_until,
  route_state, language, sla_policy_id, sla_kind, sla_due_at, sla_breached_at, answered_at,
  sla_look_at, survey_until)
where c.id = w.id
"""


async def save(work: Work, conversations: Iterable[Conversation]) -> None:
    """Writes the changed ones in one statement and rings for them."""
    changed = [conversation for conversation in conversations if conversation.changed]
    if not changed:
        return
    await work.tx.execute(SAVE, *columns_of(changed))
    note_saved(work, changed)


def columns_of(conversations: Sequence[Conversation]) -> Iterable[tuple[Any, ...]]:
    """The parameters of :data:`SAVE`."""
    return zip(*map(SAVED, conversations), strict=True)


def note_saved(work: Work, conversations: Iterable[Conversation]) -> None:
    for conversation in conversations:
        conversation.changed = False
        work.ring("conversation", conversation.id)
