"""How a customer looks. The card of the inbox adds the conversations (``inbox.card``)."""

from __future__ import annotations

from datetime import datetime

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


class CustomerFacts(View):
    """``phone`` is masked for those who may not see it in full."""

    id: int
    name: str
    avatar: str
    phone: str
    city: str
    remark: str
    owner_id: int | None
    created_at: datetime
    contacts: list[ContactView]
    events: list[CustomerEventView]
