"""Fifth page of the contract: what a platform tells of money that its company collected.

A bill changes after it was told: it is refunded days later, in parts. So bills are read again and again, by overlapping times, and each is
known by its own id. What a platform does not tell (money that two people move between their own wallets) nobody can read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

__all__ = ["Bill", "BillRefund", "ListsBills"]


@dataclass(frozen=True, slots=True)
class BillRefund:
    """One refund of a bill, as the bill tells it. ``state``: ``asked`` and under way, ``done``, or it will not be."""

    refund_id: str
    amount_fen: int
    state: Literal["asked", "done", "failed"]
    at: datetime
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """Money that came in (``collected``; ``transfer``: the customer sent it without being asked by a bill), or went back (``refund``).

    ``trade_id``: what a receipt and its refunds have in common. ``payee_id``: the account that received, or gave back; ``payer_id``: the
    customer. ``refunded_fen``: of a receipt, what the platform says has gone back in all. ``way``: the platform's own word for how it was paid.
    """

    bill_id: str
    trade_id: str
    kind: Literal["collected", "transfer", "refund"]
    amount_fen: int
    at: datetime
    payee_id: str
    payer_id: str
    refunded_fen: int = 0
    refund_id: str = ""
    refunds: Sequence[BillRefund] = ()
    way: str = ""
    note: str = ""


@runtime_checkable
class ListsBills(Protocol):
    """Calls raise ``RetryLater`` when the platform fails or wants less, ``Rejected`` when it refuses."""

    bill_channel: str
    """The channel whose accounts receive the money."""
    bill_window: timedelta
    """The longest time that one question may cover."""

    async def bills(self, *, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[Bill], str]:
        """A page of what was paid or given back between these times, both included; and the cursor of the next page, empty at the end.
        A page may be empty although there is a next one."""
        ...
