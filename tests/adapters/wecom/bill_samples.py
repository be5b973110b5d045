"""Checks for samples of collected money, as :mod:`tests.adapters.wecom.contact_samples` has them."""

from __future__ import annotations

from typing import Any

from adapters.wecom.adapter import WeComAdapter
from scrm.channel_payments import Bill, BillRefund
from tests.adapters.wecom.contact_samples import Check, asked, at, sample
from tests.adapters.wecom.support import Platform

BILL_CHECKS: dict[str, Check] = {}
PATH = "externalpay/get_bill_list"


def check(function: Check) -> Check:
    BILL_CHECKS[function.__name__] = function
    return function


async def told(wecom: WeComAdapter, server: Platform, answer: Any) -> tuple[list[Bill], str]:
    server.reply(PATH, answer)
    found, cursor = await wecom.bills(since=at(1605171726), until=at(1605172726), cursor="")
    return list(found), cursor


@check
async def get_bill_list_request(wecom: WeComAdapter, server: Platform) -> None:
    """We ask for everybody at once, in pages as large as they may be."""
    expected = sample("externalpay.get_bill_list.request")
    server.reply(PATH, {"errcode": 0, "bill_list": []})
    await wecom.bills(since=at(expected["begin_time"]), until=at(expected["end_time"]), cursor=expected["cursor"])
    del expected["payee_userid"]
    assert asked(server, PATH) == {**expected, "limit": 1000}


@check
async def get_bill_list_response(wecom: WeComAdapter, server: Platform) -> None:
    """The documents' example mixes a receipt and a refund; its type says refund."""
    found, cursor = await told(wecom, server, sample("externalpay.get_bill_list.response"))
    assert cursor == "CURSOR"
    assert found == [
        Bill("xxxxx", "xxxx", "refund", 100, at(12345), "zhangshan", "xxxx", refund_id="xxxxx", way="code", note="xxxx")
    ]


@check
async def get_bill_list_paid(wecom: WeComAdapter, server: Platform) -> None:
    answer = sample("externalpay.get_bill_list.paid.response")
    found, cursor = await told(wecom, server, answer)
    receipt = Bill(
        "4200001234202311150000000001", "EP2023111500001", "transfer", 19900, at(1700000000), "zhangsan", "wmAAA0002",
        way="transfer", note="转账",
    )  # fmt: skip
    assert (found, cursor) == ([receipt], "CURSOR2")
    back = {
        "out_refund_no": "R1",
        "refund_userid": "LiSi",
        "refund_reqtime": 1700000100,
        "refund_status": 2,
        "refund_fee": 900,
    }
    odd = {"out_refund_no": "", "refund_fee": 1}
    bill = {**answer["bill_list"][0], "total_refund_fee": "900", "refund_list": [back, odd, {**back, "out_refund_no": "R2", "refund_status": 5}],
            "payment_type": 99, "total_fee": 9_007_199_254_740_993}  # fmt: skip
    server.reply(PATH, {"errcode": 0, "bill_list": [bill, {**bill, "pay_time": 0}, {**bill, "total_fee": 2**63}, "?"]})
    (changed,), _ = await wecom.bills(since=at(0), until=at(1), cursor="")
    assert (changed.amount_fen, changed.refunded_fen, changed.way) == (9_007_199_254_740_993, 900, "99")
    assert changed.refunds == (
        BillRefund("R1", 900, "done", at(1700000100), "lisi"), BillRefund("R2", 900, "asked", at(1700000100), "lisi"),
    )  # fmt: skip


@check
async def get_bill_list_refund(wecom: WeComAdapter, server: Platform) -> None:
    found, cursor = await told(wecom, server, sample("externalpay.get_bill_list.refund.response"))
    assert cursor == ""
    assert found == [
        Bill(
            "4200001234202311151111111111", "EP2023111500001", "refund", 19900, at(1700003600), "zhangsan", "wmAAA0002",
            refund_id="RF2023111500001", way="chat", note="退课",
        )
    ]  # fmt: skip
