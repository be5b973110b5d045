"""Customers pay and are paid back; mixed into the control interface."""

from __future__ import annotations

from abc import abstractmethod

from simulator.control import operation
from simulator.wecom.state import BillRecord, Corp


class BillControl:
    @abstractmethod
    def _corp(self, corp_id: str) -> Corp: ...

    @abstractmethod
    def _now(self) -> int: ...

    @operation
    def pay(
        self,
        corp_id: str,
        userid: str,
        external_userid: str,
        amount: int,
        payment_type: int = 0,
        goods: str = "",
        remark: str = "",
        at: int = 0,
    ) -> str:
        """A customer pays a member, in fen; ``payment_type`` 14 is a transfer. ``at``: Unix seconds, 0 for now. Returns the ``out_trade_no``."""
        corp = self._corp(corp_id)
        corp.collects = True
        number = len(corp.bills) + 1
        when = at or self._now()
        trade_no = f"EP{when}{number:06d}"
        corp.bills.append(
            BillRecord(number, f"4200{when}{number:012d}", trade_no, when, userid, external_userid, amount, payment_type, goods, remark)
        )  # fmt: skip
        return trade_no

    @operation
    def pay_back(self, corp_id: str, out_trade_no: str, amount: int, remark: str = "", at: int = 0) -> str:
        """A part of a payment goes back, at once. Returns the ``out_refund_no``."""
        corp = self._corp(corp_id)
        of = next(one for one in corp.bills if one.trade_no == out_trade_no and not one.refund_no)
        back = sum(one.amount for one in corp.bills if one.refund_no and one.trade_no == out_trade_no)
        if amount <= 0 or back + amount > of.amount:
            raise ValueError("more than was paid")
        number = len(corp.bills) + 1
        when = at or self._now()
        refund_no = f"RF{when}{number:06d}"
        corp.bills.append(
            BillRecord(
                number, f"5030{when}{number:012d}", out_trade_no, when, of.payee, of.payer, amount, of.payment_type, "", remark, refund_no
            )
        )  # fmt: skip
        return refund_no

    @operation
    def collect(self, corp_id: str, enabled: bool = True, hidden: list[str] | None = None) -> None:
        """Whether the app may read bills (else 48002), and of which members it may not."""
        corp = self._corp(corp_id)
        corp.collects = enabled
        corp.bills_hidden = [userid.lower() for userid in hidden or []]
