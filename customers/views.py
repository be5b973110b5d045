"""How a customer looks. The card of the inbox adds the conversations (``inbox.card``)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from scrm.views import SentenceView, View


class ContactView(View):
    """The customer as one connection knows them."""

    id: int
    external_id: str
    name: str
    avatar: str
    union_linked: bool
    connection_name: str
    channel_titles: list[SentenceView]


class CustomerEventView(View):
    id: int
    name: str
    at: datetime
    text: SentenceView


class PhoneNumberView(View):
    """A number of the customer, masked for those who may not see it in full. ``main``: it is the one in ``phone``."""

    id: int
    phone: str
    verified: bool
    source: str
    main: bool


class CustomerFacts(View):
    """``phone`` is masked for those who may not see it in full. ``id`` is another one than was asked for when that customer was
    merged into this one."""

    id: int
    name: str
    avatar: str
    phone: str
    phones: list[PhoneNumberView]
    city: str
    remark: str
    company: str
    position: str
    email: str
    address: str
    gender: Literal["", "male", "female"]
    source: str
    stage_id: int | None
    stage_at: datetime | None
    value_fen: int | None
    tags: list[int]
    fields: dict[str, Any]
    owner_id: int | None
    owned_at: datetime | None
    pooled_at: datetime | None
    readers: list[int]
    writers: list[int]
    next_due_at: datetime | None
    followed_at: datetime | None
    last_message_at: datetime | None
    created_by: int | None
    created_at: datetime
    deleted_at: datetime | None
    version: int
    may_change: bool
    contacts: list[ContactView]
    events: list[CustomerEventView]
