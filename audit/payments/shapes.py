"""Shapes of payments over HTTP. Amounts are fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from audit.payments.thresholds import MoneyThresholds
from scrm.views import Id, Input, SentenceView, View

PaymentKind = Literal["red_packet_customer", "red_packet_internal", "transfer", "collected", "refund"]
PaymentSource = Literal["archive", "bill"]
Amount = Annotated[int, Field(ge=0, le=2**63 - 1)]
Cursor = Annotated[str, StringConstraints(pattern=r"^-?\d{1,17}\.\d{1,19}$")]
ClaimState = Literal["matched", "unseen", "open"]


class PaymentFilter(Input):
    """Days are the company's, both included; without any, the last thirty. ``agent_id``: whose accounts; ``account_id``: one of them.
    ``unsaid``: only what nobody spoke of in the chat."""

    first: date | None = None
    last: date | None = None
    agent_id: Id | None = None
    account_id: Id | None = None
    customer_id: Id | None = None
    kind: PaymentKind | None = None
    source: PaymentSource | None = None
    min_fen: Amount | None = None
    max_fen: Amount | None = None
    unsaid: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> PaymentFilter:
        if self.min_fen is not None and self.max_fen is not None and self.min_fen > self.max_fen:
            raise ValueError("The smallest amount is above the largest.")
        return self


class PaymentQuery(PaymentFilter):
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PaymentMember(View):
    """The employee's side. ``id``: as the platform names them; the rest as far as it is known."""

    id: str
    account_id: int | None
    agent_id: int | None
    name: str


class PaymentCustomer(View):
    contact_id: int | None
    customer_id: int | None
    name: str


class PaymentPlace(View):
    """The chat around it; ``seq``: the message itself, or the last one before it."""

    conversation_id: int
    seq: int
    group_name: str


class PaymentView(View):
    """``amount_fen`` None: the platform did not tell. ``refunded_fen``: of a receipt, what went back. ``pieces``: of a red packet for
    several. ``said``: somebody spoke of it in the chat. ``way``: the platform's word for how it was paid."""

    id: int
    source: PaymentSource
    kind: PaymentKind
    direction: Literal["in", "out", "inside"]
    amount_fen: int | None
    refunded_fen: int
    pieces: int
    way: str
    note: str
    at: datetime
    member: PaymentMember
    customer: PaymentCustomer | None
    place: PaymentPlace | None
    trade_id: str
    said: bool


class PaymentTotals(View):
    """``in_fen``: what customers paid (without red packets, which are in ``packets_in_fen``); ``refunded_fen``: what of all went back in
    these days; ``packets_out_fen``: red packets to customers; ``inside_fen``: among colleagues."""

    n: int
    in_fen: int
    refunded_fen: int
    packets_out_fen: int
    packets_in_fen: int
    inside_fen: int


class PaymentPage(View):
    payments: list[PaymentView]
    next_cursor: str | None
    totals: PaymentTotals | None
    """With the first page."""


class PaymentDay(View):
    day: date
    kind: PaymentKind
    direction: Literal["in", "out", "inside"]
    n: int
    fen: int


class PaymentKindSum(View):
    kind: PaymentKind
    direction: Literal["in", "out", "inside"]
    n: int
    fen: int


class PaymentMemberSum(View):
    member: PaymentMember
    totals: PaymentTotals


class PaymentCustomerSum(View):
    customer: PaymentCustomer
    totals: PaymentTotals


class BillSource(View):
    """How far the bills of a connection are read; for those who see everything."""

    connection_id: int
    name: str
    read_until: datetime | None
    looked_at: datetime | None
    trouble: SentenceView | None


class PaymentSummary(View):
    """``members`` and ``customers``: those with the most money, at most fifty."""

    first: date
    last: date
    totals: PaymentTotals
    kinds: list[PaymentKindSum]
    days: list[PaymentDay]
    members: list[PaymentMemberSum]
    customers: list[PaymentCustomerSum]
    bills: list[BillSource]


class ClaimQuery(Input):
    first: date | None = None
    last: date | None = None
    agent_id: Id | None = None
    account_id: Id | None = None
    customer_id: Id | None = None
    state: ClaimState | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PaymentClaimView(View):
    """What was said of money. ``payment``: what was seen of it. ``text``: the sentence, cut."""

    message_id: int
    position: int
    way: Literal["transfer", "red_packet"]
    amount_fen: int | None
    direction: Literal["in", "out"]
    state: ClaimState
    text: str
    said_at: datetime
    place: PaymentPlace
    account_id: int
    account_name: str
    customer: PaymentCustomer | None
    payment: PaymentView | None


class ClaimCounts(View):
    """``unsaid``: payments of a chat of which nobody spoke."""

    matched: int
    unseen: int
    open: int
    unsaid: int


class PaymentClaimPage(View):
    claims: list[PaymentClaimView]
    next_cursor: str | None
    counts: ClaimCounts | None
    """With the first page."""
    hours: int
    """A payment counts as seen so long before or after it was spoken of."""


class ThresholdsView(View):
    thresholds: MoneyThresholds
