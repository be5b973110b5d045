"""Bills of 对外收款 (wecom.md section 19.1; platform pages 93667, 98100). Amounts are fen. No callback tells of a payment: one asks again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from adapters.wecom.client import WeComClient
from adapters.wecom.ids import member
from adapters.wecom.values import integer, moment_or_none, objects, text
from scrm.channel import JsonObject
from scrm.channel_payments import Bill, BillRefund

LIMIT = 1000
WINDOW = timedelta(days=28)
"""The platform allows a month; the shortest has 28 days."""
LARGEST_FEN = 2**63 - 1
_REFUND, _TRANSFER = 1, 14
_WAYS: Mapping[int, str] = {
    0: "chat", 1: "code", 2: "live", 3: "album", _TRANSFER: "transfer", 15: "mini_program",
}  # fmt: skip
_STATES: Mapping[int, Literal["asked", "done", "failed"]] = {
    0: "asked", 1: "asked", 2: "done", 3: "failed", 4: "failed", 5: "asked", 6: "failed", 7: "failed",
}  # fmt: skip


class Bills:
    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def page(self, since: datetime, until: datetime, cursor: str) -> tuple[Sequence[Bill], str]:
        """``externalpay/get_bill_list``."""
        body: JsonObject = {"begin_time": int(since.timestamp()), "end_time": int(until.timestamp()), "limit": LIMIT}
        body |= {"cursor": cursor} if cursor else {}
        answer = await self._client.post("externalpay/get_bill_list", body)
        found = [bill for one in objects(answer, "bill_list") if (bill := read_bill(one)) is not None]
        following = text(answer, "next_cursor")
        return found, "" if following == cursor else following


def read_bill(one: JsonObject) -> Bill | None:
    """None: it lacks what makes a bill, or its amount is none."""
    at, amount, bill_id = moment_or_none(one, "pay_time"), _amount(one, "total_fee"), text(one, "transaction_id")
    is_refund = integer(one, "bill_type") == _REFUND
    refund_id = text(one, "out_refund_no") if is_refund else ""
    if at is None or amount is None or not (refund_id if is_refund else bill_id):
        return None
    paid = integer(one, "payment_type")
    kind: Literal["collected", "transfer", "refund"] = "transfer" if paid == _TRANSFER else "collected"
    return Bill(
        bill_id=bill_id,
        trade_id=text(one, "out_trade_no") or bill_id,
        kind="refund" if is_refund else kind,
        amount_fen=amount,
        at=at,
        payee_id=member(text(one, "payee_userid").strip()),
        payer_id=text(one, "external_userid"),
        refunded_fen=0 if is_refund else (_amount(one, "total_refund_fee") or 0),
        refund_id=refund_id,
        refunds=() if is_refund else _refunds(one, at),
        way=_WAYS.get(-1 if paid is None else paid, "" if paid is None else str(paid)),
        note=_note(one),
    )


def _amount(source: JsonObject, key: str) -> int | None:
    value = integer(source, key)
    return value if value is not None and 0 <= value <= LARGEST_FEN else None


def _refunds(one: JsonObject, paid_at: datetime) -> tuple[BillRefund, ...]:
    found = []
    for entry in objects(one, "refund_list"):
        refund_id, amount = text(entry, "out_refund_no"), _amount(entry, "refund_fee")
        if not refund_id or amount is None:
            continue
        status = integer(entry, "refund_status")
        found.append(
            BillRefund(
                refund_id, amount, _STATES.get(-1 if status is None else status, "asked"),
                moment_or_none(entry, "refund_reqtime") or paid_at,
                member(text(entry, "refund_userid").strip()), text(entry, "refund_comment")[:500],
            )
        )  # fmt: skip
    return tuple(found)


def _note(one: JsonObject) -> str:
    """What the money was for: the remark, else what was bought."""
    bought = [
        f"{text(item, 'description')}×{count}" if (count := integer(item, "amount") or 1) > 1 else text(item, "description")
        for item in objects(one, "commodity_list")
    ]  # fmt: skip
    return (text(one, "remark") or "，".join(item for item in bought if item))[:500]
