"""What the page of evidence sends and gets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from inbox.queries import Seq
from inbox.views import ConversationView
from scrm.views import MAX_ID, Input, View

Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class EvidencePart(Input):
    """``from_seq`` to ``to_seq`` of a conversation; without an end: as far as it goes."""

    conversation_id: Id
    from_seq: Seq = 1
    to_seq: Seq | None = None


class NewEvidence(Input):
    items: Annotated[list[EvidencePart], Field(min_length=1, max_length=500)]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    client_token: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class EvidencePickView(View):
    id: int
    conversation: ConversationView
    from_seq: int
    to_seq: int | None
    added_at: datetime


class EvidencePickList(View):
    picks: list[EvidencePickView]


class EvidenceExportView(View):
    id: int
    name: str
    note: str
    state: Literal["queued", "running", "done", "failed", "expired"]
    done: int
    total: int | None
    size: int | None
    sha256: str | None
    created_at: datetime
    expires_at: datetime | None


class EvidenceExportList(View):
    exports: list[EvidenceExportView]


class ChainFindingView(View):
    what: str
    kind: str
    ref_id: int
    block: int | None


class ChainCheckView(View):
    ok: bool
    at: datetime
    blocks: int
    leaves: int
    removed: int
    total: int
    findings: list[ChainFindingView]


class ChainKeyView(View):
    fingerprint: str
    public_key: str
    made_at: datetime
    retired_at: datetime | None


class ChainView(View):
    """``checking``: a check was asked for and is not done yet."""

    head: int
    hash: str
    sealed_at: datetime | None
    check: ChainCheckView | None
    checking: bool
    keys: list[ChainKeyView]
    anchored_block: int | None
    anchored_at: datetime | None
    anchor_trouble: str
    anchored: bool
