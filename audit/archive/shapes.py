"""What is told of archives, and what is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from scrm.views import Input, SentenceView, View

RecordState = Literal["sealed", "done", "failed"]


class ArchiveTrouble(View):
    """What keeps the archive from being read."""

    reason: SentenceView
    since: datetime | None


class ArchiveCounts(View):
    """Records: ``pulled`` in all, of which ``opened`` can be read, ``sealed`` will be tried, ``failed`` need somebody."""

    pulled: int
    opened: int
    sealed: int
    failed: int


class ArchiveWaiting(View):
    state: Literal["sealed", "failed"]
    reason: str
    key_version: int
    n: int
    since: datetime


class UnknownKind(View):
    """A kind of record that this version does not know; its records are kept as they are."""

    kind: str
    n: int


class ArchiveKeyView(View):
    version: int
    fingerprint: str
    """SHA-256 of the public key, hexadecimal."""
    added_at: datetime
    added_by: str | None


class ArchiveGap(View):
    """What was said between these moments may be missing: the platform had thrown it away before anybody pulled."""

    lost_since: datetime
    until: datetime


class ArchiveFiles(View):
    pending: int
    first_expiry: datetime | None
    expired: int
    failed: int


class ArchiveView(View):
    connection_id: int
    name: str
    keeps_days: int
    pulled_at: datetime | None
    caught_up_at: datetime | None
    trouble: ArchiveTrouble | None
    alarms: list[SentenceView]
    """What will be lost, or stays unread, if nobody acts."""
    counts: ArchiveCounts
    waiting: list[ArchiveWaiting]
    unknown: list[UnknownKind]
    keys: list[ArchiveKeyView]
    gaps: list[ArchiveGap]
    files: ArchiveFiles


class ArchiveList(View):
    archives: list[ArchiveView]


class NewArchiveKey(Input):
    """``version`` as the platform's console shows it; ``private_key`` in PEM."""

    version: Annotated[int, Field(ge=1, le=100_000)]
    private_key: Annotated[str, Field(min_length=1, max_length=10_000)]


class RecordsQuery(Input):
    state: RecordState | None = None
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,19}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ArchiveRecordView(View):
    """Without its words: those are in the conversation."""

    id: int
    seq: int
    message_id: str
    state: RecordState
    reason: str
    detail: str
    key_version: int
    kind: str
    known: bool
    pulled_at: datetime
    said_at: datetime | None
    conversation_id: int | None


class ArchiveRecordPage(View):
    records: list[ArchiveRecordView]
    next_cursor: str | None


class RetriedView(View):
    count: int
