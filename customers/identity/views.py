"""Merging and splitting on the page: what is asked for, and what is shown before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from customers.identity.columns import CHOSEN
from scrm.views import Id, Input, OptionalLine, View

Ids = Annotated[list[Id], Field(max_length=1000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class PreviewInput(Input):
    ids: Annotated[list[Id], Field(min_length=2, max_length=20)]


class CustomerMergeInput(Input):
    """``into`` stays, the others of ``ids`` become it. ``choices``: by field, the customer whose value stays; ``fields.<key>`` for the
    company's own fields."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=20)]
    into: Id
    choices: dict[Annotated[str, Field(max_length=60)], Id] = Field(default_factory=dict, max_length=200)
    reason: Reason = ""

    @field_validator("choices")
    @classmethod
    def _known(cls, choices: dict[str, int]) -> dict[str, int]:
        for name in choices:
            if name not in CHOSEN and not name.startswith("fields."):
                raise ValueError(f"{name} is no field of which one is chosen.")
        return choices


class SplitInput(Input):
    """What goes to the other customer: ``to_id``, one that was merged into this one, or a new one called ``name``."""

    contact_ids: Ids = Field(default_factory=list)
    phone_ids: Ids = Field(default_factory=list)
    follow_up_ids: Ids = Field(default_factory=list)
    task_ids: Ids = Field(default_factory=list)
    file_ids: Ids = Field(default_factory=list)
    to_id: Id | None = None
    name: OptionalLine = ""
    reason: Reason = ""


class Holdings(View):
    """How much hangs off a customer."""

    contacts: int
    conversations: int
    follow_ups: int
    tasks: int
    phones: int
    files: int


class SideView(View):
    """One of the customers that would become one; ``values`` by the names that can be chosen, phone numbers masked as everywhere."""

    id: int
    name: str
    avatar: str
    created_at: datetime
    owner_id: int | None
    values: dict[str, Any]
    fields: dict[str, Any]
    holdings: Holdings


class MergePreview(View):
    """``into``: the one that was entered first, or the first with an owner."""

    sides: list[SideView]
    into: int


class MergeDone(View):
    customer_id: int


class SplitDone(View):
    customer_id: int
    other_id: int


class OtherView(View):
    id: int
    name: str


class MergeEntry(View):
    """``may_undo``: nothing newer stands on it."""

    id: int
    kind: Literal["merged", "joined", "split"]
    into_id: int
    others: list[OtherView]
    by_id: int | None
    reason: str
    at: datetime
    undone_at: datetime | None
    undone_by: int | None
    may_undo: bool
    moved: dict[str, int]


class MergeLog(View):
    """Newest first. ``former``: customers that are this one now, to which things can be given back."""

    entries: list[MergeEntry]
    former: list[OtherView]
