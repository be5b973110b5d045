"""Handovers as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from customers.handover.parts import HandoverKind
from scrm.views import Id, Input, SentenceView, View

MOST_TAKERS = 50
ItemKind = Literal["customer", "conversation", "task", "scheduled", "relation", "group"]
ItemState = Literal[
    "queued", "moved", "changed", "asking", "uncertain", "waiting", "done", "refused", "taker_full", "failed", "returned"
]  # fmt: skip
HandoverState = Literal["moving", "waiting", "done", "returning", "returned"]


class HandoverFilter(Input):
    """Which customers of somebody: all that are given must hold; without any, all of them."""

    customer_ids: Annotated[list[Id], Field(max_length=5000)] | None = None
    stage_ids: Annotated[list[Id], Field(default_factory=list, max_length=200)]
    tag_ids: Annotated[list[Id], Field(default_factory=list, max_length=200)]


class HandoverPlan(Input):
    """``part``: some of the customers of ``from_agent_id``, with their conversations and tasks. ``leaving``: everything they have;
    ``disable`` locks them out when all of it is handed over. ``account``: what ``account_id`` had (it was banned), to go on from
    ``to_account_id``; with ``keep_owners`` only what is nobody's gets new owners.

    ``on_platform``: also ask the platform, where it can. ``text``: what it tells the customers. ``left``: they have left the company
    there, too."""

    kind: HandoverKind
    from_agent_id: Id | None = None
    account_id: Id | None = None
    to_account_id: Id | None = None
    taker_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_TAKERS)]
    filter: HandoverFilter | None = None
    keep_owners: bool = True
    on_platform: bool = True
    left: bool = False
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    disable: bool = False

    @model_validator(mode="after")
    def _complete(self) -> HandoverPlan:
        if (self.kind == "account") != (self.account_id is not None):
            raise ValueError("Name account_id for the kind account, and for it alone.")
        if (self.kind != "account") != (self.from_agent_id is not None):
            raise ValueError("Name from_agent_id for the kinds part and leaving.")
        if self.disable and self.kind != "leaving":
            raise ValueError("Only somebody who leaves is locked out.")
        if self.from_agent_id in self.taker_ids:
            raise ValueError("Somebody cannot take over from themselves.")
        return self


class NewHandover(HandoverPlan):
    client_token: Annotated[str, Field(min_length=8, max_length=64)]


class TakerCounts(View):
    """How many of each go to one person."""

    agent_id: int
    customers: int
    conversations: int
    tasks: int
    scheduled: int
    relations: int
    groups: int


class HandoverProblem(View):
    """Something that cannot be moved, known beforehand. ``agent_id``: because of this taker."""

    code: Literal["no_identity", "same_member", "no_platform", "chat_stays", "not_allowed"]
    agent_id: int | None
    count: int


class HandoverSample(View):
    customer_id: int
    name: str
    to_agent_id: int


class HandoverPreview(View):
    total: TakerCounts
    takers: list[TakerCounts]
    problems: list[HandoverProblem]
    sample: list[HandoverSample]


class HandoverCount(View):
    kind: ItemKind
    state: ItemState
    count: int


class HandoverView(View):
    """``counts``: items by kind and state. ``disabled_at``: when who left was locked out."""

    id: int
    kind: HandoverKind
    state: HandoverState
    from_agent_id: int | None
    account_id: int | None
    to_account_id: int | None
    taker_ids: list[int]
    reason: str
    disable: bool
    disabled_at: datetime | None
    created_by: int | None
    created_at: datetime
    finished_at: datetime | None
    counts: list[HandoverCount]


class HandoverList(View):
    handovers: list[HandoverView]
    next_before: int | None


class HandoverItem(View):
    """``title``: the customer's name, or the group's. ``effective_at``: when the platform makes it so."""

    id: int
    kind: ItemKind
    object_id: int
    customer_id: int | None
    title: str
    to_agent_id: int | None
    state: ItemState
    code: str
    reason: SentenceView | None
    tries: int
    effective_at: datetime | None
    updated_at: datetime


class HandoverItems(View):
    items: list[HandoverItem]
    next_after: int | None


class HandoverItemQuery(Input):
    kind: ItemKind | None = None
    state: ItemState | None = None
    open: bool = False
    """Only those that did not move: refused, full, failed, uncertain, changed."""
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class HandoverQuery(Input):
    before: Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class HandoverRetry(Input):
    """Those that failed, were refused, or whose taker was full; ``to_agent_id``: to somebody else this time."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = None
    to_agent_id: Id | None = None


class HandoverRetried(View):
    asked: int
