"""对外收款 (section 19.1): receipts and refunds, listed by time. Strict where the documents are: times at most a month apart, a limit, cursors
of one's own, and who may call it at all."""

from __future__ import annotations

from simulator.wecom.api import Answer, Call, Endpoint, Endpoints
from simulator.wecom.errors import Refused
from simulator.wecom.paging import cursor_after, start_of
from simulator.wecom.settings import DAY
from simulator.wecom.state import BillRecord, Corp, JsonObject

_LONGEST = 31 * DAY


class BillApi:
    @property
    def endpoints(self) -> Endpoints:
        return {"externalpay/get_bill_list": Endpoint("POST", self.list, "contacts")}

    def list(self, call: Call) -> Answer:
        """Bills of payees outside of the app's scope are filtered after the page was cut, so a page may be short, and empty before the end."""
        corp = call.corp
        if not corp.collects:
            raise Refused(48002)
        begin, end = call.number("begin_time"), call.number("end_time")
        if end < begin or end - begin > _LONGEST:
            raise Refused(40058, "begin_time and end_time")
        limit = call.number("limit", default=100, high=1000) or 100
        payee = call.optional("payee_userid").lower()
        found = sorted((one for one in corp.bills if begin <= one.at <= end), key=lambda one: (one.at, one.number))
        start = start_of(call)
        page = found[start : start + limit]
        answer: JsonObject = {
            "bill_list": [
                bill_row(corp, one)
                for one in page
                if payee in ("", one.payee.lower()) and one.payee.lower() not in corp.bills_hidden
            ]
        }
        following = cursor_after(start + limit, len(found))
        return answer | ({"next_cursor": following} if following else {})


def bill_row(corp: Corp, one: BillRecord) -> JsonObject:
    row: JsonObject = {
        "transaction_id": one.transaction_id, "bill_type": int(bool(one.refund_no)), "pay_time": one.at,
        "out_trade_no": one.trade_no, "external_userid": one.payer, "total_fee": one.amount, "payee_userid": one.payee,
        "payment_type": one.payment_type, "mch_id": "1600000001", "remark": one.remark,
    }  # fmt: skip
    if one.refund_no:
        return row | {"out_refund_no": one.refund_no}
    back = [other for other in corp.bills if other.refund_no and other.trade_no == one.trade_no]
    refunds: list[JsonObject] = [
        {
            "out_refund_no": other.refund_no, "refund_userid": other.payee, "refund_comment": other.remark,
            "refund_reqtime": other.at, "refund_status": 2, "refund_fee": other.amount,
        }
        for other in back
    ]  # fmt: skip
    total = sum(other.amount for other in back)
    return row | {
        "trade_state": 3 if back else 1, "total_refund_fee": total, "refund_list": refunds,
        "commodity_list": [{"description": one.goods, "amount": 1}] if one.goods else [],
    }  # fmt: skip
